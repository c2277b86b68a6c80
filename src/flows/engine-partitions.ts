/** Which folders of a partitioned table hold records of some times: days and hours are told from the names and values of its columns. */
import type { EngineTable, MayHold } from '../engines/engine.ts'
import { all, any, column, compare, constant, trusted } from '../query/build.ts'
import type { Comparator, Expression } from '../query/nodes.ts'
import type { TimeRange } from './engine-times.ts'

/** AWS names a file after the end of its records, up to five minutes before; a record ends at most ten minutes after it began, and is late then. */
const widened = { before_us: 300_000_000n, after_us: 900_000_000n }

/** A column of partitions that tells a part of the time, as it writes it. */
interface Part {
  name: string
  kind: 'text' | 'number' | 'date'
  write(time: Date): string
  /** The same as names of folders have it; null: in a form that is in no order. Absent: as `write` does. */
  inFolders?: ((time: Date) => string) | null
}

const two = (number: number): string => String(number).padStart(2, '0')

interface Form {
  form: RegExp
  write(time: Date): string
}

/** Forms of one value that tells a day; with a day before its month no times are in order. */
const days: (Form & { sign: string; source: string })[] = ['-', '/', ''].map(sign => {
  const source = `\\d{4}${sign}(?:0[1-9]|1[0-2])${sign}\\d\\d`
  const write = (time: Date): string =>
    [time.getUTCFullYear(), two(time.getUTCMonth() + 1), two(time.getUTCDate())].join(sign)
  return { sign, source, form: new RegExp(`^${source}$`), write }
})

/** And of one that tells a day, or a day and an hour. */
const dayForms: Form[] = days.flatMap(day => {
  const hours = [day.sign, '-', ' ', 'T'].map(by => ({
    form: new RegExp(`^${day.source}${by}\\d\\d$`),
    write: (time: Date): string => `${day.write(time)}${by}${two(time.getUTCHours())}`,
  }))
  return [day, ...hours]
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

/** Days on which something was done with the records, which says nothing of when they are of. */
const otherDays = /ingest|load|insert|arriv|process|creat|updat/

/**
 * Whether numbers in these values have zeros before them. Of all values, none of which is short, it does not matter; of some of them, two digits
 * may be October to December of a column that has `9`, too.
 */
function isInOrder({ values, isSample }: EngineTable['partitions'][number]): boolean {
  return isSample !== true || values.some(value => /(?:^|\D|^\d{4}|^\d{6})0\d(?!\d{3})/.test(value))
}

function wholeDay(given: EngineTable['partitions'][number]): Part | null {
  const { name, type, values } = given
  if (otherDays.test(name)) return null
  if (type === 'date') {
    // A projected column may write its days in other forms.
    const found = values.length === 0 ? days[0] : days.find(({ form }) => values.every(value => form.test(value)))
    return { name, kind: 'date', write: days[0]!.write, inFolders: found?.write ?? null }
  }
  if (!type.startsWith('varchar') || values.length === 0 || !isInOrder(given)) return null
  const found = dayForms.find(({ form }) => values.every(value => form.test(value)))
  return found === undefined ? null : { name, kind: 'text', write: found.write }
}

function onePart(given: EngineTable['partitions'][number], { of, digits }: (typeof numbers)[number]): Part | null {
  const { name, type, values } = given
  if (/^(tiny|small|big)?int(eger)?$/.test(type)) return { name, kind: 'number', write: time => String(of(time)) }
  // Text is in order only where all values are of one length.
  const isText = values.length > 0 && values.every(value => /^\d+$/.test(value) && value.length === digits)
  if (!isText || (digits === 2 && !isInOrder(given))) return null
  return { name, kind: 'text', write: time => String(of(time)).padStart(digits, '0') }
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

/** The same of folders, by what their names say; null where all may hold such records. */
export function mayHoldOf({ partitions }: EngineTable, ranges: readonly TimeRange[]): MayHold | null {
  const parts = partsOf(partitions)
  if (parts.length === 0 || ranges.some(({ from_us, to_us }) => from_us === null && to_us === null)) return null
  return told =>
    ranges.some(
      ({ from_us, to_us }) =>
        (from_us === null || isWithin(parts, told, '>=', from_us - widened.before_us)) &&
        (to_us === null || isWithin(parts, told, '<=', to_us + widened.after_us)),
    )
}

function isWithin(parts: readonly Part[], told: Parameters<MayHold>[0], comparator: '>=' | '<=', us: bigint): boolean {
  const time = new Date(Number(us / 1000n))
  for (const part of parts) {
    const { inFolders = part.write } = part
    const order = inFolders === null ? null : orderOf(part, told(part.name), inFolders(time))
    if (order === null) return true
    if (order !== 0) return order > 0 === (comparator === '>=')
  }
  return true
}

/** Null: it is not told, as of a text that only begins alike. */
function orderOf({ kind }: Part, value: string | null, bound: string): number | null {
  if (value === null) return null
  if (kind === 'number') return /^\d+$/.test(value) ? Number(value) - Number(bound) : null
  // How a column writes its days may not be known: only what looks alike is in order.
  if (kind === 'date' && looks(value) !== looks(bound).slice(0, value.length)) return null
  if (value.length < bound.length && bound.startsWith(value)) return null
  return value === bound ? 0 : value < bound ? -1 : 1
}

function looks(text: string): string {
  return text.replace(/\d/g, '0')
}

/** Part by part, as times are in order; and of the largest part by itself, which every engine understands. */
function bounded(parts: readonly Part[], comparator: '>=' | '<=', us: bigint): Expression {
  if (parts.length === 0) return constant(true)
  const time = new Date(Number(us / 1000n))
  const strict: Comparator = comparator === '>=' ? '>' : '<'
  const from = (i: number): Expression => {
    const part = parts[i]!
    const [value, bound] = [column(part.name), written(part, time)]
    if (i === parts.length - 1) return compare(comparator, value, bound)
    return any([compare(strict, value, bound), all([compare('=', value, bound), from(i + 1)])])
  }
  const [first] = parts as [Part]
  return parts.length === 1 ? from(0) : all([compare(comparator, column(first.name), written(first, time)), from(0)])
}

function written({ kind, write }: Part, time: Date): Expression {
  const text = write(time)
  if (kind === 'date') return trusted(`DATE '${text}'`, [], 'trino')
  return constant(kind === 'number' ? Number(text) : text)
}
