/** Which records match a filter, as bits by their place: asked of the engine. */

import { matching, type Setting } from '../flows/plan.ts'
import { unknownCount } from '../flows/unknown.ts'
import { choose, column, compare, constant, firstKnown, named, own, select, tuple } from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import type { TimelineAbout } from './layout.ts'
import { Bits, basesOf } from './places.ts'
import { type SharedMatches, sharedWhere } from './shared.ts'

/** Places of the records that match, and of those of which it cannot be told; null: there are none. */
export interface Matches {
  places: MatchedPlaces
  unknown: MatchedPlaces | null
}

export interface MatchedPlaces {
  bits: Bits
  /** Of those places that several records have. */
  shared: SharedMatches
}

/** @param asked what `asked` made of the filter, within a question. */
export async function matchesOf(c: Case, asked: Setting, about: TimelineAbout): Promise<Matches> {
  const setting: Setting = { ...asked, collapsed: null, request: {} }
  const places = await placesWhere(c, setting, setting.filter.where, about)
  const hasUnknown = (await unknownCount(c, setting)) !== 0
  return { places, unknown: hasUnknown ? await placesWhere(c, setting, setting.filter.unknown, about) : null }
}

async function placesWhere(c: Case, setting: Setting, where: Expression, about: TimelineAbout): Promise<MatchedPlaces> {
  const { files, ways, places } = about
  const found = new Bits(places)
  const bases = basesOf(files)
  const items = [own('_file'), own('_line'), ...(ways === 1 ? [] : [named(way, 'way')])]
  const needs = ways === 1 ? [] : ['srcaddr', 'dstaddr', 'srcport', 'dstport']
  const query = select(items, matching({ ...setting, filter: { ...setting.filter, where } }, needs))
  const { text, values } = setting.dialect.print(query)
  const answer = await c.db.stream(text, values)
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    const [files, lines] = [new Uint32Array(batch.columns[0]!.data), new Uint32Array(batch.columns[1]!.data)]
    const of = ways === 1 ? null : new Uint8Array(batch.columns[2]!.data)
    for (let row = 0; row < batch.rows; row++) {
      const place = bases[files[row]!]! + ways * lines[row]! + (of === null ? 0 : of[row]!)
      // A record that the index has not is of no state of this case.
      if (place >= 0) found.add(place)
    }
  }
  return { bits: found, shared: await sharedWhere(c, setting, where, way, about) }
}

const end = (address: string, port: string): Expression => tuple(column(address), firstKnown(column(port), constant(0)))
/** As `wayOf`. */
const way = choose(
  [[compare('>', end('srcaddr', 'srcport'), end('dstaddr', 'dstport')), constant(1, 'u8')]],
  constant(0, 'u8'),
)
