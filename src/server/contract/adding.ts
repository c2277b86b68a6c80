/** Evidence that the page adds to the case: `POST /api/add`, a job; its value is an `AddAnswer`. */
export interface AddAsk {
  /** Files and folders, absolute or from where `tidemark ui` was started; `~` is the home folder. */
  paths: string[]
  /** Field names of flow logs without a header line. */
  format?: string
  /** Whether `format` may name fields that this version does not know. */
  formatUnknown?: boolean
  /** Most bytes out of a compressed file per byte in, from 1; by default 200. */
  maxExpandRatio?: number
  /** Counts packets that several interfaces saw as often as they are there. */
  keepCopies?: boolean
  /** Reads what is in the case once more. */
  again?: boolean
}

export interface AddAnswer {
  /** Files that were looked at, by what became of them. */
  files: { read: number; partly_read: number; unreadable: number; duplicate: number; not_evidence: number }
  records: number
  malformed: number
  /** Flow records that are in the case now. */
  case_records: number
  /** It was stopped before every file was read: those that were read are in the case. */
  interrupted: boolean
  /** Files that were not read, or not wholly: the first of them, and how many there are. */
  troubled: { path: string; status: string; problem: string | null }[]
  troubled_total: number
  folders_without_evidence: { path: string; problem: string }[]
}

/** `POST /api/paths`: names that a path which is being typed can go on with. */
export interface PathsAsk {
  at: string
}

export interface PathsAnswer {
  /** The folder that they are in. */
  folder: string
  items: { path: string; kind: 'folder' | 'file' }[]
  /** Whether there are more. */
  cut: boolean
}
