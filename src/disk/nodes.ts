/** What is at a name on the disk: only regular files are ever opened. */
import type { Dirent, Stats } from 'node:fs'
import { UserError } from '../errors.ts'

export type NodeKind = 'file' | 'folder' | 'link' | 'pipe' | 'socket' | 'device'

export function kindOf(node: Stats | Dirent): NodeKind {
  if (node.isFile()) return 'file'
  if (node.isDirectory()) return 'folder'
  if (node.isSymbolicLink()) return 'link'
  if (node.isFIFO()) return 'pipe'
  return node.isSocket() ? 'socket' : 'device'
}

const words: Record<NodeKind, string> = {
  file: 'a file',
  folder: 'a folder',
  link: 'a symbolic link',
  pipe: 'a named pipe (FIFO)',
  socket: 'a socket',
  device: 'a device',
}

/** `a symbolic link`. */
export function kindWords(kind: NodeKind): string {
  return words[kind]
}

/** There is something at a name that is not a regular file, and is not opened. */
export class NotRegularError extends UserError {
  readonly kind: NodeKind
  /** Without the path: `a device, not a regular file`. */
  readonly what: string

  constructor(kind: NodeKind, path: string) {
    const what = `${kindWords(kind)}, not a regular file`
    super(`${what}: ${path}`, { hint: kind === 'link' ? 'put the file itself there' : 'name a regular file' })
    this.name = 'NotRegularError'
    this.kind = kind
    this.what = what
  }
}

/** A file holds more than is ever read of its sort. */
export class TooLargeError extends UserError {
  constructor(largest: number, path: string) {
    super(`larger than ${sizeText(largest)}: ${path}`)
    this.name = 'TooLargeError'
  }
}

function sizeText(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 20 ? [2 ** 20, 'MiB'] : bytes >= 2 ** 10 ? [2 ** 10, 'KiB'] : [1, 'bytes']
  return `${(bytes / unit).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${name}`
}
