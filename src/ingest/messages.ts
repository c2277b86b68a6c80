import type { Origin } from '../sources/remote.ts'
import type { EvidenceEntry, SegmentEntry } from '../store/ledger.ts'
import type { SystemDetails } from '../system-error.ts'

/** What a worker is started with. */
export interface WorkerSettings {
  caseDir: string
  format: string | null
  ratioMax: number
  expandedBytesMax: number
  keepCopies: boolean
  parts: boolean
  /** One 32-bit number, set to 1 to ask for an early end. */
  stop: SharedArrayBuffer
  rowsPerSegment: number
  /** Unknown fields that have columns in the case, and one 32-bit number: how many others may still get one. */
  unknownColumns: string[]
  unknownLeft: SharedArrayBuffer
  /** One 32-bit number: the last that a file was given. */
  lastId: SharedArrayBuffer
}

export interface FileTask {
  id: number
  named: boolean
  path: string
  rawPath: Uint8Array | null
  /** Where the bytes are, if not at the path: the copy of what a pipe gave. */
  bytesAt: string | null
  /** Where they were fetched from; null: nowhere. */
  origin: Origin | null
  /** Of a file in an archive: that archive, and the number of the file in it, or, of one in another in it, the numbers of both. */
  archive: { path: string; members: number[] } | null
  size: number
  problem: string | null
  unreadable: boolean
}

export type ToWorker =
  /** `ahead`: enough is left for every worker, so this one may ask for more before it has read this one. */
  | { type: 'file'; task: FileTask; ahead: boolean }
  /** `duplicateOf`: why it is not to be read, in words. */
  | { type: 'claim'; id: number; duplicateOf: string | null }
  | { type: 'finish' }

export type FromWorker =
  /** Ready for another file. */
  | { type: 'next' }
  /** Asks whether this content is new to the case. */
  | { type: 'hashed'; task: FileTask; sha256: string }
  /** What became of content that it was given to read: whether it will be in the case. */
  | { type: 'settled'; sha256: string; kept: boolean }
  | { type: 'progress'; bytes: number; records: number }
  /** Files that are read, with all their segments on the disk in `incoming`: to be entered in the ledger together. */
  | { type: 'batch'; evidence: EvidenceEntry[]; segments: SegmentEntry[] }
  /** What was copied to that place was read, or is not going to be. */
  | { type: 'done'; at: string }
  /** A file that the early end left out. */
  | { type: 'dropped'; task: FileTask }
  | { type: 'finished' }
  | { type: 'failed'; message: string; stack: string | null; system: SystemDetails }
