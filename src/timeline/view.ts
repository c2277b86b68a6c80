/** What a filter matches, summed up over any time. */
import {
  type ActionRow,
  Figures,
  type HostOrder,
  type HostRow,
  hostText,
  type Order,
  type Page,
  type PortRow,
  type ProtocolRow,
  type SensorRow,
  type Totals,
} from './figures.ts'
import type { Links } from './link.ts'
import type { LinkOptions } from './links.ts'
import { rowsOf, type ViewParts, type Window } from './parts.ts'
import { type RequestOf, requestsOf } from './requests.ts'
import { type Measure, type SeriesAnswer, type Stack, seriesOf } from './series-of.ts'

export interface RangeOptions {
  /** Rows of each list of hosts and ports at most. By default 12. */
  top?: number
  /** What the lists rank by, from the largest. By default bytes. */
  order?: Order
  /** What hosts rank by, if by something else. */
  hostOrder?: HostOrder
  /** Whether the hosts are worked out exactly where the kept totals do not prove them. */
  complete?: boolean
}

export interface Range extends Partial<Window> {
  totals: Totals
  /** Records of which it cannot be told whether they match and begin in the window. */
  unknown: number
  hosts: Page<HostRow>
  ports: Page<PortRow>
  /** Null where the records' sensors cannot be told apart. */
  sensors: SensorRow[] | null
  actions: ActionRow[]
  protocols: ProtocolRow[]
}

/** Does work that reads the index, again where that was damaged and made again. */
export type Reading = <T>(work: () => T | Promise<T>) => Promise<T>

const topUsual = 12

export class View {
  private readonly parts: ViewParts
  private readonly reading: Reading

  constructor(parts: ViewParts, reading: Reading) {
    this.parts = parts
    this.reading = reading
  }

  /** Bytes that it takes beside the rows that match. */
  get size(): number {
    const { running, hosts } = this.parts
    return (hosts.table?.byteLength ?? 0) + running.reduce((sum, one) => sum + one.size, 0)
  }

  /** What it means, one English sentence. It holds the user's text; whoever shows it makes it visible. */
  get sentence(): string {
    return this.parts.sentence
  }

  get notes(): readonly string[] {
    return this.parts.notes
  }

  /** How volumes are counted. */
  get counting(): ViewParts['counting'] {
    return this.parts.counting
  }

  /** Of all that matches, records without a time too. */
  get totals(): Totals {
    return this.figures(this.parts.running.map(({ whole }) => whole)).totals()
  }

  /** Records of which it cannot be told whether they match. */
  get unknown(): number {
    return this.parts.unknown?.count ?? 0
  }

  /** Of what matches and does not say when it began: in no window. */
  withoutTime(): Promise<Totals> {
    const { timed, rows } = this.parts.reader.index.about
    return this.reading(() => this.between(timed, rows).totals())
  }

  /** What begins in a window; null: all that matches, without a time too. @throws DamagedSections that come again; the system's error. */
  range(window: Window | null, options: RangeOptions = {}): Promise<Range> {
    return this.reading(async () => {
      const { index } = this.parts.reader
      const [from, to] = window === null ? [0, index.rows] : rowsOf(this.parts.reader, window)
      // Before the other sums, which are in the same memory.
      const unknown = window === null ? this.unknown : this.unknownIn(from, to)
      const figures = this.between(from, to)
      const { top = topUsual, order = 'bytes', hostOrder = order } = options
      const answer: Range = {
        ...window,
        totals: figures.totals(),
        unknown,
        hosts: this.hosts(figures, hostOrder, top),
        ports: { rows: figures.ports(order, top), count: figures.countOf('ports', 0), exact: true },
        sensors: index.about.areSensorsTold ? figures.sensors(order) : null,
        actions: figures.actions(order),
        protocols: figures.protocols(order),
      }
      if (options.complete === true && !answer.hosts.exact)
        answer.hosts = await this.completeHosts([from, to], hostOrder, top)
      return answer
    })
  }

  /** The series over bins of which about `bins` fill the window. @throws DamagedSections that come again; the system's error. */
  series(window: Window, bins: number, measure: Measure, stack: Stack): Promise<SeriesAnswer> {
    return this.reading(() => seriesOf(this.parts, window, bins, measure, stack))
  }

  /** Who sent how much to whom in a window (null: all, those without a time too). @throws DamagedSections that come again; the signal's reason. */
  links(window: Window | null, options: LinkOptions): Promise<Links> {
    return this.reading(async () => {
      const { reader } = this.parts
      const { linksOf } = await import('./links.ts')
      return linksOf(this.parts, window === null ? [0, reader.index.rows] : rowsOf(reader, window), options)
    })
  }

  /** What `tidemark flows` is asked for the same figures. */
  requests(window: Window | null, options: RangeOptions = {}): RequestOf {
    const { top = topUsual, order = 'bytes' } = options
    return requestsOf(this.parts.request, window, order, top)
  }

  private figures(sums: ConstructorParameters<typeof Figures>[2]): Figures {
    const { reader, running, fields } = this.parts
    return new Figures(reader.index.about, running[0]!.basis.groups, sums, fields)
  }

  private between(from: number, to: number): Figures {
    return this.figures(this.parts.running.map(one => one.between(from, to)))
  }

  private unknownIn(from: number, to: number): number {
    const { reader, unknown } = this.parts
    const { timed, rows } = reader.index.about
    // Of what does not say when it began it cannot be told either, unless the filter excludes it.
    const without = timed === rows ? 0 : this.between(timed, rows).totals().records
    if (unknown === null) return without
    return without + unknown.rank(rows) - unknown.rank(timed) + unknown.rank(to) - unknown.rank(from)
  }

  private hosts(figures: Figures, order: HostOrder, top: number): Page<HostRow> {
    const { reader, hosts } = this.parts
    const { most, listed, count } = hosts
    const rows = figures.hosts(order, top, hosts, host => hostText(reader.index.hosts, host))
    if (most === null) return { rows, count: figures.countOf('hosts', listed), exact: true }
    const others = figures.othersOf(count - 1)
    const last = rows.length < top ? 0 : BigInt(rows.at(-1)?.[order] ?? 0)
    // Nobody sent, or received, more than both together.
    const bound = order === 'records' ? most.records : most.bytes
    return {
      rows,
      count: others === 0 ? figures.countOf('hosts', listed) : null,
      exact: others === 0 || last > bound,
    }
  }

  private async completeHosts(rows: readonly [number, number], order: HostOrder, top: number): Promise<Page<HostRow>> {
    const { allHosts } = await import('./complete.ts')
    return allHosts(this.parts, rows, order, top)
  }
}
