/** Files that lie elsewhere: what is known of them before they are fetched. */

/** Where the bytes of a file were fetched from, and how they are known again there. */
export interface Origin {
  uri: string
  /** What the server says of the content: it changes with it. Null: nothing. */
  etag: string | null
  size: number
  version_id: string | null
}

export interface RemoteFile {
  /** The name under which it is in the case: the URI. */
  path: string
  /** Whether the user named it, and not only what holds it. */
  named: boolean
  /** Bytes, as far as they are known before it is fetched. */
  size: number
  etag: string | null
  /** Whether what is under the path never changes: it is known again without an ETag. */
  isFixed?: boolean
  /** Room that it takes at most, where its size is not known. */
  room?: number
  /**
   * Writes its bytes, all of them, to a new file.
   *
   * @returns null where it turns out that there is nothing to read, and that is as it should be.
   * @throws AwsError: `one`, where this file cannot be had; `all`, where no other can either.
   */
  fetch(to: string, signal: AbortSignal): Promise<Origin | null>
}

/** Of what names of keys tell: what is wanted. Times in microseconds since the epoch. */
export interface Narrowing {
  from_us?: number
  to_us?: number
  accounts?: readonly string[]
  regions?: readonly string[]
}

/** What a listing found, for people: before anything is fetched. */
export interface Listed {
  uri: string
  files: RemoteFile[]
  /** Bytes of `files`; null: not known. */
  bytes: number | null
  /** Of those that were listed and are left out. */
  left_out: number
  /** Folders that were not looked into, as none of what they hold is wanted. */
  folders_left_out: number
  layouts: { name: string; files: number }[]
  accounts: string[]
  regions: string[]
  /** What the names say of times, ISO 8601; null: nothing. */
  first: string | null
  last: string | null
  /** What else is to be known. */
  notes: string[]
}
