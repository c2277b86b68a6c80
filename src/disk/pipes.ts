/** Reading from pipes that the user named: `-`, `/dev/stdin`, `<(…)`, and names that `mkfifo` made. */
import { closeSync, constants, createReadStream, fstatSync, open as openFile, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { createNew } from './writing.ts'

/** Stands for standard input. */
export const standardInput = '-'

const wakeMilliseconds = 50

/**
 * Copies what comes out of a pipe into a new file. A named pipe waits for its writer.
 *
 * @returns how many bytes there were.
 * @throws the system's error; the reason of `signal` when that is aborted.
 */
export async function copyPipe(path: string, to: string, signal?: AbortSignal): Promise<number> {
  const file = await createNew(to)
  let bytes = 0
  try {
    for await (const piece of piecesOfPipe(path, signal)) {
      await file.writeFile(piece)
      bytes += piece.length
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** What comes out of a pipe. A named pipe waits for its writer. @throws the system's error; the reason of `signal` when that is aborted. */
export async function* piecesOfPipe(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const stream = path === standardInput ? openInput() : await openPipe(path, signal)
  const stop = (): void => void stream.destroy()
  signal?.addEventListener('abort', stop)
  try {
    yield* stream as AsyncIterable<Buffer>
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    stream.destroy()
  }
}

/** Whether standard input is a terminal: then nobody has piped anything into it. */
export function isInputTerminal(): boolean {
  return isatty(0)
}

/** Standard input: a pipe, or a file that was led into it. */
function openInput(): Readable {
  const info = fstatSync(0)
  if (info.isFIFO() || info.isSocket()) return new Socket({ fd: 0, readable: true, writable: false })
  return createReadStream('', { fd: 0, autoClose: false })
}

async function openPipe(path: string, signal?: AbortSignal): Promise<Readable> {
  signal?.throwIfAborted()
  // To open it waits for a writer, in a thread that nothing else can wake: where the wait is to end, this process is the writer, as soon
  // as the thread does wait.
  let waking: NodeJS.Timeout | undefined
  const wake = (): void => {
    waking = setInterval(() => {
      try {
        closeSync(openSync(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0)))
      } catch {
        // Nobody waits yet.
      }
    }, wakeMilliseconds)
  }
  signal?.addEventListener('abort', wake)
  try {
    // A bare number: a handle would close it, whoever reads from it, as soon as nobody holds the handle.
    const fd = await promisify(openFile)(path, 'r')
    if (signal?.aborted) closeSync(fd)
    signal?.throwIfAborted()
    // Unlike a stream of files, it can be given up while it waits.
    return new Socket({ fd, readable: true, writable: false })
  } finally {
    clearInterval(waking)
    signal?.removeEventListener('abort', wake)
  }
}
