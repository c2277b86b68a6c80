/** The analyst's own words, kept in the case: `GET /api/notes`, `POST /api/notes`. */

/** What a note is about. `view`: what the page shows at its address. */
export interface NoteAbout {
  kind: 'view' | 'host' | 'connection' | 'record' | 'finding' | 'value'
  /** In words: `10.0.0.5`, `F4 Interactive SSH session`, `logs/a.gz:12`. */
  text: string
}

/** `revision`, of every item: that of the notes when it was last changed. Who changes it says which they saw. */
export interface NoteItem {
  id: string
  revision: number
  text: string
  about: NoteAbout
  /** An address of this workbench: `/host/10.0.0.5?from=…`. */
  url: string
  /** ISO 8601, UTC; `changed` null: never. */
  written: string
  changed: string | null
}

/** A view that has a name. */
export interface BookmarkItem {
  id: string
  revision: number
  name: string
  url: string
  made: string
}

export type VerdictStatus = 'confirmed' | 'refuted' | 'open'

/** Which finding: `key` stays when evidence is added; `id` and `title` are for people. */
export interface VerdictOf {
  key: string
  first_start: string | null
  id: string | null
  title: string | null
}

/** What the analyst decided of a finding; status null: nothing yet. */
export interface VerdictItem extends VerdictOf {
  revision: number
  status: VerdictStatus | null
  note: string
}

/** For the head of the report. Empty: not said. */
export interface NotesWords {
  title: string
  case_number: string
  examiner: string
  summary: string
  sections: { title: string; text: string }[]
}

export interface NotesAnswer {
  /** Grows by one with every change; 0: nothing was written yet. */
  revision: number
  /** The file, for `tidemark report --notes`. */
  path: string
  words: NotesWords & { revision: number }
  notes: NoteItem[]
  bookmarks: BookmarkItem[]
  findings: VerdictItem[]
  /** Why the file cannot be read, and nothing can be written: the rest is empty then. */
  unreadable: { error: string; hint?: string } | null
}

/** `seen`: the revision of the item as it was when the change was begun; null: there was none. */
export type NotesChange =
  | ({ do: 'words'; seen: number } & NotesWords)
  | { do: 'add-note'; text: string; about: NoteAbout; url: string }
  | { do: 'edit-note'; id: string; seen: number; text: string }
  | { do: 'delete-note'; id: string; seen: number }
  | { do: 'add-bookmark'; name: string; url: string }
  | { do: 'edit-bookmark'; id: string; seen: number; name: string }
  | { do: 'delete-bookmark'; id: string; seen: number }
  | ({ do: 'verdict'; seen: number | null; status: VerdictStatus | null; note: string } & VerdictOf)
  /** The text of a file of notes, as `tidemark report --notes` reads it: what is in it is added; words that are said already stay. */
  | { do: 'import'; text: string }

/** Where somebody else changed the item meanwhile, nothing is written, and `conflict` says so. */
export interface NotesChanged {
  notes: NotesAnswer
  conflict: string | null
}
