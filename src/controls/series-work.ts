/** The steps of counting metrics, each for a thread of its own or for the only one: some blocks of records at a time. */
import { formatAddress } from '../net/address.ts'
import { known, large, noHost, type RecordBlock, type RecordDictionaries } from '../record-index/block.ts'
import type { BlockColumn, RecordIndex } from '../record-index/read.ts'
import type { Does } from '../store/crew.ts'
import { type FilterPattern, holds, type PatternField, parsePattern } from './filter-pattern.ts'
import { LogNotes, type NotedLogs } from './log-groups.ts'
import { addTo, emptySeries, type Marks, type Metric, type Series } from './series.ts'

/** What all threads know: what is long in common memory. */
export interface SeriesSettings {
  metrics: readonly Metric[]
  marks: Marks
  /** Of `NotedLogs.periods`, seconds. */
  period: number
  /** Numbers of files whose records no pattern fits: they are in no series. */
  others: ReadonlySet<number>
}

/** Blocks of records, from one number up to another one, and the place of their first record. */
export interface BlocksAt {
  blocks: readonly [number, number]
  place: number
}

export interface CountedBlocks {
  notes: NotedLogs
  /** Of each metric, by the number of a log in `logsIn`. */
  series: Series[][]
}

export interface SeriesSteps {
  count: { given: BlocksAt; done: CountedBlocks }
}

const columns: readonly BlockColumn[] = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort', 'protocol'] as const),
  ...(['action', 'packets', 'bytes', 'start_us', 'end_us', 'vantage', 'known'] as const),
]

/** The flow logs of vantages. */
export function logsIn({ vantages }: Pick<RecordDictionaries, 'vantages'>): (string | null)[] {
  return [...new Set(vantages.map(({ subscription }) => subscription))]
}

export class SeriesWork implements Does<SeriesSteps> {
  private readonly settings: SeriesSettings
  private readonly index: RecordIndex
  private readonly logs: number
  /** By vantage. */
  private readonly logOf: Uint32Array
  private readonly counters: Counter[]

  constructor(settings: SeriesSettings, index: RecordIndex) {
    const { dictionaries } = index
    const logs = logsIn(dictionaries)
    this.settings = settings
    this.index = index
    this.logs = logs.length
    this.logOf = Uint32Array.from(dictionaries.vantages, ({ subscription }) => logs.indexOf(subscription))
    this.counters = settings.metrics.map(metric => new Counter(metric, dictionaries))
  }

  async does<Step extends keyof SeriesSteps>(
    _: Step,
    { blocks, place }: SeriesSteps[Step]['given'],
  ): Promise<SeriesSteps[Step]['done']> {
    const { counters } = this
    const notes = new LogNotes(this.index.dictionaries.vantages.length, this.settings.period)
    for (const counter of counters) counter.start(this.logs)
    let first = place
    for await (const block of this.index.blocks(this.settings.others.size > 0 ? [...columns, 'file'] : columns, {
      blocks,
    })) {
      notes.note(block)
      this.countIn(block, first, notes)
      first += block.rows
    }
    return { notes: notes.noted, series: counters.map(({ series }) => series) }
  }

  private countIn(block: RecordBlock, first: number, notes: LogNotes): void {
    const { counters, logOf } = this
    const { marks, others } = this.settings
    const { isProtected, isAttacker } = marks
    const { rows, source, destination, vantage } = block
    const from = block.sourceSeen ?? source
    const to = block.destinationSeen ?? destination
    for (const counter of counters) counter.begin(block)
    for (let row = 0; row < rows; row++) {
      // The patterns are about ends as the sensors saw them.
      if (isProtected[from[row]!] !== 1 && isProtected[to[row]!] !== 1) continue
      notes.count(vantage[row]!)
      if (others.size > 0 && others.has(block.file[row]!)) continue
      const isAttack = isAttacker[source[row]!] === 1 || isAttacker[destination[row]!] === 1
      const log = logOf[vantage[row]!]!
      for (let i = 0; i < counters.length; i++) counters[i]!.count(row, first + row, log, isAttack)
    }
  }
}

/** A test of a block's rows: made once for each block, so that the loop over its rows has the columns at hand. */
type Test = (block: RecordBlock) => (row: number) => boolean

class Counter {
  /** By the number of a log, since the last start. */
  series: Series[] = []
  private readonly tests: Test[]
  private readonly valueOf: (block: RecordBlock, row: number) => number | null
  private readonly period_us: number
  private block: RecordBlock | null = null
  private bound: ((row: number) => boolean)[] = []

  constructor({ pattern, value, period }: Metric, dictionaries: RecordDictionaries) {
    this.tests = testsOf(parsePattern(pattern), dictionaries)
    this.valueOf = value.startsWith('$') ? (block, row) => counterOf(block, row, value.slice(1)) : () => Number(value)
    this.period_us = period * 1_000_000
  }

