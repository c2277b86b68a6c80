/** Expressions over the rows of one relation as expressions over those of another. */
import { call, cast, choose, compare, not } from './build.ts'
import type { Expression } from './nodes.ts'

/**
 * The same computation over other rows.
 *
 * @param told what stands there for a part; null where nothing does.
 * @returns null where a column or an aggregate of the first rows is left.
 */
export function rewritten(node: Expression, told: (part: Expression) => Expression | null): Expression | null {
  const found = told(node)
  if (found !== null) return found
  const of = (parts: readonly Expression[]): Expression[] | null => {
    const all = parts.map(part => rewritten(part, told))
    return all.every(part => part !== null) ? all : null
  }
  switch (node.kind) {
    case 'constant':
    case 'parameter':
      return node
    case 'comparison': {
      const parts = of([node.left, node.right])
      return parts === null ? null : compare(node.comparator, parts[0]!, parts[1]!)
    }
    case 'not': {
      const parts = of([node.term])
      return parts === null ? null : not(parts[0]!)
    }
    case 'cast': {
      const parts = of([node.term])
      return parts === null ? null : cast(parts[0]!, node.type)
    }
    case 'call': {
      const parts = of(node.args)
      return parts === null ? null : call(node.name, ...parts)
    }
    case 'case': {
      const whens = of(node.branches.map(({ when }) => when))
      const thens = of(node.branches.map(({ then }) => then))
      const otherwise = node.otherwise === null ? [] : of([node.otherwise])
      if (whens === null || thens === null || otherwise === null) return null
      return choose(
        whens.map((when, i) => [when, thens[i]!] as const),
        otherwise[0] ?? null,
      )
    }
    default:
      return null
  }
}
