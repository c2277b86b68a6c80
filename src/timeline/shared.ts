/**
 * Records that have their place in common: the two directions of a line of a table whose ends are one and the same. Which of them match is
 * told by how many of those match that are the same in all that the index holds.
 */
import { matching, type Setting } from '../flows/plan.ts'
import {
  cast,
  column,
  constant,
  count,
  firstKnown,
  join,
  microseconds,
  named,
  own,
  select,
  table,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import { giveTable, numbers } from '../store/given-table.ts'
import type { TimelineAbout } from './layout.ts'
import { lineOf } from './places.ts'

/** How many match, by `signature`. */
export type SharedMatches = Map<string, number>

/** What tells records of one place apart. Counters that are not known are zero. */
export function signature(place: number, second: number, bytes: bigint, packets: bigint): string {
  return `${place} ${second} ${bytes} ${packets}`
}

/** @param way as in `placesWhere`. */
export async function sharedWhere(
  c: Case,
  setting: Setting,
  where: Expression,
  way: Expression,
  { files, ways, shared }: TimelineAbout,
): Promise<SharedMatches> {
  const found: SharedMatches = new Map()
  if (shared.length === 0) return found
  const lines = shared.map(place => lineOf(files, ways, place))
  const bases = new Map(files.map(({ file, base }) => [file, base]))
  const [file, line] = (['file', 'line'] as const).map(name => Uint32Array.from(lines, one => one[name]))
  await giveTable(c.db, places, [numbers('_file', file!), numbers('_line', line!)], shared.length)
  const counter = (name: string): Expression => firstKnown(cast(column(name), 'whole'), constant(0))
  const needs = ['srcaddr', 'dstaddr', 'srcport', 'dstport', 'start', 'bytes', 'packets']
  const records = select(
    ['_file', '_line', ...needs].map(own),
    matching({ ...setting, filter: { ...setting.filter, where } }, needs),
  )
  const told = [
    named(way, 'way'),
    named(microseconds(column('start')), 'us'),
    named(counter('bytes'), 'b'),
    named(counter('packets'), 'p'),
  ]
  const keys = [own('_file'), own('_line'), ...told]
  const of = select(keys, { from: join('semi', records, table(places), ['_file', '_line']) })
  const names = ['_file', '_line', 'way', 'us', 'b', 'p']
  const query = select([...names.map(own), named(count(), 'n')], { from: of, groupBy: names.map(name => column(name)) })
  const { text, values } = setting.dialect.print(query)
  for await (const rows of await c.db.stream(text, values)) {
    for (const [of, at, which, us, bytes, packets, n] of rows) {
      const place = bases.get(Number(of))! + ways * Number(at) + Number(which)
      const second = us === null ? Number.NaN : Math.floor(Number(us) / 1_000_000)
      found.set(signature(place, second, BigInt(String(bytes)), BigInt(String(packets))), Number(n))
    }
  }
  return found
}

const places = 'shared_places'
