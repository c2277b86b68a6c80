/** What a tree is asked instead of its text. */
import type { Expression, QueryNode, Relation } from './nodes.ts'

/** Whether a condition is always true, so that it leaves out nothing. */
export function isAlways(node: Expression): boolean {
  return node.kind === 'constant' && node.value === true
}

/** Whether an expression has a part that is known for no row at all. */
export function hasUnknownPart(node: Expression): boolean {
  if (node.kind === 'constant') return node.value === null
  return partsOf(node).some(part => isExpression(part) && hasUnknownPart(part))
}

/** The nodes that a node is made of. */
export function partsOf(node: QueryNode): readonly QueryNode[] {
  switch (node.kind) {
    case 'comparison':
      return [node.left, node.right]
    case 'logic':
      return node.terms
    case 'not':
    case 'known':
    case 'in-set':
    case 'cast':
      return [node.term]
    case 'among':
      return [node.term, ...node.values]
    case 'in-prefixes':
    case 'masked':
    case 'said-of-address':
      return [node.address]
    case 'address-among':
      return [node.address, ...(node.during === null ? [] : [node.during.start, node.during.end])]
    case 'call':
      return node.args
    case 'case':
      return [...node.branches.flatMap(({ when, then }) => [when, then]), ...present(node.otherwise)]
    case 'aggregate':
      return [...present(node.term), ...present(node.where)]
    case 'row-number':
      return [...node.within, ...node.orderBy.map(({ by }) => by)]
    case 'windowed':
      return [...(node.of === 'dense-rank' ? [] : [node.of]), ...node.within, ...node.orderBy.map(({ by }) => by)]
    case 'tuple':
      return node.items
    case 'only-value':
      return [node.query]
    case 'column':
    case 'constant':
    case 'parameter':
    case 'star':
    case 'trusted':
    case 'table':
      return []
    default:
      return partsOfRelation(node)
  }
}

function partsOfRelation(node: Exclude<Relation, { kind: 'table' | 'trusted' }>): readonly QueryNode[] {
  switch (node.kind) {
    case 'renamed':
      return [node.relation]
    case 'join':
      return [node.left, node.right, ...('kind' in node.on ? [node.on] : [])]
    case 'each':
      return [node.relation, node.first, node.last, ...present(node.absent)]
    case 'sides':
      return [node.relation, ...node.sides.flat()]
    case 'union':
      return node.queries
    case 'select':
      return [
        ...node.named.map(({ query }) => query),
        ...node.items.map(({ value }) => value),
        ...present(node.from),
        ...present(node.where),
        ...node.groupBy,
        ...node.orderBy.map(({ by }) => by),
      ]
    case 'page':
      return [
        node.groups,
        ...[...node.measured, ...node.totals, ...(node.rest?.items ?? [])].map(({ value }) => value),
        ...present(node.keep),
        ...node.orderBy.map(({ by }) => by),
      ]
  }
}

function present<N>(node: N | null): N[] {
  return node === null ? [] : [node]
}

function isExpression(node: QueryNode): node is Expression {
  return !isRelation(node)
}

function isRelation(node: QueryNode): node is Exclude<Relation, { kind: 'trusted' }> {
  return ['table', 'renamed', 'join', 'each', 'sides', 'select', 'union', 'page'].includes(node.kind)
}
