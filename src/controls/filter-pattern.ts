/**
 * Filter patterns of CloudWatch Logs for space-delimited events: `[version, account, dstport = 22 || dstport = 3389, ..., status]` (Amazon
 * CloudWatch Logs User Guide, "Filter pattern syntax", "Match terms in space-delimited log events"). Read and evaluated as it documents them.
 *
 * Regular expressions (`%…%`), parentheses, more than one ellipsis, and conditions on another field than that in whose place they stand are refused.
 */

/** AWS: the longest pattern of a metric filter, in characters. */
export const patternLengthMax = 1024

export type Operator = '=' | '!=' | '<' | '>' | '<=' | '>='

interface Term {
  operator: Operator
  value: string
  /** It stood in quotation marks: no number, and an asterisk is one. */
  isQuoted: boolean
}

export interface PatternField {
  /** Null: the pattern gives it none, as after the last comma of `[a, b,]`. */
  name: string | null
  /** Alternatives, each of terms that must all hold; empty: any value. */
  anyOf: readonly (readonly Term[])[]
}

export interface FilterPattern {
  fields: readonly PatternField[]
  /** How many fields stand before the ellipsis; null: there is none. */
  ellipsis: number | null
}

/** A pattern that is no sound one: the message says what is wrong. */
export class PatternFault extends Error {}

/** @throws PatternFault */
export function parsePattern(text: string): FilterPattern {
  if (text.length > patternLengthMax)
    throw new PatternFault(`it has ${text.length} characters, and CloudWatch takes ${patternLengthMax}`)
  const inner = /^\s*\[([\s\S]*)\]\s*$/.exec(text)?.[1]
  if (inner === undefined) throw new PatternFault('it does not stand in square brackets')
  const fields: PatternField[] = []
  let ellipsis: number | null = null
  for (const part of inner.trim() === '' ? [] : split(inner, ',')) {
    if (part.trim() === '...') {
      if (ellipsis !== null) throw new PatternFault('it has more than one ellipsis')
      ellipsis = fields.length
    } else fields.push(fieldOf(part))
  }
  const names = fields.flatMap(({ name }) => name ?? [])
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new PatternFault(`it names ${twice} twice`)
  return { fields, ellipsis }
}

const comparison = /^\s*([A-Za-z_]\w*)\s*(!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|([^\s"=<>!&|()%]+))\s*$/

function fieldOf(text: string): PatternField {
  const plain = /^\s*([A-Za-z_]\w*)?\s*$/.exec(text)
  if (plain !== null) return { name: plain[1] ?? null, anyOf: [] }
  let name: string | null = null
  const anyOf = split(text, '||').map(all =>
    split(all, '&&').map((one): Term => {
      const match = comparison.exec(one)
      if (match === null) throw new PatternFault(`this is no comparison: ${one.trim()}`)
      name ??= match[1]!
      if (match[1] !== name) throw new PatternFault(`a condition of ${name} is about ${match[1]}`)
      const value = match[3] ?? match[4]!
      const operator = match[2] as Operator
      if (isOrder(operator) && (match[3] !== undefined || numberOf(value) === null))
        throw new PatternFault(`${operator} compares numbers, and this is not a number: ${value}`)
      return { operator, value, isQuoted: match[3] !== undefined }
    }),
  )
  return { name: name!, anyOf }
}

function isOrder(operator: Operator): boolean {
  return operator !== '=' && operator !== '!='
}

/** Cut where the sign stands outside quotation marks. @throws PatternFault where these are not closed. */
function split(text: string, sign: '||' | '&&' | ','): string[] {
  const cut: string[] = []
  let from = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted
    else if (!isQuoted && text.startsWith(sign, i)) {
      cut.push(text.slice(from, i))
      from = i + sign.length
      i = from - 1
    }
  }
  if (isQuoted) throw new PatternFault('a quotation mark is not closed')
  return [...cut, text.slice(from)]
}

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function numberOf(text: string): number | null {
  return numberForm.test(text) ? Number(text) : null
}

/** Whether a field's condition holds for a value. */
export function holds({ anyOf }: PatternField, value: string): boolean {
  return anyOf.length === 0 || anyOf.some(all => all.every(term => termHolds(term, value)))
}

function termHolds({ operator, value, isQuoted }: Term, found: string): boolean {
  const number = isQuoted ? null : numberOf(value)
  if (isOrder(operator)) {
    const said = numberOf(found)
    if (said === null || number === null) return false
    if (operator === '<') return said < number
    if (operator === '>') return said > number
    return operator === '<=' ? said <= number : said >= number
  }
  const isEqual = isQuoted
    ? found === value
    : number === null
      ? fits(value, found)
      : (numberOf(found) ?? Number.NaN) === number
  return isEqual === (operator === '=')
}

/** An asterisk at the begin or the end stands for any text; elsewhere for itself. */
function fits(value: string, found: string): boolean {
  if (value === '*') return true
  const [head, tail] = [value.startsWith('*'), value.endsWith('*')]
  const text = value.slice(head ? 1 : 0, tail ? -1 : undefined)
  if (head && tail) return found.includes(text)
  if (head) return found.endsWith(text)
  return tail ? found.startsWith(text) : found === text
}

/** The fields of an event: what stands between spaces; what stands in square brackets, or in quotation marks, is one. */
export function fieldsOfEvent(event: string): string[] {
  const found = event.matchAll(/\[([^\]]*)\](?=\s|$)|"([^"]*)"(?=\s|$)|(\S+)/g)
  return [...found].map(match => match[1] ?? match[2] ?? match[3]!)
}

