import { errorText, UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { parsePrefix } from '../net/prefix.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import type { Refusal } from './gate.ts'
import type { Failure } from './protocol.ts'
import { viewNames } from './schema.ts'

/** A refusal of the gate as it is sent. */
export function refusalFailure(refusal: Refusal): Failure {
  const suggestion = refusal.name === undefined ? null : nearest(refusal.name, refusal.choices ?? [])
  const isView = refusal.choices?.includes('flows') === true
  const hint = refusal.hint ?? (isView ? `views: ${viewNames.join(', ')}` : undefined)
  return {
    kind: 'query',
    message: refusal.message,
    ...(hint !== undefined && { hint }),
    ...(suggestion !== null && suggestion !== refusal.name && { suggestion }),
    ...(refusal.position !== null && { position: refusal.position }),
  }
}

const memory = /^Out of Memory$/i
const ofTheCase = new Set(['IO', 'Permission'])

/** What DuckDB says of a query, with no path of the case in it. `errors_as_json` is set. */
export function failureOf(error: unknown, caseDir: string): Failure {
  if (error instanceof UserError) {
    return {
      kind: 'case',
      message: withoutPaths(error.message, caseDir),
      ...(error.hint !== undefined && { hint: error.hint }),
    }
  }
  const text = errorText(error)
  if (error instanceof RangeError || /allocation fail|bad_alloc|longer than 0x/i.test(text)) {
    return { kind: 'memory', message: 'out of memory' }
  }
  const found = parsed(text)
  const system = found === null ? systemFailure(error) : null
  if (system !== null) return { kind: 'case', message: withoutPaths(failureLine(system), caseDir), hint: system.hint }
  if (found === null) return { kind: 'query', message: withoutPaths(text, caseDir) }
  const { exception_type: type = '', exception_message: message = text, position, name, candidates } = found
  if (memory.test(type)) return { kind: 'memory', message: withoutPaths(message, caseDir) }
  const compared = comparedWithAddress(message)
  const place = position !== undefined && /^\d{1,9}$/.test(position) ? { position: Number(position) } : {}
  if (compared !== null) return { kind: 'query', ...compared, ...place }
  const [what = '', ...rest] = message.split('\n').filter(line => line.trim() !== '')
  const near = (candidates ?? '')
    .split(',')
    .map(columnName)
    .filter(candidate => candidate !== '')
  const isColumn = found['error_subtype'] === 'COLUMN_NOT_FOUND' && name !== undefined
  const suggestion = name === undefined ? null : nearest(name, near)
  const hint = suggestion === null ? hintIn(type, rest, isColumn ? near : []) : undefined
  return {
    kind: type === 'INTERNAL' || type === 'FATAL' ? 'fault' : ofTheCase.has(type) ? 'case' : 'query',
    message: isColumn ? `no such column: ${name}` : withoutPaths(what.trim(), caseDir),
    ...(hint !== undefined && { hint: withoutPaths(hint, caseDir) }),
    ...(suggestion !== null && suggestion !== name && { suggestion }),
    ...place,
  }
}

/** Addresses are kept as numbers: a text is not one by itself. Null for another error. */
function comparedWithAddress(message: string): Pick<Failure, 'message' | 'hint'> | null {
  const text = /with value '([^']*)' can't be cast to the destination type STRUCT\(hi UBIGINT, lo UBIGINT\)/.exec(
    message,
  )?.[1]
  if (text !== undefined) {
    const prefix = parsePrefix(text)
    const isNet = prefix !== null && text.includes('/')
    const hint = isNet ? `write in_net(srcaddr, '${prefix.text}')` : `write addr('${prefix?.text ?? '203.0.113.7'}')`
    return { message: `a text where an address is compared: '${text}'`, hint }
  }
  if (!/No function matches/.test(message) || !/STRUCT\(hi UBIGINT, lo UBIGINT\)/.test(message)) return null
  const name = /types '([^(']+)\(/.exec(message)?.[1] ?? ''
  return {
    message: `an address is no text: ${name.replace('~~', 'LIKE')}`,
    hint: "ip(srcaddr) is its text, as in ip(srcaddr) LIKE '10.%'; networks are in_net(srcaddr, '10.0.0.0/8')",
  }
}

function columnName(candidate: string): string {
  return candidate.trim().split('.').at(-1)!.replaceAll('"', '')
}

function hintIn(type: string, lines: readonly string[], near: readonly string[]): string | undefined {
  if (ofTheCase.has(type)) return 'tidemark verify checks the case'
  if (near.length > 0) return `columns with a similar name: ${near.join(', ')}`
  const useful = lines.map(line => line.trim()).filter(line => !/^LINE \d+:|^\^$/.test(line))
  return useful.length === 0 ? undefined : useful.slice(0, 6).join(' ')
}

function parsed(text: string): Record<string, string | undefined> | null {
  const from = text.indexOf('{"exception_type"')
  if (from < 0) return null
  try {
    return JSON.parse(text.slice(from)) as Record<string, string>
  } catch {
    return null
  }
}

/** Nobody is told where the case lies, not even the one who asks: what is printed may be passed on. */
export function withoutPaths(text: string, caseDir: string): string {
  return text.replaceAll(caseDir, '…')
}
