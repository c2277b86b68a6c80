/** Tests of a number or a text, whatever it is of. */
import { among, call, compare, equal, inSet, parameter, unknown } from '../query/build.ts'
import type { Comparator as Compared, Expression } from '../query/nodes.ts'
import type { DataType } from '../query/types.ts'
import type { Comparator, Test, Value } from './ast.ts'
import type { Compiling } from './compiling.ts'
import { setOf, type ValueSet } from './set.ts'

/** Longer lists become tables. */
const mostValues = 100

export function testOfText(text: Expression, test: Test, c: Compiling): Expression {
  switch (test.op) {
    case 'text': {
      const name = ({ contains: 'contains', begins: 'begins-with', ends: 'ends-with' } as const)[test.how]
      return call(name, text, parameter(test.text))
    }
    case 'in-set':
      return setHas(text, test.set, c)
    case 'in': {
      const texts = test.values.flatMap(value => (value.type === 'text' ? [value.text] : []))
      if (texts.length > mostValues) return setHas(text, setOf('texts', texts), c)
      return among(
        text,
        texts.map(one => parameter(one)),
      )
    }
    default:
      return equal(text, parameter(test.op === 'compare' && test.value.type === 'text' ? test.value.text : null))
  }
}

export function numberTest(number: Expression, type: DataType, test: Test, c: Compiling): Expression {
  const bound = (value: Value): Expression[] => (value.type === 'number' ? [parameter(value.number, type)] : [])
  if (test.op === 'in-set') return setHas(number, test.set, c)
  if (test.op === 'in') {
    if (test.values.length <= mostValues) return among(number, test.values.flatMap(bound))
    const numbers = test.values.flatMap(value => (value.type === 'number' ? [value.number] : []))
    return setHas(number, setOf('numbers', numbers), c)
  }
  if (test.op !== 'compare') return unknown('boolean')
  return compare(comparatorOf(test.comparator), number, bound(test.value)[0]!)
}

function setHas(value: Expression, set: ValueSet, c: Compiling): Expression {
  c.sets.set(set.table, set)
  return inSet(value, set)
}

export function comparatorOf(comparator: Comparator): Compared {
  return comparator === '!=' ? '<>' : comparator
}
