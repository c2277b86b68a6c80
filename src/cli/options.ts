import { parsePrefix } from '../net/prefix.ts'
import { InvalidArgumentError } from './commander.ts'

/** What every command has. */
export interface CommonOptions {
  case: string
  color: boolean
  /** False with --no-pager. */
  pager: boolean
  json?: true
}

/** What every command has that reads evidence. */
export interface ReadingOptions {
  format?: string
  /** Names in `format` that are no field of a flow log are taken. */
  formatUnknown?: true
  /** Most bytes out of a compressed file per byte in. */
  maxExpand?: number
  /** Most bytes out of one compressed file. */
  maxExpanded?: number
  workers?: number
  keepCopies?: true
}

/** The reading options as `addEvidence` calls them. */
export function readingOptions(options: ReadingOptions) {
  return {
    ...(options.format !== undefined && { format: options.format }),
    ...(options.formatUnknown && { formatUnknown: true }),
    ...(options.maxExpand !== undefined && { maxExpandRatio: options.maxExpand }),
    ...(options.maxExpanded !== undefined && { maxExpandedBytes: options.maxExpanded }),
    ...(options.workers !== undefined && { workers: options.workers }),
    ...(options.keepCopies && { keepCopies: true }),
  }
}

/** The name of a folder: anything but nothing, which a variable that is not set would give. */
export function parseFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected the name of a folder.')
  return text
}

/** A whole number from 1, also as `500k` or `10M` (thousands and millions). */
export function parseCount(text: string): number {
  return scaled(
    text,
    /^(\d[\d_,]*)([kM]?)$/,
    { k: 1e3, M: 1e6 },
    'Expected a whole number from 1, like 1000, 500k or 10M',
  )
}

/** Bytes, also as `500M` or `10G` (powers of 1024). */
export function parseSize(text: string): number {
  const units = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }
  return scaled(text, /^(\d+)([KMGT]?)(?:i?B)?$/i, units, 'Expected a size in bytes, like 500M or 10G')
}

/** A width of time, with a unit; `m` is minutes here. */
export function parseWidth(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|m|min|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * ({ ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0)
  if (!(ms > 0)) throw new InvalidArgumentError('Expected a width with a unit, like 30s, 1m, 5m or 1h.')
  return ms
}

/** A time span, like `2s`, `5m` or `30d`, in milliseconds. */
export function parseSpan(text: string): number {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? []
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit]
  const span = factor === undefined ? Number.NaN : Number(number) * factor
  if (!(span >= 1 && span <= 3_650 * 86_400_000))
    throw new InvalidArgumentError('Expected a time span, like 30s, 5m, 12h or 30d.')
  return span
}

/** A ratio from 1, like `1000` or `2.5`. */
export function parseRatio(text: string): number {
  const ratio = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(ratio >= 1)) throw new InvalidArgumentError('Expected a number from 1.')
  return ratio
}

/** A seed: a whole number from 0 to 2^32 - 1. */
export function parseSeed(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(seed < 2 ** 32)) throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.')
  return seed
}

/** Port numbers and ranges, like `22,80,8000-8100`; sorted, each once. */
export function parsePorts(text: string): number[] {
  const ports = new Set<number>()
  for (const part of text.split(',').filter(part => part.trim() !== '')) {
    const [, first, last] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? []
    const [from, to] = [Number(first), Number(last ?? first)]
    if (!(from <= to && to <= 65_535)) throw new InvalidArgumentError('Expected port numbers, like 22,80,8000-8100.')
    for (let port = from; port <= to; port++) ports.add(port)
  }
  return [...ports].sort((a, b) => a - b)
}

/** Adds one text to those given before. */
export function collectText(text: string, before: string[] = []): string[] {
  return [...before, text]
}

/** Adds one network to those given before. */
export function collectPrefix(text: string, before: string[] = []): string[] {
  const prefix = parsePrefix(text)
  if (prefix === null) throw new InvalidArgumentError('Expected an address or network, like 203.0.113.0/24.')
  return [...before, prefix.text]
}

function scaled(text: string, form: RegExp, units: Record<string, number>, expected: string): number {
  const [, digits, unit] = form.exec(text) ?? []
  const factor = unit ? (units[unit] ?? units[unit.toUpperCase()] ?? 1) : 1
  const value = digits === undefined ? Number.NaN : Number(digits.replace(/[_,]/g, '')) * factor
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new InvalidArgumentError(`${expected}.`)
  return value
}
