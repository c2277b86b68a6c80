/** Which lines of the evidence findings rest on. */
import type { RecordIndex } from '../record-index/read.ts'
import type { Basis } from '../rules/finding.ts'
import { distinct } from '../rules/rule.ts'
import type { ToldDraft } from './told.ts'

/**
 * The lines that every finding names.
 *
 * @param placeOf where the record of a number of a file stands.
 */
export async function basesOf(
  index: RecordIndex,
  findings: readonly Pick<ToldDraft, 'places'>[],
  placeOf: (file: number, line: number) => Basis,
): Promise<Basis[][]> {
  const found = await linesAt(
    index,
    findings.flatMap(finding => finding.places),
    placeOf,
  )
  return findings.map(finding => finding.places.map(place => found.get(place)!))
}

/** Where the records at some places of the index stand in the evidence. */
export async function linesAt(
  index: RecordIndex,
  some: Iterable<number>,
  placeOf: (file: number, line: number) => Basis,
): Promise<Map<number, Basis>> {
  const places = distinct(some)
  const found = new Map<number, Basis>()
  for (let from = 0; from < places.length; ) {
    const group = Math.floor(places[from]! / index.blockRows)
    let to = from
    while (to < places.length && Math.floor(places[to]! / index.blockRows) === group) to++
    for await (const block of index.blocks(['file', 'line'], { blocks: [group, group + 1] })) {
      for (const place of places.slice(from, to)) {
        const row = place - group * index.blockRows
        found.set(place, placeOf(block.file[row]!, block.line[row]!))
      }
    }
    from = to
  }
  return found
}
