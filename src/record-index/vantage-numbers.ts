/** Numbers for the points that recorded the records: a sensor, and the flow log that wrote its file. */
import type { RecordVantage } from './block.ts'

/** Who recorded a file, as far as the file tells. */
export interface Origin {
  /** Of packets: a capture, or all pieces of one that was cut. */
  sensor: string | null
  subscription: string | null
}

/** What the files of a case tell of who recorded them. */
export interface FileOrigins {
  origins: readonly Origin[]
  /** The number of each file's origin, by its own number. */
  ofFile: Uint32Array
}

export interface RankedVantages {
  /** In the order of their sensors, then their subscriptions, those without one last. */
  vantages: RecordVantage[]
  /** The number among them of each number that `numberOf` gave. */
  ranks: Uint32Array
}

/** Numbers for the vantages of records. */
export class VantageNumbers {
  private readonly found: { sensor: string | null; subscription: string | null; longest_us: number }[] = []
  private readonly known = new Map<string, number>()
  private readonly files: FileOrigins
  private readonly sensors: readonly (string | null)[]
  /** By the number of the file's origin, and that of the sensor's text. */
  private readonly tables: Int32Array[]

  /** @param sensors texts of the records' sensors; none where the files alone tell. */
  constructor(files: FileOrigins, sensors: readonly (string | null)[]) {
    this.files = files
    this.sensors = sensors
    this.tables = files.origins.map(() => new Int32Array(Math.max(1, sensors.length)).fill(-1))
  }

  /** The number of a record's vantage. @param text number of its sensor's text. */
  numberOf(file: number, text: number): number {
    const origin = this.files.ofFile[file]!
    const table = this.tables[origin]!
    const number = table[text]!
    return number < 0 ? (table[text] = this.vantageOf(file, this.sensors[text] ?? null)) : number
  }

  /** As `numberOf`, by the sensor's text itself. */
  vantageOf(file: number, text: string | null): number {
    const { sensor: ofFile, subscription } = this.files.origins[this.files.ofFile[file]!]!
    const sensor = text ?? ofFile
    const name = JSON.stringify([sensor, subscription])
    const known = this.known.get(name)
    if (known !== undefined) return known
    this.known.set(name, this.found.push({ sensor, subscription, longest_us: 0 }) - 1)
    return this.found.length - 1
  }

  /** Tells the length of a record of a vantage, microseconds. */
  lasted(number: number, length_us: number): void {
    const vantage = this.found[number]!
    if (length_us > vantage.longest_us) vantage.longest_us = length_us
  }

  ranked(): RankedVantages {
    const order = this.found.map((_, number) => number)
    order.sort((a, b) => {
      const one = this.found[a]!
      const other = this.found[b]!
      return compared(one.sensor, other.sensor) || compared(one.subscription, other.subscription)
    })
    const ranks = new Uint32Array(order.length)
    for (const [rank, number] of order.entries()) ranks[number] = rank
    return { vantages: order.map(number => this.found[number]!), ranks }
  }
}

/** By the bytes of the text, as DuckDB does; null last. */
function compared(a: string | null, b: string | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? 1 : -1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
