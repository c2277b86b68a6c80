/** Where evidence arrives: what a watch asks of a folder, a bucket or a queue. */
import type { FoundFile } from '../input/walk.ts'
import type { RemoteFile } from '../sources/remote.ts'
import type { SeenFile } from './seen.ts'

/** A file that is there. */
export interface Arrival {
  file: FoundFile
  /** What identifies it: its path, or the URI of an object. */
  key: string
  size: number
  /** Changes with the file's content. */
  print: string
  /** When it was written last, milliseconds since the epoch; for an object, the time that its name says. */
  written: number
  /** How an object is fetched; null for a file on this machine. */
  remote: RemoteFile | null
  /**
   * Of an object that may be told of after later versions of it: SHA-256, in hexadecimal digits, of the first bytes of what is under its key now;
   * null: it is gone, or has fewer.
   */
  beginning?: (bytes: number, signal: AbortSignal) => Promise<string | null>
}

export interface Look {
  /** Whole, as far as anybody can tell. */
  whole: Arrival[]
  /** Still changing, seen for the first time, or to be tried again later. */
  changing: number
  /** What cannot be read as a file. */
  unreadable: FoundFile[]
  /** Every file that is there, by its key. */
  present: ReadonlySet<string>
}

/** What keeps all of a source from being read, or messages from being deleted or held. Names are fixed by the contract. */
export interface SourceProblem {
  /** UTC, ISO 8601. */
  since: string
  what: string
  tries: number
}

/** Messages of a queue, since the start. Names are fixed by the contract. */
export interface MessageCounts {
  received: number
  deleted: number
  /** Those that tell of no objects in a form that is known; they are left in the queue. */
  not_understood: number
}

export interface Source {
  /** How long to wait for news before looking in any case, milliseconds. */
  readonly patience: number
  readonly problem: SourceProblem | null
  /** Null: it has none. */
  readonly messages: MessageCounts | null
  /** Whether everything that was there at the start was seen. */
  readonly isComplete: boolean
  /** Looks at what is there. @throws UserError where it cannot be, and will not be. */
  look(judge: Judge, signal: AbortSignal): Promise<Look>
  /** Files were dealt with: in a case, known, or left for later. */
  taken(arrivals: readonly Arrival[], judge: Judge, signal: AbortSignal): Promise<void>
  /** Whether what is remembered of a file may be asked for again. */
  remembers(key: string, file: SeenFile, present: ReadonlySet<string>): boolean
  close(): Promise<void>
}

/** `new`: to be read now; `waits`: it could not be read, and is tried again later; `old`: of a day that is not kept; `gone`: it cannot be had any more. */
export type Judgement = 'new' | 'known' | 'waits' | 'old' | 'gone'

/** Says what is to be done with a file as it is now. */
export interface Judge {
  judge(arrival: Arrival): Judgement
  /** Milliseconds until a file that waits is tried again, a second at least. */
  waitFor(arrival: Arrival): number
}
