import { utcSeconds } from '../net/time.ts'
import type { Comparator, Node, Test, TestNode, Value } from './ast.ts'
import { sideWords, type Thing, thingOf } from './things.ts'
import { reservedWords } from './tokens.ts'
import { flagLetters, protocolText, scaled, spanText } from './values.ts'

/**
 * Writes a filter in its one canonical form: reading that form gives the same filter, and printing it the same text.
 *
 * Times come out in UTC; sets from files by the name of the file; files that were included in full.
 */
export function print(node: Node): string {
  return printed(node, 0)
}

/** Binding strength of what is around: 0 nothing or `or`, 1 `and`, 2 `not`. */
function printed(node: Node, around: number): string {
  switch (node.kind) {
    case 'any':
      return 'any'
    case 'and':
    case 'or': {
      const own = node.kind === 'and' ? 1 : 0
      const text = node.nodes.map(one => printed(one, one.kind === node.kind ? 2 : own)).join(` ${node.kind} `)
      return around > own ? `(${text})` : text
    }
    case 'not':
      return `not ${printed(node.node, 2)}`
    case 'between':
      return `between ${utcSeconds(node.from_us)} and ${utcSeconds(node.to_us)}`
    case 'edge':
      return `${node.edge} ${spanText(node.us / 1000n)} of case`
    default:
      return printedTest(node)
  }
}

function printedTest({ thing: name, side, test }: TestNode): string {
  const thing = thingOf(name)
  const before = side === thing.side ? '' : `${sideWords(side)} `
  return `${before}${name}${printedForm(thing, test)}`
}

function printedForm(thing: Thing, test: Test): string {
  switch (test.op) {
    case 'holds':
      return ''
    case 'compare':
      return `${sign(thing, test.comparator)} ${printedValue(thing, test.value)}`
    case 'in': {
      const values = test.values.map(value => printedValue(thing, value))
      return ` ${test.negated ? 'not in' : 'in'} [${values.join(' ')}]`
    }
    case 'in-set':
      return ` ${test.negated ? 'not in' : 'in'} file "${test.set.path?.replace(/["\\]/g, '\\$&')}"`
    case 'known':
      return test.known ? ' is known' : ' is unknown'
    case 'text':
      return ` ${test.how} ${word(test.text)}`
    default:
      return `${test.mode === 'all' ? '' : ` ${test.mode}`} ${flagLetters(test.bits)}`
  }
}

/** Kinds of nfdump's that are written without `=`. */
const shortKinds = new Set(['address', 'protocol', 'choice', 'flags'])

function sign(thing: Thing, comparator: Comparator): string {
  const short = shortKinds.has(thing.kind) || (thing.kind === 'number' && !thing.counts && thing.nfdump)
  return comparator === '=' && short ? '' : ` ${comparator}`
}

export function printedValue(thing: Thing, value: Value): string {
  switch (value.type) {
    case 'prefix':
      return value.prefix.text
    case 'time':
      return utcSeconds(value.us)
    case 'text':
      return word(value.text)
    default:
      if (thing.kind === 'protocol') return protocolText(value.number)
      if (thing.kind === 'duration') return spanText(value.number)
      return thing.counts ? scaled(value.number) : String(value.number)
  }
}

/** The text as a word of a filter, within quotes unless it is one by itself. */
export function word(text: string): string {
  const plain =
    /^[\p{L}\p{N}_:.][\p{L}\p{M}\p{N}_:.\-/+%*@$~]*$/u.test(text) && !reservedWords.includes(text.toLowerCase())
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}
