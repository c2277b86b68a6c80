/** Which sensors recorded each connection: most have one, a few have many, and a set of names is kept once. */
import { assert } from '../errors.ts'

const none = 0xffff_ffff
/** A connection and a vantage are kept as one number, exact in 53 bits. */
const vantagesMax = 2 ** 24
/** Between the names of several sensors. */
export const separator = '\n'

export class SensorSets {
  private readonly first: Uint32Array
  private others = new Float64Array(1024)
  private count = 0

  constructor(connections: number) {
    this.first = new Uint32Array(connections).fill(none)
  }

  note(connection: number, vantage: number): void {
    if (this.first[connection] === none) this.first[connection] = vantage
    else if (this.first[connection] !== vantage) this.push(connection * vantagesMax + vantage)
  }

  private push(pair: number): void {
    if (this.count === this.others.length) {
      const grown = new Float64Array(2 * this.count)
      grown.set(this.others)
      this.others = grown
    }
    this.others[this.count++] = pair
  }

  /** The number of each connection's names among `names`. @param sensorOf the name of a vantage's sensor; null: unknown. */
  named(sensorOf: readonly (string | null)[]): { sensors: Uint32Array; names: string[] } {
    assert(sensorOf.length <= vantagesMax, 'vantages have numbers of 24 bits')
    const names = ['']
    const numberOf = new Map([['', 0]])
    const numbered = (text: string): number => {
      const known = numberOf.get(text)
      if (known !== undefined) return known
      numberOf.set(text, names.length)
      return names.push(text) - 1
    }
    const single = sensorOf.map(sensor => numbered(sensor ?? ''))
    const sensors = new Uint32Array(this.first.length)
    for (let i = 0; i < sensors.length; i++) if (this.first[i] !== none) sensors[i] = single[this.first[i]!]!
    const pairs = this.others.subarray(0, this.count).sort()
    for (let from = 0; from < pairs.length; ) {
      const connection = Math.floor(pairs[from]! / vantagesMax)
      const found = new Set([sensorOf[this.first[connection]!] ?? ''])
      for (; from < pairs.length && Math.floor(pairs[from]! / vantagesMax) === connection; from++)
        found.add(sensorOf[pairs[from]! % vantagesMax] ?? '')
      found.delete('')
      sensors[connection] = numbered([...found].sort().join(separator))
    }
    return { sensors, names }
  }
}
