/** Networks of one's own: what they are called, whether they are internal, and what they are there for. */
import { exitStatus, UserError } from '../errors.ts'
import { cellsOf } from '../input/cells.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { PrefixRows, type PrefixTable } from '../net/prefix-table.ts'
import type { EnrichmentFile, EnrichmentProblem } from './enrichment-file.ts'
import { parsed } from './list-json.ts'
import { Problems, readSource, shortened } from './source-file.ts'

/** Scans on purpose; administers others; stands for others, as NAT does. */
export const networkRoles = ['scanner', 'administration', 'translator'] as const
export type NetworkRole = (typeof networkRoles)[number]

export interface Network {
  prefix: string
  name: string | null
  /** Whether it is one of one's own, as `--internal` says it. */
  internal: boolean
  roles: readonly NetworkRole[]
}

export interface Networks {
  file: EnrichmentFile
  problems: EnrichmentProblem[]
  /** Those that are internal. */
  internal: readonly Prefix[]
  /** The networks that hold an address, the smallest first. */
  find(hi: bigint, lo: bigint): Network[]
}

const columns = ['prefix', 'name', 'internal', 'role', ...networkRoles] as const
type Column = (typeof columns)[number]
type Cells = Partial<Record<Column, string>>

/** @throws UserError where the file cannot be read, or has no column of prefixes. */
export function readNetworks(path: string): Networks {
  const { bytes, sha256 } = readSource(path, 'networks', 16)
  const problems = new Problems(path)
  const isJson = /^\s*[[{]/.test(bytes.toString('utf8', 0, 256).replace(/^\uFEFF/, ''))
  const rows = isJson ? jsonRows(path, bytes, problems) : tableRows(path, bytes)
  const networks: Network[] = []
  const prefixes = new PrefixRows()
  const internal: Prefix[] = []
  for (const { cells, line, object } of rows) {
    const read = networkOf(cells)
    if (typeof read === 'string') {
      problems.add(object === undefined ? read : `${object}: ${read}`, line)
      continue
    }
    prefixes.addRange(read.prefix, networks.push(read.network) - 1)
    if (read.network.internal) internal.push(read.prefix)
  }
  const file: EnrichmentFile = {
    ...{ path, kind: 'networks', sha256, entries: networks.length, from: null, to: null, dated: null, left_out: {} },
  }
  return { file, problems: problems.list(), internal, find: finder(prefixes.table(), networks) }
}

function finder(table: PrefixTable, networks: readonly Network[]): Networks['find'] {
  return (hi, lo) => {
    const found: Network[] = []
    for (let row = table.find(hi, lo); row >= 0; row = table.around(row)) found.push(networks[table.id(row)]!)
    return found
  }
}

interface Row {
  cells: Cells
  line?: number
  /** What it is called where the file has no lines. */
  object?: string
}

function tableRows(path: string, bytes: Buffer): Row[] {
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((text, i) => ({ text, line: i + 1 }))
    .filter(({ text }) => text.trim() !== '' && !/^\s*#/.test(text))
  const header = lines[0]
  if (header === undefined) return []
  const separator = header.text.includes('\t') ? '\t' : header.text.includes(';') ? ';' : ','
  const titles = cellsOf(header.text, separator).map(title => title.toLowerCase().trim())
  const unknown = titles.filter(title => !(columns as readonly string[]).includes(title))
  if (!titles.includes('prefix') || unknown.length > 0) {
    const what = titles.includes('prefix') ? `unknown column: ${shortened(unknown[0]!)}` : 'no column prefix'
    throw new UserError(`--networks ${path}: ${what}`, { hint: usage, status: exitStatus.usage })
  }
  return lines.slice(1).map(({ text, line }) => {
    const cells = cellsOf(text, separator)
    return { cells: Object.fromEntries(titles.map((title, i) => [title, cells[i] ?? ''])), line }
  })
}

const usage = `the first line names the columns: prefix, and any of ${columns.slice(1).join(', ')}`

/** An array of objects, `{"prefix": "10.0.0.0/8", "name": "office", "internal": true, "role": "scanner"}`. */
function jsonRows(path: string, bytes: Buffer, problems: Problems): Row[] {
  const json = parsed(`--networks ${path}`, bytes)
  const list = typeof json === 'object' && json !== null && 'networks' in json ? json.networks : json
  if (!Array.isArray(list)) {
    throw new UserError(`--networks ${path}: not a list of networks`, {
      hint: 'JSON is a list of objects: [{"prefix": "10.0.0.0/8", "name": "office", "internal": true}]',
    })
  }
  return list.flatMap((one: unknown, i): Row[] => {
    const isObject = typeof one === 'object' && one !== null && !Array.isArray(one)
    const strange = isObject ? Object.keys(one).find(key => !(columns as readonly string[]).includes(key)) : undefined
    const object = `network ${i + 1}`
    if (isObject && strange === undefined)
      return [{ cells: Object.fromEntries(Object.entries(one).map(([key, value]) => [key, cellOf(value)])), object }]
    problems.add(`${object}: ${isObject ? `unknown part: ${shortened(strange!)}` : 'not an object'}`)
    return []
  })
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.map(String).join(' ') : String(value)
}

/** A row as a network, or what is wrong with it. */
function networkOf(cells: Cells): { network: Network; prefix: Prefix } | string {
  const prefix = parsePrefix((cells.prefix ?? '').trim())
  if (prefix === null) return `not a prefix: ${shortened(cells.prefix ?? '')}`
  const roles = new Set<NetworkRole>()
  for (const word of (cells.role ?? '').split(/[\s,+|]+/).filter(one => one !== '')) {
    const role = networkRoles.find(one => one === word.toLowerCase())
    if (role === undefined) return `unknown role: ${shortened(word)} (it is ${networkRoles.join(', ')})`
    roles.add(role)
  }
  const yes: Partial<Record<Column, boolean>> = {}
  for (const name of ['internal', ...networkRoles] as const) {
    const word = (cells[name] ?? '').trim().toLowerCase()
    if (!/^(?:|yes|y|true|1|no|n|false|0)$/.test(word)) return `${name} is yes or no, not ${shortened(word)}`
    yes[name] = /^(?:yes|y|true|1)$/.test(word)
  }
  for (const role of networkRoles) if (yes[role]) roles.add(role)
  const name = (cells.name ?? '').trim()
  const network: Network = {
    prefix: prefix.text,
    name: name === '' ? null : name,
    internal: yes.internal === true,
    roles: networkRoles.filter(role => roles.has(role)),
  }
  return { network, prefix }
}
