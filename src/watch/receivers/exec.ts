/** Alerts for a program of the user's: JSON on its standard input, no shell. */
import { spawn } from 'node:child_process'
import { errorText } from '../../errors.ts'
import { bareEnvironment } from '../../limited-process.ts'
import { visible } from '../../visible.ts'
import { DeliveryError, type Receiver, sendMilliseconds, withinTime } from './receiver.ts'

const saidMax = 200

/** @param program run without arguments, one at a time; status 0 means that it has the alert. */
export function program(path: string, { timeout = 2 * sendMilliseconds }: { timeout?: number } = {}): Receiver {
  return {
    kind: 'exec',
    to: path,
    async send({ text }, signal) {
      const limit = withinTime(signal, timeout)
      try {
        await run(path, text, limit.signal)
      } catch (error) {
        signal.throwIfAborted()
        if (limit.signal.aborted) throw limit.signal.reason
        throw error instanceof DeliveryError ? error : new DeliveryError(errorText(error))
      } finally {
        limit.end()
      }
    },
  }
}

async function run(path: string, text: string, signal: AbortSignal): Promise<void> {
  const home = process.env['HOME']
  const child = spawn(path, [], {
    // A group of its own, so that what it has started ends with it.
    detached: true,
    env: { ...bareEnvironment(), ...(home !== undefined && { HOME: home }) },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  let said = ''
  child.stderr.on('data', (piece: Buffer) => {
    if (said.length < saidMax) said += piece.toString()
  })
  // Who does not read it decides so.
  child.stdin.on('error', () => undefined)
  child.stdin.end(`${text}\n`)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (status, killed) => {
        if (status === 0) return resolve()
        const how = killed === null ? `it ended with status ${status}` : `it was ended by ${killed}`
        const words = said.trim().split('\n')[0]?.slice(0, saidMax) ?? ''
        reject(new DeliveryError(words === '' ? how : `${how}: ${visible(words)}`))
      })
    })
  } finally {
    signal.removeEventListener('abort', stop)
    // What it left in the background may hold the pipe.
    child.stderr.destroy()
  }
}
