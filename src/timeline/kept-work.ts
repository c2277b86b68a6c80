/** Work whose results are kept as long as they take no more than some memory: those that were asked for the longest go first. */
import { SharedWork } from './shared-work.ts'

export class KeptWork<T extends { readonly size: number }> {
  private readonly bytesMost: number
  /** The latest last. */
  private readonly known = new Map<string, SharedWork<T>>()
  private readonly sizes = new Map<string, number>()

  /** @param bytesMost bytes that all take together, but for the latest, which is always kept. */
  constructor(bytesMost: number) {
    this.bytesMost = bytesMost
  }

  /** What is kept under a key, or what the work gives. @throws what the work does; the signal's reason. */
  async get(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.known.get(key)
    const made = before === undefined || before.isLost ? new SharedWork(work) : before
    this.known.delete(key)
    this.known.set(key, made)
    try {
      const result = await made.join(signal)
      if (this.known.get(key) === made) this.sizes.set(key, result.size)
      this.trim(key)
      return result
    } catch (error) {
      if (this.known.get(key) === made && made.isLost) this.known.delete(key)
      throw error
    }
  }

  private trim(latest: string): void {
    let sum = [...this.sizes.values()].reduce((all, one) => all + one, 0)
    for (const key of [...this.known.keys()]) {
      const size = this.sizes.get(key)
      if (sum <= this.bytesMost) return
      if (key === latest || size === undefined) continue
      this.known.delete(key)
      this.sizes.delete(key)
      sum -= size
    }
  }
}
