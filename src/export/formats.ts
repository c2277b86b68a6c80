/** The formats of an export, and what each can hold. Nothing heavy is loaded here. */
import type { DetectOptions } from '../detect/detect.ts'
import type { FileName } from '../disk/output.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { Notes } from '../report/case-report/notes.ts'
import type { AddressChange } from './addresses.ts'

export type ExportFormat = 'ocsf' | 'ecs' | 'stix' | 'sigma' | 'guardduty' | 'csv' | 'ndjson' | 'conn-log'

export type ExportKind = 'records' | 'connections' | 'findings' | 'all'
export type OneKind = Exclude<ExportKind, 'all'>

/** What a format can hold, the default first. `all`: several kinds in one output. */
const holds: Record<ExportFormat, readonly ExportKind[]> = {
  ocsf: ['connections', 'findings', 'records', 'all'],
  ecs: ['connections', 'findings', 'records', 'all'],
  stix: ['findings', 'connections', 'all'],
  sigma: ['findings'],
  guardduty: ['findings'],
  csv: ['connections', 'findings', 'records'],
  ndjson: ['connections', 'findings', 'records', 'all'],
  'conn-log': ['connections'],
}

export interface ExportOptions
  extends Pick<
    DetectOptions,
    'filter' | 'files' | 'from_us' | 'to_us' | 'internal' | 'enrichment' | 'minSeverity' | 'limits' | 'signal'
  > {
  to: ExportFormat
  /** By default what the format is mostly used for. `all`: findings, connections and records, as far as the format holds them. */
  what?: ExportKind
  /** File to write; `-`, the default, for standard output. */
  out?: string
  force?: boolean
  /** Other files that are never written over, beside the evidence of the case. */
  kept?: readonly FileName[]
  /** Findings are those of the dossier of these addresses or prefixes, in the place of those of the whole case. */
  of?: string[]
  /** csv: texts as they are, also where a spreadsheet takes them for formulas. */
  rawCsv?: boolean
  /** The analyst's notes on findings: what they refute is left out, or marked where a format can say it. */
  notes?: Notes
  /** The addresses that the export names for those of the evidence, in texts too; by default the same. */
  change?: AddressChange
}

/** What was written. */
export interface ExportReport {
  out: string
  format: ExportFormat
  what: ExportKind
  records: number
  connections: number
  findings: number
  /** What the format cannot hold, or could not be told, and is not in the output: each a sentence with its count. */
  left_out: string[]
  /** How figures are to be read. */
  notes: string[]
  /** What of the analyst's own files could not be used. */
  enrichment_problems: { path: string; line?: number; problem: string }[]
}

/** What is written. @throws UserError (status 2) for what does not go together. */
export function kindOf({ to, what, of, filter, rawCsv, notes }: ExportOptions): ExportKind {
  const usage = (message: string, hint: string) => new UserError(message, { hint, status: exitStatus.usage })
  const kind = what ?? (of === undefined ? holds[to][0]! : 'findings')
  if (!holds[to].includes(kind))
    throw usage(`${to} does not hold ${kind}`, `it holds ${holds[to].join(', ')}: --what ${holds[to][0]}`)
  if (of !== undefined && kind !== 'findings')
    throw usage(`--of is of findings, not of ${kind}`, 'choose by a filter: "ip 203.0.113.7"')
  if (of !== undefined && filter !== undefined)
    throw usage('a filter does not go with --of', 'the dossier of an address is of all its records; leave it out')
  if (notes !== undefined && kind !== 'findings' && kind !== 'all')
    throw usage(`--notes is of findings, not of ${kind}`, 'say --what findings, or leave it out')
  if (rawCsv === true && to !== 'csv') throw usage(`--raw-csv does nothing for ${to}`, 'leave it out, or say --to csv')
  return kind
}

/** The kinds that are written. */
export function kindsOf(what: ExportKind, to: ExportFormat): OneKind[] {
  if (what !== 'all') return [what]
  return (['findings', 'connections', 'records'] as const).filter(kind => holds[to].includes(kind))
}
