import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { errorCode } from '../errors.ts'
import { type FileTarget, type OutputTarget, outputError, type StreamTarget } from './output.ts'
import { clearKilledOutputs, PartFile } from './part-file.ts'

/** Holds the longest packet that a capture may have, too. */
const bufferBytes = 1 << 19
const none = Buffer.alloc(0)
/** What a stream has not taken yet is kept up to here; then its reader is waited for, whatever else there is to do. */
const pendingBytesMax = 64 << 20
const waitMilliseconds = 5

/** Whoever read the stream has gone (`tidemark … | head`): nobody is left to write for. */
export class ReaderGone extends Error {}

/**
 * A file that is there whole or not at all, as it gets its name when it is complete; or a stream, which is written as it comes.
 *
 * Writing is synchronous: whoever writes is in the middle of a piece of a capture. What a stream does not take at once waits for `settle`.
 */
export class OutputFile {
  private readonly target: OutputTarget
  private readonly fd: number
  private readonly part: PartFile | null
  private readonly signal: AbortSignal | undefined
  private buffer = Buffer.alloc(bufferBytes)
  private used = 0
  private pending: Buffer[] = []
  private pendingBytes = 0
  private open = true

  private constructor(target: OutputTarget, part: PartFile | null, fd: number, signal?: AbortSignal) {
    this.target = target
    this.part = part
    this.fd = fd
    this.signal = signal
  }

  /** Begins a file of which others may be at work in the same folder. @throws UserError where it cannot be written. */
  static beside(target: FileTarget): OutputFile {
    const part = new PartFile(target)
    return new OutputFile(target, part, part.fd)
  }

  /** Begins an output; waits until a named pipe has a reader. @throws UserError where it cannot be written. */
  static async begin(target: OutputTarget, signal?: AbortSignal): Promise<OutputFile> {
    if (target.kind === 'stream') return new OutputFile(target, null, await openStream(target, signal), signal)
    clearKilledOutputs(dirname(target.path), target)
    return OutputFile.beside(target)
  }

  text(text: string): void {
    const most = text.length * 3
    if (this.used + most > bufferBytes) this.flush()
    if (most > bufferBytes) this.bytes(Buffer.from(text))
    else this.used += this.buffer.write(text, this.used)
  }

  /** Room for `bytes`, to be filled before anything else is written. */
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

  /** Puts bytes over those at `offset`, which must have been written. Only a file can. */
  patch(bytes: Uint8Array, offset: number): void {
    this.flush()
    this.trying(() => writeSync(this.fd, bytes, 0, bytes.length, offset))
  }

  /** Called between pieces: waits for what a stream has not taken. */
  async settle(): Promise<void> {
    while (!this.drained()) {
      this.signal?.throwIfAborted()
      await setTimeout(waitMilliseconds)
    }
  }

  /** Writes what is left of a file and lets it go, but for its name. */
  close(): void {
    this.flush()
    this.part?.close()
    this.buffer = none
  }

  async finish(): Promise<void> {
    this.close()
    await this.settle()
    this.release()
    this.part?.finish()
  }

  abandon(): void {
    this.pending = []
    this.release()
    this.part?.abandon()
  }

  /** A stream that was opened here is closed here. */
  private release(): void {
    if (this.target.kind === 'stream' && this.fd !== this.target.fd && this.open) closeSync(this.fd)
    this.open = false
  }

  private flush(): void {
    if (this.used === 0) return
    const { used } = this
    this.used = 0
    this.write(this.buffer.subarray(0, used))
  }

  private write(bytes: Uint8Array): void {
    const taken = this.drained() ? this.take(bytes) : 0
    if (taken === bytes.length) return
    const rest = Buffer.from(bytes.subarray(taken))
    this.pending.push(rest)
    this.pendingBytes += rest.length
    while (this.pendingBytes > pendingBytesMax && !this.drained()) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMilliseconds)
    }
  }

  /** Writes what waits, as far as it is taken. */
  private drained(): boolean {
    for (let first = this.pending[0]; first !== undefined; first = this.pending[0]) {
      const taken = this.take(first)
      this.pendingBytes -= taken
      if (taken < first.length) {
        this.pending[0] = first.subarray(taken)
        return false
      }
      this.pending.shift()
    }
    return true
  }

  /** Writes; fewer bytes than were given where a stream that was set not to block takes no more. */
  private take(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length) {
      const written = this.trying(() => writeSync(this.fd, bytes, at))
      if (written === null) break
      at += written
    }
    return at
  }

  /** Null: not now. */
  private trying(work: () => number): number | null {
    try {
      return work()
    } catch (error) {
      if (this.part === null && errorCode(error) === 'EAGAIN') return null
      if (this.part === null && errorCode(error) === 'EPIPE') throw new ReaderGone('nobody reads')
      throw outputError(this.target.name, this.target.option, error)
    }
  }
}

const streamFlags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** Opens without waiting in the system, where no signal would be heard. */
async function openStream(target: StreamTarget, signal: AbortSignal | undefined): Promise<number> {
  const { fd, name, option, isPipe } = target
  // Standard streams are set not to block already; what is no pipe does not block for long.
  if (fd !== null && (fd <= 2 || !isPipe)) return fd
  for (;;) {
    signal?.throwIfAborted()
    try {
      return openSync(fd === null ? name : `/proc/self/fd/${fd}`, streamFlags)
    } catch (error) {
      if (fd !== null) return fd
      if (!isPipe || errorCode(error) !== 'ENXIO') throw outputError(name, option, error)
    }
    // Nobody reads it yet.
    await setTimeout(waitMilliseconds)
  }
}
