/** Which folders of a partitioned table hold records of some times: days and hours are told from the names and values of its columns. */

import type { EngineTable } from '../engines/engine.ts'
import { all, any, column, compare, constant, trusted } from '../query/build.ts'
import type { Comparator, Expression } from '../query/nodes.ts'
import type { TimeRange } from './engine-times.ts'

/** AWS names a file after the end of its records, up to five minutes before; a record ends at most ten minutes after it began, and is late then. */
const widened = { before_us: 300_000_000n, after_us: 900_000_000n }

/** A column of partitions that tells a part of the time, as it writes it. */
interface Part {
  name: string
  write(time: Date): Expression
}

const two = (number: number): string => String(number).padStart(2, '0')

/** Forms of one value that tells a day, or a day and an hour. */
const dayForms: { form: RegExp; write(time: Date): string }[] = ['-', '/', ''].flatMap(sign => {
  const day = (time: Date): string =>
    [time.getUTCFullYear(), two(time.getUTCMonth() + 1), two(time.getUTCDate())].join(sign)
  const hours = [sign, '-', ' ', 'T'].map(by => ({
    form: new RegExp(`^\\d{4}${sign}\\d\\d${sign}\\d\\d${by}\\d\\d$`),
    write: (time: Date): string => `${day(time)}${by}${two(time.getUTCHours())}`,
  }))
  return [{ form: new RegExp(`^\\d{4}${sign}\\d\\d${sign}\\d\\d$`), write: day }, ...hours]
})

/** Columns that tell one part of the time each, from the largest. */
const numbers: { name: RegExp; of(time: Date): number; digits: number }[] = [
  { name: /^(p_)?(year|yyyy)$/, of: time => time.getUTCFullYear(), digits: 4 },
  { name: /^(p_)?(month|mm)$/, of: time => time.getUTCMonth() + 1, digits: 2 },
  { name: /^(p_)?(day|dd)$/, of: time => time.getUTCDate(), digits: 2 },
  { name: /^(p_)?(hour|hh)$/, of: time => time.getUTCHours(), digits: 2 },
]

/** The columns that tell the time, from the largest part; those after a part that cannot be read are left out. */
function partsOf(partitions: EngineTable['partitions']): Part[] {
  const day = partitions.flatMap(one => wholeDay(one) ?? [])[0]
  const rest = (from: number): Part[] => {
    const parts: Part[] = []
    for (const number of numbers.slice(from)) {
      const found = partitions.find(({ name }) => number.name.test(name))
      const part = found === undefined ? null : onePart(found, number)
      if (part === null) break
      parts.push(part)
    }
    return parts
  }
  return day === undefined ? rest(0) : [day, ...rest(3).filter(({ name }) => name !== day.name)]
}

function wholeDay({ name, type, values }: EngineTable['partitions'][number]): Part | null {
  if (type === 'date') {
    const write = (time: Date): Expression => trusted(`DATE '${time.toISOString().slice(0, 10)}'`, [], 'trino')
    return { name, write }
  }
  if (!type.startsWith('varchar') || values.length === 0) return null
  const found = dayForms.find(({ form }) => values.every(value => form.test(value)))
  return found === undefined ? null : { name, write: time => constant(found.write(time)) }
}

function onePart(
  { name, type, values }: EngineTable['partitions'][number],
  { of, digits }: (typeof numbers)[number],
): Part | null {
  if (/^(tiny|small|big)?int(eger)?$/.test(type)) return { name, write: time => constant(of(time)) }
  // Text is in order only where all values are of one length.
  if (values.length === 0 || !values.every(value => /^\d+$/.test(value) && value.length === digits)) return null
  return { name, write: time => constant(String(of(time)).padStart(digits, '0')) }
}

/** Which partitions may hold records of these times; null where all may, or the columns do not tell the time. */
export function partitionsOf({ partitions }: EngineTable, ranges: readonly TimeRange[]): Expression | null {
  const parts = partsOf(partitions)
  const bounds = ranges.map(({ from_us, to_us }) => {
    const from = from_us === null ? [] : [bounded(parts, '>=', from_us - widened.before_us)]
    const to = to_us === null ? [] : [bounded(parts, '<=', to_us + widened.after_us)]
    return [...from, ...to]
  })
  if (parts.length === 0 || bounds.some(some => some.length === 0)) return null
  return any(bounds.map(some => all(some)))
}

/** Part by part, as times are in order; and of the largest part by itself, which every engine understands. */
function bounded(parts: readonly Part[], comparator: '>=' | '<=', us: bigint): Expression {
  if (parts.length === 0) return constant(true)
  const time = new Date(Number(us / 1000n))
  const strict: Comparator = comparator === '>=' ? '>' : '<'
  const from = (i: number): Expression => {
    const { name, write } = parts[i]!
    if (i === parts.length - 1) return compare(comparator, column(name), write(time))
    return any([
      compare(strict, column(name), write(time)),
      all([compare('=', column(name), write(time)), from(i + 1)]),
    ])
  }
  const [{ name, write }] = parts as [Part]
  return parts.length === 1 ? from(0) : all([compare(comparator, column(name), write(time)), from(0)])
}