/**
 * What an event that matches gives: values by the names of fields (`$bytes`) and by their places (`$1`). Null: it does not match.
 *
 * Without an ellipsis the last field takes what is left of the event, as in AWS's `[w1=ERROR, w2]`.
 */
export function extract({ fields, ellipsis }: FilterPattern, event: string): Map<string, string> | null {
  const values = fieldsOfEvent(event)
  if (values.length < fields.length) return null
  const found = new Map<string, string>()
  const skipped = values.length - fields.length
  for (const [at, field] of fields.entries()) {
    const place = ellipsis !== null && at >= ellipsis ? at + skipped : at
    const isRest = ellipsis === null && at === fields.length - 1
    const value = isRest ? values.slice(place).join(' ') : values[place]!
    if (!holds(field, value)) return null
    if (field.name !== null) found.set(`$${field.name}`, value)
  }
  for (const [at, value] of values.entries()) found.set(`$${at + 1}`, value)
  return found
}

/** A pattern for an order of fields. */
interface PatternPlan {
  /** Every field of the event, in order, as AWS spells them. */
  fields: readonly string[]
  /** What must hold of some of them, after their names as the pattern has them: `dstport!=80 && dstport!=443`. */
  conditions: ReadonlyMap<string, string>
  /** Fields whose value is wanted. */
  wanted: readonly string[]
}

/** A field's name in patterns, which take letters, digits and underscores. */
export function patternName(field: string): string {
  return field.replaceAll('-', '_')
}

/**
 * The text of a pattern: every field by its name, or, where that is too long, the longest stretch of fields that nothing is asked of as an
 * ellipsis. Null where even that is too long.
 */
export function writePattern({ fields, conditions, wanted }: PatternPlan): string | null {
  const isAsked = fields.map(field => conditions.has(field) || wanted.includes(field))
  const texts = fields.map(field => conditions.get(field) ?? patternName(field))
  const whole = `[${texts.join(', ')}]`
  if (whole.length <= patternLengthMax) return whole
  let best = { from: 0, to: 0 }
  for (let from = 0; from < fields.length; from++) {
    let to = from
    while (to < fields.length && !isAsked[to]) to++
    if (to - from > best.to - best.from) best = { from, to }
  }
  const short = texts.map((text, at) => (isAsked[at] ? text : `f${at + 1}`))
  const cut = `[${[...short.slice(0, best.from), '...', ...short.slice(best.to)].join(', ')}]`
  return best.to > best.from && cut.length <= patternLengthMax ? cut : null
}
