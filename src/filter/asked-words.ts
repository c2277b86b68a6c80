/** What a filter asks of the user's own files. */
import type { Node } from './ast.ts'
import type { EnrichedWord } from './enriched-tables.ts'
import { thingOf } from './things.ts'

/** The words of `enriched-tables.ts` that stand in a filter. */
export function enrichedIn(node: Node, into: Set<EnrichedWord> = new Set()): Set<EnrichedWord> {
  if (node.kind === 'and' || node.kind === 'or') for (const one of node.nodes) enrichedIn(one, into)
  else if (node.kind === 'not') enrichedIn(node.node, into)
  else if (node.kind === 'test') {
    const { enriched } = thingOf(node.thing)
    if (enriched !== undefined) into.add(enriched)
  }
  return into
}
