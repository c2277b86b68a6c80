/** Numbers for what records have in common, in the order in which they are met. */
import { noProtocol } from './layout.ts'

const protocols = noProtocol + 1
const flagsMax = 64
/** More combinations are looked up in a map. */
const denseMax = 1 << 22

export class KindNumbers {
  readonly kinds: [sensor: number, action: number, protocol: number, flags: number][] = []
  private readonly actions: number
  /** By sensor, action and protocol: one more than the number of the combination. */
  private readonly dense: Uint32Array | null
  private readonly sparse = new Map<number, number>()
  private combinations = 0
  /** By combination and flags: one more than the number of the kind. */
  private numbers = new Uint32Array(flagsMax * 64)

  constructor(sensors: number, actions: number) {
    this.actions = actions
    const room = sensors * actions * protocols
    this.dense = room <= denseMax ? new Uint32Array(room) : null
  }

  numberOf(sensor: number, action: number, protocol: number, flags: number): number {
    const at = (sensor * this.actions + action) * protocols + protocol
    const combination = this.dense === null ? (this.sparse.get(at) ?? 0) : this.dense[at]!
    const place = flagsMax * ((combination === 0 ? this.addCombination(at) : combination) - 1) + flags
    const number = this.numbers[place]!
    if (number > 0) return number - 1
    this.numbers[place] = this.kinds.push([sensor, action, protocol, flags])
    return this.kinds.length - 1
  }

  private addCombination(at: number): number {
    const combination = ++this.combinations
    if (this.dense === null) this.sparse.set(at, combination)
    else this.dense[at] = combination
    if (flagsMax * combination > this.numbers.length) {
      const grown = new Uint32Array(2 * this.numbers.length)
      grown.set(this.numbers)
      this.numbers = grown
    }
    return combination
  }
}
