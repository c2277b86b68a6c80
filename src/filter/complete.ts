/** What can stand at a place of a filter: for the shell and the workbench. */
import type { TokenType } from 'chevrotain'
import { serviceNames } from '../net/ports.ts'
import { utcSeconds } from '../net/time.ts'
import { type FieldRow, flowFields } from '../records/fields.ts'
import type { Side } from './ast.ts'
import { FilterError } from './error.ts'
import { expectedAfter } from './grammar.ts'
import { word } from './print.ts'
import { fieldName, sideWords, type Thing, thingNamed, thingOf, things } from './things.ts'
import type { Token } from './tokens.ts'
import * as t from './tokens.ts'
import { protocolNames } from './values.ts'

export interface CompletionContext {
  /** The columns of the flows. */
  columns: ReadonlySet<string>
  /** Values of a column that begin with a text, the likely ones first. */
  values?: (column: string, begin: string) => readonly string[]
  span?: { first_us: bigint; last_us: bigint }
}

export interface Completion {
  text: string
  kind: 'field' | 'word' | 'sign' | 'value'
  /** A few words on it; empty where the text says all. */
  detail: string
}

export interface Completions {
  /** What the chosen text replaces. */
  from: number
  to: number
  items: Completion[]
}

const most = 200

/** The ways to go on at the cursor, in the order of the grammar; none where the text before it is no beginning of a filter. */
export function complete(text: string, cursor: number, context: CompletionContext): Completions {
  const head = text.slice(0, cursor)
  const begun = beginning(head)
  const none = { from: cursor, to: cursor, items: [] }
  if (begun === null) return none
  const { tokens, from } = begun
  const begin = head.slice(from).replace(/^["']/, '').toLowerCase()
  const types = expectedAfter(tokens)
  const thing = thingBefore(tokens, context)
  const items = types.flatMap(type => offers(type, tokens, thing, begin, context))
  const seen = new Set<string>()
  const fitting = items.filter(item => {
    const fits = item.text.replace(/^"/, '').toLowerCase().startsWith(begin) && !seen.has(item.text)
    seen.add(item.text)
    return fits
  })
  return { from, to: cursor, items: fitting.slice(0, most) }
}

/** The whole tokens before the cursor, and where the word at the cursor begins. */
function beginning(head: string): { tokens: Token[]; from: number } | null {
  const source = { file: null, text: head, folder: '' }
  // What a file puts in stands where a whole filter can.
  const included = (_path: string, place: { offset: number; length: number }) => [
    t.bracket(t.Any, { source, ...place }),
  ]
  try {
    const tokens = t.tokensOf(source, included)
    const last = tokens.at(-1)
    const touched = last !== undefined && last.endOffset === head.length - 1 && /[\p{L}\p{N}]$/u.test(last.image)
    return touched ? { tokens: tokens.slice(0, -1), from: last.startOffset } : { tokens, from: head.length }
  } catch (error) {
    if (!(error instanceof FilterError) || !/^["']/.test(head.slice(error.offset))) return null
    return { tokens: t.tokensOf({ ...source, text: head.slice(0, error.offset) }, included), from: error.offset }
  }
}

/** The thing whose value or comparator is due. */
function thingBefore(tokens: readonly Token[], context: CompletionContext): Thing | null {
  for (let i = tokens.length - 1; i >= 0; i--) {
    const { tokenType, image, value } = tokens[i]!
    const isConnective = tokenType === t.And || tokenType === t.Or || tokenType === t.LParen
    if (isConnective && !tokens.slice(0, i).some(token => token.tokenType === t.Between)) return null
    if (tokenType === t.Between) return thingNamed('first seen')!
    if (tokenType === t.Seen) return thingNamed('first seen')!
    if (tokenType !== t.Word) continue
    const before = tokens[i - 1]
    const two = before === undefined ? undefined : thingNamed(`${before.value} ${value}`)
    const field = fieldName(image, context.columns)
    const thing = two ?? thingNamed(value) ?? (field === null ? undefined : thingOf(field))
    if (thing !== undefined) return thing
  }
  return null
}

function offers(
  type: TokenType,
  tokens: readonly Token[],
  thing: Thing | null,
  begin: string,
  context: CompletionContext,
): Completion[] {
  switch (type) {
    case t.Word:
      return thing === null || !isDue(tokens) ? names(sideBefore(tokens), context) : []
    case t.Value:
    case t.Plain:
      return thing === null ? [] : valuesOf(thing, begin, context)
    case t.Comparator:
      return thing === null ? [] : comparatorsOf(thing)
    case t.AtFile:
      return [{ text: '@', kind: 'sign', detail: 'a file, one value a line' }]
    case t.Quoted:
      return []
    case t.Any:
    case t.All:
    case t.None:
    case t.Only:
      return isDue(tokens) && thing?.kind !== 'flags' ? [] : [asWord(type)]
    case t.Contains:
    case t.Begins:
    case t.Ends:
      return thing?.kind === 'text' ? [asWord(type)] : []
    default:
      return [asWord(type)]
  }
}

function asWord(type: TokenType): Completion {
  const text = type.LABEL ?? type.name
  return { text, kind: /^[a-z]/.test(text) ? 'word' : 'sign', detail: '' }
}

/** Whether the last token is the name of a thing, so that what follows is its form. */
function isDue(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1)?.tokenType
  return last === t.Word || last === t.Seen
}

function sideBefore(tokens: readonly Token[]): Side | 'router' | 'bgpnext' | null {
  const words = new Map<TokenType, Side | 'router' | 'bgpnext'>([
    [t.Src, 'src'],
    [t.Dst, 'dst'],
    [t.In, 'in'],
    [t.Out, 'out'],
    [t.Prev, 'prev'],
    [t.Next, 'next'],
    [t.Router, 'router'],
    [t.BgpNext, 'bgpnext'],
  ])
  const last = tokens.at(-1)
  return last === undefined ? null : (words.get(last.tokenType) ?? null)
}

function names(side: string | null, context: CompletionContext): Completion[] {
  const fitting = things.filter(thing => side === null || thing.sides.some(one => sideWords(one) === side))
  const own = fitting.flatMap(thing =>
    thing.names
      .filter(name => !name.includes(' '))
      .map(text => ({ text, kind: 'field' as const, detail: thing.title })),
  )
  const two = side === null ? [] : things.flatMap(thing => thing.names.filter(name => name === `${side} ip`))
  const ips = two.map(name => ({ text: 'ip', kind: 'field' as const, detail: thingOf(name).title }))
  if (side !== null) return [...own, ...ips]
  const known = flowFields.map(({ name, title }: FieldRow) => ({ text: name, kind: 'field' as const, detail: title }))
  const rest = [...context.columns].filter(name => !name.startsWith('_') && !known.some(field => field.text === name))
  const present = known.filter(field => context.columns.has(field.text))
  return [...own, ...present, ...rest.map(text => ({ text, kind: 'field' as const, detail: thingOf(text).title }))]
}

function comparatorsOf(thing: Thing): Completion[] {
  const ordered =
    thing.kind === 'number' || thing.kind === 'time' || thing.kind === 'duration' || thing.kind === 'protocol'
  const signs = ordered || thing.kind === 'flags' ? ['=', '!=', '<', '<=', '>', '>='] : ['=', '!=']
  return signs.map(text => ({ text, kind: 'sign', detail: '' }))
}

function valuesOf(thing: Thing, begin: string, context: CompletionContext): Completion[] {
  const value = (text: string, detail = ''): Completion => ({ text: word(text), kind: 'value', detail })
  switch (thing.kind) {
    case 'protocol':
      return protocolNames.map(name => value(name))
    case 'choice':
      return thing.words!.map(name => value(name))
    case 'flags':
      return [...'SAFRPUEC'].map(letter => value(letter))
    case 'duration':
      return ['100ms', '1s', '1min', '1h'].map(text => value(text))
    case 'time': {
      const { span } = context
      if (span === undefined) return []
      return [value(utcSeconds(span.first_us), 'the case begins'), value(utcSeconds(span.last_us), 'the case ends')]
    }
    default: {
      if (thing.enriched !== undefined) return []
      // Those of the case's own ports come first.
      const services = thing.names[0] === 'service' && begin !== '' ? [...serviceNames()] : []
      const columns = [...new Set(Object.values(thing.columns).flat())].filter(name => context.columns.has(name))
      const found = columns.flatMap(column => context.values?.(column, begin) ?? [])
      return [...found, ...services.filter(name => name.toLowerCase().startsWith(begin))].map(text => value(text))
    }
  }
}
