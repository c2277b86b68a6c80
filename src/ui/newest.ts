/** One question under way, and of those that are wanted meanwhile the newest. No DOM here. */

type Ask<Answer> = (signal: AbortSignal) => Promise<Answer>
export type Result<Answer> = { value: Answer } | { error: unknown }

export class Newest<Answer> {
  private wanted: { key: string; ask: Ask<Answer> } | null = null
  private running: AbortController | null = null
  private readonly tell: (key: string, result: Result<Answer>) => void

  constructor(tell: (key: string, result: Result<Answer>) => void) {
    this.tell = tell
  }

  /** Null: nothing more is wanted, and what is under way is given up. */
  want(key: string | null, ask: Ask<Answer>): void {
    if (key === null) this.close()
    else this.ask({ key, ask })
  }

  private ask(wanted: { key: string; ask: Ask<Answer> }): void {
    this.wanted = wanted
    if (this.running === null) void this.next()
  }

  close(): void {
    this.wanted = null
    this.running?.abort()
    this.running = null
  }

  private async next(): Promise<void> {
    const next = this.wanted
    if (next === null) return
    this.wanted = null
    const own = new AbortController()
    this.running = own
    const result = await next.ask(own.signal).then(
      value => ({ value }),
      (error: unknown) => ({ error }),
    )
    if (own.signal.aborted) return
    this.running = null
    this.tell(next.key, result)
    await this.next()
  }
}
