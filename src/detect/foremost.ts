/** The first of many in an order, without all of them in memory. */
export class Foremost<T> {
  readonly #limit: number
  readonly #compare: (a: T, b: T) => number
  #some: T[] = []
  /** The last of those that are kept, once there are more than the limit. */
  #last: T | null = null
  /** How many there were. */
  total = 0

  /** @param compare an order without ties, so that it does not matter in which order they come. */
  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit
    this.#compare = compare
  }

  add(one: T): void {
    this.total++
    if (this.#last !== null && this.#compare(one, this.#last) > 0) return
    this.#some.push(one)
    if (this.#some.length >= 2 * this.#limit + 1000) this.#cut()
  }

  /** In their order. */
  listed(): T[] {
    this.#cut()
    return [...this.#some]
  }

  #cut(): void {
    this.#some.sort(this.#compare)
    if (this.#some.length <= this.#limit) return
    this.#some.length = this.#limit
    this.#last = this.#some.at(-1) ?? null
  }
}