  start(logs: number): void {
    this.series = Array.from({ length: logs }, emptySeries)
  }

  /** What the next records are of. */
  begin(block: RecordBlock): void {
    this.block = block
    this.bound = this.tests.map(test => test(block))
  }

  count(row: number, place: number, log: number, isAttack: boolean): void {
    const { bound } = this
    for (let i = 0; i < bound.length; i++) if (!bound[i]!(row)) return
    const block = this.block!
    if ((block.known[row]! & (known.start | known.end)) === 0) return
    const value = this.valueOf(block, row)
    if (value === null) return
    const period = Math.floor(block.start_us[row]! / this.period_us)
    addTo(this.series[log]!, period, { value, ofOthers: isAttack ? 0 : value, place, end_us: block.end_us[row]! })
  }
}

/** Packets or bytes; null where the record does not say. A sum beyond 2^53 is rounded, as CloudWatch's is. */
function counterOf(block: RecordBlock, row: number, name: string): number | null {
  if (name !== 'packets' && name !== 'bytes') throw new Error(`the record index has no numbers of ${name}`)
  if ((block.known[row]! & known[name]) === 0) return null
  const value = block[name][row]!
  return value === large ? Number(block.largeCounters.get(row)![name]) : value
}

/** What a pattern asks of the columns, the cheapest first. @throws Error for a field that the index has not. */
function testsOf({ fields }: FilterPattern, dictionaries: RecordDictionaries): Test[] {
  const asked = new Map(fields.flatMap(field => (field.anyOf.length === 0 ? [] : [[field.name!, field] as const])))
  const tests: Test[] = []
  const take = (name: string, make: (field: PatternField) => Test | null): void => {
    const field = asked.get(name)
    asked.delete(name)
    const test = field === undefined ? null : make(field)
    if (test !== null) tests.push(test)
  }
  const { actions } = dictionaries
  const actionText = (number: number): string => ['-', 'ACCEPT', 'REJECT', ...actions][number]!
  // Every record of the index is one of status OK; the others are no records.
  take('log_status', field => (holds(field, 'OK') ? null : () => () => false))
  take('action', field =>
    remembered(
      256,
      number => holds(field, actionText(number)),
      block => block.action,
      null,
    ),
  )
  const bits = { srcport: known.sourcePort, dstport: known.destinationPort, protocol: known.protocol }
  const numbers = (field: PatternField, count: number, at: (block: RecordBlock) => Numbers, bit: number): Test =>
    remembered(count, number => holds(field, String(number)), at, { bit, holds: holds(field, '-') })
  take('srcport', field => numbers(field, 1 << 16, block => block.sourcePort, bits.srcport))
  take('dstport', field => numbers(field, 1 << 16, block => block.destinationPort, bits.dstport))
  take('protocol', field => numbers(field, 256, block => block.protocol, bits.protocol))
  const { hosts } = dictionaries
  const hostTest = (field: PatternField, at: (block: RecordBlock) => Uint32Array): Test => {
    const text = (host: number): string => formatAddress(hosts.hi[host]!, hosts.lo[host]!)
    return remembered(hosts.count, host => holds(field, host === noHost ? '-' : text(host)), at, null)
  }
  take('srcaddr', field => hostTest(field, block => block.sourceSeen ?? block.source))
  take('dstaddr', field => hostTest(field, block => block.destinationSeen ?? block.destination))
  for (const name of ['packets', 'bytes'] as const)
    take(name, field => block => row => holds(field, String(counterOf(block, row, name) ?? '-')))
  const [other] = asked.keys()
  if (other !== undefined) throw new Error(`the record index has no ${other}`)
  return tests
}

type Numbers = Uint8Array | Uint16Array | Uint32Array

/**
 * A test of a column that is asked once for each of its numbers.
 *
 * @param count of the numbers; of a greater one, such as `noHost`, it is asked each time. @param absent the bit without which a record has none,
 * and what the test says of that.
 */
function remembered(
  count: number,
  test: (number: number) => boolean,
  at: (block: RecordBlock) => Numbers,
  absent: { bit: number; holds: boolean } | null,
): Test {
  const verdicts = new Uint8Array(count)
  return block => {
    const column = at(block)
    const { known: bits } = block
    const bit = absent?.bit ?? 0
    return row => {
      if (bit !== 0 && (bits[row]! & bit) === 0) return absent!.holds
      const number = column[row]!
      const verdict = verdicts[number]
      if (verdict === 1 || verdict === 2) return verdict === 1
      const is = test(number)
      verdicts[number] = is ? 1 : 2
      return is
    }
  }
}
