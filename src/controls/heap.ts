/** Things of which the first by some order is taken out again and again. */
export class Heap<T> {
  private readonly things: T[]
  private readonly isBefore: (a: T, b: T) => boolean

  constructor(isBefore: (a: T, b: T) => boolean, things: T[]) {
    this.isBefore = isBefore
    this.things = things
    for (let at = (things.length >>> 1) - 1; at >= 0; at--) this.sink(at)
  }

  peek(): T | undefined {
    return this.things[0]
  }

  pop(): T | undefined {
    const first = this.things[0]
    const last = this.things.pop()
    if (this.things.length > 0) {
      this.things[0] = last!
      this.sink(0)
    }
    return first
  }

  push(thing: T): void {
    const { things } = this
    let at = things.push(thing) - 1
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (!this.isBefore(things[at]!, things[above]!)) return
      this.swap(at, above)
      at = above
    }
  }

  private sink(from: number): void {
    const { things } = this
    for (let at = from; ; ) {
      let best = at
      for (const below of [2 * at + 1, 2 * at + 2])
        if (below < things.length && this.isBefore(things[below]!, things[best]!)) best = below
      if (best === at) return
      this.swap(at, best)
      at = best
    }
  }

  private swap(a: number, b: number): void {
    const { things } = this
    ;[things[a], things[b]] = [things[b]!, things[a]!]
  }
}
