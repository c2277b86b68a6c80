/** In which order the fields stand in the logs of a case: CloudWatch's filter patterns go by it, for events have no header. */
import type { Case } from '../store/case.ts'
import { subscriptionOf } from '../store/entries.ts'
import type { EvidenceEntry } from '../store/ledger.ts'

export interface LogFormat {
  /** As AWS spells them, in order. */
  fields: readonly string[]
  /** Records of the case that were written so. */
  records: number
  files: number
  /** Where the order comes from: header lines or `--format`; columns of Parquet files, which follow the format too; a recommendation, without a log. */
  from: 'text' | 'parquet' | 'recommended'
}

/** The formats of the VPC flow logs of a case, or of one flow log of it, the one with the most records first. */
export interface LogFormats {
  formats: LogFormat[]
  /** Records of which the ledger does not tell the format: of files that have several, or more than an entry has room for. */
  untold: number
}

/** As a pattern can have it, with `_` for `-`. */
const nameShape = /^[a-z][a-z0-9-]*$/

/** @param logs ids of flow logs, null for files whose names have none; by default all. */
export function logFormats({ evidence }: Pick<Case, 'evidence'>, logs?: ReadonlySet<string | null>): LogFormats {
  const found = new Map<string, LogFormat>()
  let untold = 0
  for (const file of evidence) {
    if (!isVpcLog(file) || file.records + file.no_data + file.skip_data === 0) continue
    if (logs !== undefined && !logs.has(subscriptionOf(file.path))) continue
    const [layout, ...others] = (file.layout ?? '').split('; ')
    const isCut = layout === undefined || layout === '' || /…$|^and more$/.test(layout)
    if (isCut || others.length > 0) untold += file.records
    if (isCut) continue
    const from = file.kind === 'vpc-flow-log-parquet' ? 'parquet' : 'text'
    const fields = layout.split(' ').map(field => field.replaceAll('_', '-'))
    // Columns of somebody's Parquet may be called anything.
    if (!fields.every(field => nameShape.test(field)) || new Set(fields).size < fields.length) {
      untold += file.records
      continue
    }
    const key = `${from} ${fields.join(' ')}`
    const known = found.get(key) ?? { fields, records: 0, files: 0, from }
    if (others.length === 0) known.records += file.records
    known.files++
    found.set(key, known)
  }
  return { formats: [...found.values()].sort((a, b) => b.records - a.records || b.files - a.files), untold }
}

/** Numbers of the files none of whose records are of a format, as far as the ledger tells their formats. */
export function filesOfOthers(
  { evidence }: Pick<Case, 'evidence'>,
  { fields, from }: Pick<LogFormat, 'fields' | 'from'>,
): Set<number> {
  if (from === 'recommended') return new Set()
  const wanted = fields.join(' ')
  const isOther = (file: EvidenceEntry): boolean => {
    if (!isVpcLog(file)) return true
    const layouts = (file.layout ?? '').split('; ')
    if (layouts.some(layout => /^$|…$|^and more$/.test(layout))) return false
    return layouts.every(layout => layout.replaceAll('_', '-') !== wanted)
  }
  return new Set(evidence.filter(isOther).flatMap(({ id }) => id ?? []))
}

function isVpcLog({ kind }: EvidenceEntry): boolean {
  return kind === 'vpc-flow-log' || kind === 'vpc-flow-log-parquet'
}
