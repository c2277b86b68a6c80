/** What became of each file that the ledger names: whether it counts, was read again since, or was removed. */
import { columnOfField, otherFields } from '../records/unknown-columns.ts'
import type { EvidenceEntry, LedgerEntry, SegmentEntry } from './ledger.ts'
import { isReading, rowsOf } from './ledger-entry.ts'

type Reading = Extract<LedgerEntry, { type: 'added' | 'read-again' | 'pulled' }>
export type Change = Extract<LedgerEntry, { type: 'removed' | 'restored' }>

export interface Standing {
  file: EvidenceEntry
  /** The entry that brought it in, and its place there. */
  entry: Reading
  at: number
  /** Entries that removed it or put it back, in order. */
  changes: Change[]
  isRemoved: boolean
  /** A later reading of the same content. Whatever becomes of that, this one counts no more. */
  supersededBy: Standing | null
}

/** A segment of which at least one row counts. */
export interface CountedSegment extends SegmentEntry {
  /** Files that no longer count, and may have rows in it. */
  out: readonly number[]
  /** Columns that it has for the rows of these alone. They are not in `columns`. */
  hidden: readonly string[]
}

/** The part of a case that its figures are made of. */
export interface Counted {
  evidence: EvidenceEntry[]
  segments: CountedSegment[]
  /** Files that no longer count. */
  out: EvidenceEntry[]
}

export function counts(one: Standing): boolean {
  return !one.isRemoved && one.supersededBy === null
}

/** What is left of a case when what was removed, or read again since, is left out. */
export function countedOf(entries: readonly LedgerEntry[]): Counted {
  const standings = standingsOf(entries)
  const [evidence, out] = [standings.filter(counts), standings.filter(one => !counts(one))].map(list =>
    list.map(one => one.file),
  ) as [EvidenceEntry[], EvidenceEntry[]]
  const outIds = new Set(out.flatMap(file => file.id ?? []))
  const segments = entries.flatMap(entry => (isReading(entry) ? countedSegments(entry, outIds) : []))
  return { evidence, segments, out }
}

/** Every file of the ledger, in its order. */
export function standingsOf(entries: readonly LedgerEntry[]): Standing[] {
  const all: Standing[] = []
  const byEntry = new Map<number, Standing[]>()
  for (const entry of entries) {
    if (entry.type === 'created') continue
    if (isReading(entry)) {
      const own = entry.evidence.map(
        (file, at): Standing => ({ file, entry, at, changes: [], isRemoved: false, supersededBy: null }),
      )
      byEntry.set(entry.seq, own)
      for (const one of own) all.push(one)
      continue
    }
    for (const { entry: seq, at } of entry.files) {
      const one = byEntry.get(seq)?.[at]
      if (one === undefined) continue
      one.changes.push(entry)
      one.isRemoved = entry.type === 'removed'
    }
  }
  supersede(all)
  return all
}

/**
 * Of several readings of the same content the last counts, whatever its path. A file of which nothing was read gives way to a later look at
 * the same path too, if its content is the same or could not be told.
 */
function supersede(all: readonly Standing[]): void {
  const [read, last] = [new Map<string, Standing>(), new Map<string, Standing>()]
  const seen = new Map<string, Standing>()
  for (const one of [...all].reverse()) {
    const { id, sha256, path, path_bytes } = one.file
    const name = path_bytes ?? `/${path}`
    const content = `${name}\0${sha256}`
    one.supersededBy = (sha256 !== null && read.get(sha256)) || null
    if (id === null) one.supersededBy ??= seen.get(sha256 === null ? name : content) ?? null
    else if (sha256 !== null) {
      read.set(sha256, one)
      if (!last.has(sha256)) last.set(sha256, one)
    }
    seen.set(name, one).set(content, one)
  }
  // An earlier reading counts again when it is put back: what could not be read meanwhile is no gap then.
  for (const one of all) {
    const reading = one.file.sha256 === null ? undefined : last.get(one.file.sha256)
    if (one.file.id === null && reading !== undefined && counts(reading)) one.supersededBy ??= reading
  }
}

/** The segments of an entry that hold a row that counts. */
function countedSegments({ evidence, segments }: Reading, outIds: ReadonlySet<number>): CountedSegment[] {
  const out = evidence.filter(file => file.id !== null && outIds.has(file.id))
  if (out.length === 0) return segments.map(segment => ({ ...segment, out: [], hidden: [] }))
  const left = evidence.filter(file => file.id !== null && !outIds.has(file.id))
  return segments.flatMap(segment => {
    const { kind } = segment
    const has = (file: EvidenceEntry): boolean => kind === 'problems' || kind === 'pulled' || rowsOf(file, kind) > 0
    if (!left.some(has)) return []
    const ids = out.filter(has).flatMap(file => file.id ?? [])
    const hidden = kind === 'flows' && ids.length > 0 ? hiddenColumns(segment, left) : []
    return [{ ...segment, columns: segment.columns.filter(name => !hidden.includes(name)), out: ids, hidden }]
  })
}

/** Columns that none of these files can have, by their layouts. None, where the ledger does not have all of a layout. */
function hiddenColumns({ columns }: SegmentEntry, files: readonly EvidenceEntry[]): string[] {
  const layouts = files.flatMap(file => file.layout ?? [])
  if (layouts.some(layout => /and more$|…/.test(layout))) return []
  const known = new Set(layouts.flatMap(layout => layout.split(/;? /)).map(columnOfField))
  return columns.filter(name => !known.has(name) && !name.startsWith('_') && name !== otherFields)
}

/** Runs of numbers at least that long are given by their ends. */
const runMin = 4

/** The condition on rows that they are of none of these files. */
export function notOfFiles(ids: readonly number[]): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b)
  const single: number[] = []
  const runs: string[] = []
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (sorted[to + 1] === sorted[to]! + 1) to++
    if (to - from + 1 < runMin) single.push(...sorted.slice(from, to + 1))
    else runs.push(`_file NOT BETWEEN ${sorted[from]} AND ${sorted[to]}`)
    from = to + 1
  }
  return [...runs, ...(single.length === 0 ? [] : [`_file NOT IN (${single.join(', ')})`])].join(' AND ')
}
