/** Sums over what is left on an engine: of the records of one object and sensor that start in the same minute. */
import type { TextRow } from '../engines/engine.ts'
import { UserError } from '../errors.ts'
import { Column } from '../records/column.ts'
import { pulledCounts } from '../store/pulled.ts'
import type { PulledColumns } from '../store/segment-writer.ts'

interface Sum {
  sensor: string | null
  /** Without a name of its own: what else stands for a sensor. */
  instance: string | null
  place: string | null
  first_us: bigint | null
  last_us: bigint | null
  longest_us: bigint
  records: bigint
  accepted: bigint
  rejected: bigint
}

const rowsMost = 5_000_000

export interface ObjectSums {
  records: number
  accepted: number
  rejected: number
  /** Sensors with a name of their own. */
  sensors: number
  rows: number
}

export class Sums {
  readonly objects = new Map<string, Sum[]>()
  private rows = 0

  take(rows: readonly TextRow[]): void {
    this.rows += rows.length
    if (this.rows > rowsMost)
      throw new UserError(`the time has more than ${rowsMost} minutes of sensors`, {
        hint: 'a shorter time (--from, --to) has fewer',
      })
    for (const row of rows) {
      const [object, sensor, instance, subnet, direction, first, last, longest, records, accepted, rejected] = row
      const sums = this.objects.get(object ?? '') ?? []
      this.objects.set(object ?? '', sums)
      const place = [subnet, direction].filter(one => one !== null).join(' ')
      sums.push({
        ...{ sensor: sensor!, instance: instance!, place: place === '' ? null : place },
        ...{ first_us: big(first), last_us: big(last), longest_us: atLeastZero(big(longest)) },
        ...{ records: BigInt(records!), accepted: BigInt(accepted!), rejected: BigInt(rejected!) },
      })
    }
  }

  of(object: string): ObjectSums {
    const sums = this.objects.get(object) ?? []
    const sum = (name: 'records' | 'accepted' | 'rejected'): number =>
      Number(sums.reduce((total, one) => total + one[name], 0n))
    const sensors = new Set(sums.flatMap(({ sensor }) => sensor ?? []))
    const counts = { records: sum('records'), accepted: sum('accepted'), rejected: sum('rejected') }
    return { ...counts, sensors: sensors.size, rows: sums.length }
  }

  /** As columns of a segment. @param files number of each object's file; of those without one there are no sums: they were read whole. */
  columns(files: ReadonlyMap<string, number>): { columns: PulledColumns; rows: number } {
    const parts = [...this.objects].filter(([object]) => files.has(object))
    const rows = parts.reduce((sum, [, sums]) => sum + sums.length, 0)
    const lacks = [...this.objects.keys()].some(object => {
      const { records, sensors } = this.of(object)
      return records > 0 && sensors === 0
    })
    const file = new Uint32Array(rows)
    const sensor = new Column('sensor', 'text', rows)
    const [start, end] = [new Column('start', 'time', rows), new Column('end', 'time', rows)]
    const counts = pulledCounts.map(name => new Column(name, 'u64', rows))
    let row = 0
    for (const [object, sums] of parts) {
      for (const one of sums) {
        file[row] = files.get(object)!
        // As the case tells who recorded a record (`record-index/sensor.ts`).
        const name = one.sensor ?? (lacks ? (one.instance ?? one.place) : null)
        if (name === null) sensor.setNull(row)
        else sensor.codes[row] = sensor.words.codeOf(name)
        setWide(start, row, one.first_us)
        setWide(end, row, one.last_us)
        for (const [i, count] of pulledCounts.entries()) setWide(counts[i]!, row, one[count])
        row++
      }
    }
    return { columns: { file, sensor, start, end, counts }, rows }
  }
}

function big(text: string | null | undefined): bigint | null {
  return text === null || text === undefined ? null : BigInt(text)
}

/** Of a record that ends before it begins nothing is longer. */
function atLeastZero(value: bigint | null): bigint {
  return value === null || value < 0n ? 0n : value
}

function setWide(column: Column, row: number, value: bigint | null): void {
  if (value === null) column.setNull(row)
  else column.wide[row] = value
}
