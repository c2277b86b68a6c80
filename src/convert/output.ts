import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode, UserError } from '../errors.ts'
import type { FlowRecord } from '../meter/flow-record.ts'

/** Takes flow records as they end, and writes them. Nothing of a record may be kept: it is filled anew. */
export interface FlowOutput {
  add(record: FlowRecord): void
  /** Rows written, where records become one. */
  readonly rows?: number
  /** Called when every record of an aggregation interval, or of a capture, has been given. */
  border?(): void
  /** Called between pieces of a capture: the time to do what has to be waited for. */
  settle?(): Promise<void>
  /** After the last record: the output is complete. */
  finish(): Promise<void>
  /** The output is not wanted any more: nothing of it may stay. */
  abandon(): void
}

/** Holds the longest packet that a capture may have, too. */
const bufferBytes = 1 << 19
const none = Buffer.alloc(0)

/** Whoever read standard output has gone (`tidemark … | head`): nobody is left to write for. */
export class ReaderGone extends Error {}

/**
 * A file that is there whole or not at all: it gets its name when it is complete. `-` is standard output.
 *
 * Writing is synchronous: whoever writes is in the middle of a piece of a capture, and must not gather what can not be written yet.
 */
export class OutputFile {
  readonly path: string
  private readonly fd: number
  private readonly part: string | null
  private buffer = Buffer.alloc(bufferBytes)
  private used = 0
  private open = true

  constructor(path: string) {
    this.path = path
    this.part = path === '-' ? null : join(dirname(path), `.${process.pid}-${Math.random().toString(36).slice(2)}.part`)
    try {
      if (this.part !== null) mkdirSync(dirname(path), { recursive: true })
      this.fd = this.part === null ? 1 : openSync(this.part, 'wx')
    } catch (error) {
      throw new UserError(`can not write ${path}: ${errorCode(error) ?? String(error)}`, {
        hint: 'name another place with -o',
      })
    }
  }

  text(text: string): void {
    const most = text.length * 3
    if (this.used + most > bufferBytes) this.flush()
    if (most > bufferBytes) this.bytes(Buffer.from(text))
    else this.used += this.buffer.write(text, this.used)
  }

  /** Room for so many bytes, to be filled before anything else is written. */
  room(bytes: number): { buffer: Buffer; at: number } {
    if (this.used + bytes > bufferBytes) this.flush()
    const at = this.used
    this.used += bytes
    return { buffer: this.buffer, at }
  }

  bytes(bytes: Uint8Array): void {
    this.flush()
    this.write(bytes)
  }

  /** Puts bytes over those at `offset`, which must have been written. */
  patch(bytes: Uint8Array, offset: number): void {
    this.flush()
    writeSync(this.fd, bytes, 0, bytes.length, offset)
  }

  /** Writes what is left and lets the file go, but for its name. */
  close(): void {
    this.flush()
    if (this.part === null || !this.open) return
    this.open = false
    closeSync(this.fd)
    this.buffer = none
  }

  finish(): void {
    this.close()
    if (this.part !== null) renameSync(this.part, this.path)
  }

  abandon(): void {
    if (this.part === null) return
    if (this.open) closeSync(this.fd)
    this.open = false
    rmSync(this.part, { force: true })
  }

  private flush(): void {
    if (this.used === 0) return
    const { used } = this
    this.used = 0
    this.write(this.buffer.subarray(0, used))
  }

  private write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.fd, bytes, at)
      } catch (error) {
        if (errorCode(error) === 'EPIPE' && this.part === null) throw new ReaderGone('nobody reads')
        // A pipe that does not keep up says so where it was set not to block.
        if (errorCode(error) !== 'EAGAIN') throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      }
    }
  }
}

/** Whether the path is a folder, or says that it shall be one. */
export function isFolder(path: string): boolean {
  if (/[/\\]$/.test(path)) return true
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
