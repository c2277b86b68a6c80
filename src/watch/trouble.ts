/** What keeps all of a source from being read, as credentials that have expired, or its messages from being deleted: it is told once, and tried again more and more seldom. */
import { errorText, UserError } from '../errors.ts'
import type { SourceProblem } from './source.ts'

export interface TroubleSettings {
  /** In words: `s3://bucket/prefix`. */
  name: string
  /** What cannot be done with it; without it: read. */
  done?: 'held' | 'deleted'
  /** Before it is tried again, milliseconds; doubled each time. */
  firstWait: number
  /** Whether the watch ends where it cannot go on: the next run tries again. */
  once: boolean
  now(): number
  onNote(text: string): void
  /** Told of what is amiss. */
  onFault(text: string): void
}

const longestWait = 300_000

export class Trouble {
  private readonly settings: TroubleSettings
  private state: { error: unknown; what: string; since: number; tries: number } | null = null
  /** performance.now() */
  private next = Number.NEGATIVE_INFINITY

  constructor(settings: TroubleSettings) {
    this.settings = settings
  }

  get problem(): SourceProblem | null {
    if (this.state === null) return null
    const { since, what, tries } = this.state
    return { since: new Date(since).toISOString(), what, tries }
  }

  /** Milliseconds until it may be tried again; 0: now. */
  get wait(): number {
    return this.state === null ? 0 : Math.max(0, this.next - performance.now())
  }

  /** @throws what keeps the source from being read, while it is not tried. */
  check(): void {
    if (this.wait > 0) throw this.state!.error
  }

  /** Something failed that concerns all of the source. */
  met(error: unknown): void {
    const { firstWait, now, onFault, name, once } = this.settings
    // Many that were on their way fail together.
    if (this.wait > 0) return
    const hint = error instanceof UserError && error.hint !== undefined ? ` (${error.hint})` : ''
    const what = `${errorText(error)}${hint}`
    const tries = (this.state?.tries ?? 0) + 1
    const wait = Math.min(longestWait, firstWait * 2 ** (tries - 1))
    const next = once ? `the next run tries ${name} again` : `the watch goes on, and tries ${name} again`
    if (this.state?.what !== what) onFault(`${what}; ${next}`)
    this.state = { error, what, since: this.state?.since ?? now(), tries }
    this.next = performance.now() + wait
  }

  /** It can be done. What was on its way when something failed says nothing of that. */
  over(): void {
    if (this.state === null || this.wait > 0) return
    this.state = null
    const { name, done = 'read', onNote } = this.settings
    onNote(`${name} can be ${done} again`)
  }
}
