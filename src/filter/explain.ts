import { flagNames } from '../net/tcp-flags.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import type { Filter, FlagMode, Node, Side, Test, TestNode, Value } from './ast.ts'
import { oneOf } from './error.ts'
import { printedValue } from './print.ts'
import { setWords } from './set.ts'
import { type Thing, thingOf } from './things.ts'

/** What a filter means, as one English sentence. It holds the user's text; whoever shows it makes it visible. */
export function explain(filter: Filter): string {
  const { ast, nfdump } = filter
  if (ast.kind === 'any') return 'All flow records.'
  const clause = clauseOf(ast, false, { nfdump, odd: false, within: null })
  return `Flow records where ${clause}${nfdump ? ', as nfdump 1.7.1 takes it' : ''}.`
}

interface Around {
  nfdump: boolean
  /** Whether an odd number of `not` is around. */
  odd: boolean
  /** The connective around, for which another needs brackets. */
  within: 'and' | 'or' | null
}

function clauseOf(node: Node, negated: boolean, around: Around): string {
  switch (node.kind) {
    case 'any':
      return negated ? 'nothing holds' : 'anything holds'
    case 'not':
      return clauseOf(node.node, !negated, { ...around, odd: !around.odd })
    case 'and':
    case 'or': {
      const inner = { ...around, within: node.kind }
      const text = node.nodes.map(one => clauseOf(one, false, inner)).join(` ${node.kind} `)
      if (negated) return `it is not so that (${text})`
      return around.within === null ? text : `(${text})`
    }
    case 'between':
      return underWay(`between ${utcSeconds(node.from_us)} and ${utcSeconds(node.to_us)}`, negated)
    case 'edge':
      return underWay(`in the ${node.edge} ${durationWords(Number(node.us) / 1e6)} of the case`, negated)
    default:
      return testClause(node, negated, around)
  }
}

function underWay(when: string, negated: boolean): string {
  return `the flow was ${negated ? 'not ' : ''}under way ${when}`
}

function testClause({ thing: name, side, test }: TestNode, negated: boolean, around: Around): string {
  const thing = thingOf(name)
  if (test.op === 'flags') {
    const mode = around.nfdump && around.odd && test.mode === 'all' ? 'any' : test.mode
    return `the flow is ${negated ? 'not ' : ''}TCP with ${flagWords(mode, test.bits)} set`
  }
  if (thing.kind === 'holds' && side === 'whole') return `${negated ? 'not ' : ''}${thing.title}`
  const turned =
    (test.op === 'compare' && test.comparator === '!=') || ((test.op === 'in' || test.op === 'in-set') && test.negated)
  const no = negated !== turned
  const implied = thing.names[0] === 'icmp-type' || thing.names[0] === 'icmp-code' ? 'the flow is ICMP and ' : ''
  const clause = `${implied}${subject(thing, side, no && implied === '')} ${predicate(thing, side, test, no && implied === '')}`
  return implied !== '' && no ? `it is not so that (${clause})` : clause
}

/** The subject of a clause, with what negates it where two ends are asked. */
function subject(thing: Thing, side: Side, negated: boolean): string {
  const title = thing.kind === 'holds' || thing.enriched === 'list' ? 'address' : thing.title
  if (side === 'whole' || (side === 'in' && thing.side === 'in')) return `the ${title}`
  if (side === 'out' && thing.side === 'in') return `the ${title} of the way back`
  const [one, other] = thing.sides.includes('src') ? ['source', 'destination'] : ['incoming', 'outgoing']
  if (side === 'either')
    return negated ? `neither the ${one} nor the ${other} ${title}` : `the ${one} or ${other} ${title}`
  if (side === 'both')
    return negated ? `not both the ${one} and the ${other} ${title}` : `both the ${one} and the ${other} ${title}`
  const words = { src: one, dst: other, in: one, out: other, prev: 'previous', next: 'next' }[side]
  return `the ${words} ${title}`
}

function predicate(thing: Thing, side: Side, test: Test, negated: boolean): string {
  const plural = side === 'both' || thing.title.endsWith('flags')
  // Of two ends the subject says "neither" or "not both".
  const no = negated && side !== 'either' && side !== 'both' ? ' not' : ''
  const is = `${plural ? 'are' : 'is'}${no}`
  if (thing.enriched === 'list') return `${is} ${onList(thing, test)}`
  switch (test.op) {
    case 'holds':
      return `${is} ${thing.title}`
    case 'known':
      return `${is} ${test.known ? 'known' : 'unknown'}`
    case 'in':
      return `${is} ${listWords(thing, test.values)}`
    case 'in-set':
      return `${is} among ${setWords(test.set)}`
    case 'text':
      return `${no === '' ? { contains: 'contains', begins: 'begins with', ends: 'ends with' }[test.how] : `does not ${textVerbs[test.how]}`} ${JSON.stringify(test.text)}`
    case 'compare':
      return `${is} ${order(thing, test.comparator)}${valueWords(thing, test.value)}`
    default:
      return ''
  }
}

/** `on the list "tor-exits" at that time`. */
function onList(thing: Thing, test: Test): string {
  switch (test.op) {
    case 'known':
      return `on ${test.known ? 'a list' : 'no list'} at that time`
    case 'in':
      return `on the list ${listWords(thing, test.values).replace(/^one of /, '')} at that time`
    case 'in-set':
      return `on a list among ${setWords(test.set)} at that time`
    case 'text':
      return `on a list whose name ${{ contains: 'contains', begins: 'begins with', ends: 'ends with' }[test.how]} ${JSON.stringify(test.text)} at that time`
    case 'compare':
      return `on the list ${valueWords(thing, test.value)} at that time`
    default:
      return ''
  }
}

const textVerbs = { contains: 'contain', begins: 'begin with', ends: 'end with' }

function order(thing: Thing, comparator: string): string {
  const time = thing.kind === 'time'
  const words: Record<string, string> = {
    '<': time ? 'before ' : 'less than ',
    '<=': time ? 'not after ' : 'at most ',
    '>': time ? 'after ' : 'more than ',
    '>=': time ? 'not before ' : 'at least ',
  }
  return words[comparator] ?? ''
}

const mostNamed = 8

function listWords(thing: Thing, values: readonly Value[]): string {
  if (values.length === 1) return valueWords(thing, values[0]!)
  const nets = values.some(value => value.type === 'prefix' && value.prefix.text.includes('/'))
  const words = values.slice(0, mostNamed).map(value => valueWords(thing, value).replace(/^in /, ''))
  const rest = values.length - mostNamed
  return `${nets ? 'in' : 'one of'} ${oneOf(rest > 0 ? [...words, `${rest.toLocaleString('en-US')} more`] : words)}`
}

function valueWords(thing: Thing, value: Value): string {
  switch (value.type) {
    case 'prefix':
      return value.prefix.text.includes('/') ? `in ${value.prefix.text}` : value.prefix.text
    case 'number':
      if (thing.kind === 'duration')
        return value.number < 1000n ? `${value.number} ms` : durationWords(Number(value.number) / 1000)
      if (thing.kind === 'protocol') return printedValue(thing, value).toUpperCase()
      return thing.counts ? value.number.toLocaleString('en-US') : String(value.number)
    case 'text':
      return thing.kind === 'choice' ? value.text : JSON.stringify(value.text)
    default:
      return utcSeconds(value.us)
  }
}

function flagWords(mode: FlagMode, bits: number): string {
  const names = flagNames(bits)
  const all = names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return { all, any: oneOf(names), none: `none of ${all}`, only: `exactly ${all}` }[mode]
}
