/** The process of a job asks the watch for objects: it has neither credentials nor the packages of AWS. */
import { basename } from 'node:path'
import { AwsError } from '../aws/errors.ts'
import type { Origin, RemoteFile } from '../sources/remote.ts'
import type { AddJob, Given, Wanted } from './jobs.ts'

export class Asking {
  private readonly ask: (wanted: Wanted) => void
  private readonly waiting = new Map<
    number,
    { resolve: (origin: Origin | null) => void; reject: (error: unknown) => void }
  >()

  constructor(ask: (wanted: Wanted) => void) {
    this.ask = ask
  }

  /** The objects of a job, as files that are fetched when their turn comes. */
  filesOf(remote: AddJob['remote']): RemoteFile[] {
    return remote.map(({ path, size, etag }, object) => ({
      ...{ path, size, etag, named: false },
      fetch: (to, signal) => this.fetch(object, basename(to), signal),
    }))
  }

  private fetch(object: number, name: string, signal: AbortSignal): Promise<Origin | null> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
      const over = (): void => signal.removeEventListener('abort', stop)
      this.waiting.set(object, {
        resolve: origin => {
          over()
          resolve(origin)
        },
        reject: error => {
          over()
          reject(error)
        },
      })
      if (signal.aborted) stop()
      else this.ask({ fetch: { object, name } })
    })
  }

  answered(fetched: Given['fetched']): void {
    const one = this.waiting.get(fetched.object)
    this.waiting.delete(fetched.object)
    if ('origin' in fetched) one?.resolve(fetched.origin)
    else {
      const { message, hint, ...known } = fetched.refused
      one?.reject(new AwsError(message, hint, { ...known, about: 'one' }))
    }
  }
}
