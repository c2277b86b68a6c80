/** The time index of a case: of its cache, else made and kept there. */
import { collapsedTable } from '../flows/count-once.ts'
import { recordsOf } from '../flows/source.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import { viewOf } from '../record-index/projection.ts'
import { lacksSensors, sensorSql } from '../record-index/sensor.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { sensorFields } from '../records/sensor.ts'
import type { CacheFile } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { isMadeAgain, type KeptSections, withKeptSections } from '../store/kept-sections.ts'
import { openSame } from '../store/section-file.ts'
import { buildTimeline } from './build.ts'
import { type HostLimits, hostOrder, usualHosts } from './largest-hosts.ts'
import { usualBlockRows } from './layout.ts'
import { Bits, basesOf, type Places, placesOf } from './places.ts'
import { TimeIndex } from './read.ts'

/** Changes with what is kept, and with the format: what an older one left is not read. */
const rule = 1

export interface MakingOptions {
  /** Told how many records are in it. */
  onProgress?: (rows: number) => void
  /** Rows of a block, a multiple of 32; for tests. */
  blockRows?: number
  hosts?: HostLimits
}

function keptTimeline(c: Case, evidence: EvidenceKind, options: MakingOptions): KeptSections {
  return {
    what: `timeline-${evidence}-${rule}`,
    says: 'the records by the second, to be summed up over any time',
    make: path => make(c, evidence, path, options),
  }
}

/** The index of a case, open: whoever asks for it closes it. @throws UserError, or the signal's reason. */
export async function openTimeIndex(c: Case, evidence: EvidenceKind, options: MakingOptions = {}): Promise<TimeIndex> {
  return withKeptSections(c, keptTimeline(c, evidence, options), async file => {
    const own = openSame(file.path, file.digest(''))
    try {
      return new TimeIndex(own)
    } catch (error) {
      own.close()
      throw error
    }
  })
}

/** Whether a file of the cache is the index that the segments give; null for a file of another kind. */
export async function isTimelineOf(c: Case, file: CacheFile): Promise<boolean | null> {
  const kinds = (['logs', 'packets'] as const).map(one => keptTimeline(c, one, {}))
  const kept = kinds.find(({ what }) => what === file.what)
  return kept === undefined ? null : isMadeAgain(c, file, kept)
}

async function make(
  c: Case,
  evidence: EvidenceKind,
  path: string,
  { onProgress = () => undefined, blockRows = usualBlockRows, hosts = usualHosts }: MakingOptions,
): Promise<void> {
  // What several sensors saw is worked out from the same index: it closes that before it is opened again.
  const collapsed = await collapsedTable(c, recordsOf(c, evidence))
  await withRecordIndex(c, evidence, async index => {
    const places = await placesOf(index, waysOf(c, evidence))
    const aside = await asideOf(c, collapsed, places)
    const sensors = await sensorsOf(c, evidence, index.dictionaries)
    const order = await hostOrder(index, hosts)
    await buildTimeline(index, path, { evidence, places, aside, ...sensors, onProgress, blockRows, order })
  })
}

/** A line of another program's table makes a record of either direction. */
function waysOf({ evidence: files }: Case, evidence: EvidenceKind): number {
  return evidence === 'packets' && files.some(file => file.id !== null && file.flow_table !== null) ? 2 : 1
}

/** Places of the records that others stand for. */
async function asideOf(c: Case, table: string | null, { files, ways, places }: Places): Promise<Bits> {
  const aside = new Bits(places)
  if (table === null) return aside
  const bases = basesOf(files)
  const answer = await c.db.stream(`SELECT _file, _line FROM ${quotedName(table)}`)
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    const [file, line] = batch.columns.map(({ data }) => new Uint32Array(data)) as [Uint32Array, Uint32Array]
    for (let row = 0; row < batch.rows; row++) {
      const place = bases[file[row]!]! + ways * line[row]!
      for (let way = 0; way < ways; way++) aside.add(place + way)
    }
  }
  return aside
}

/**
 * The sensors of records, as `flows` groups by them: an instance or a subnet, which the record index takes where nothing else tells two
 * sensors apart, is none.
 */
async function sensorsOf(
  c: Case,
  evidence: EvidenceKind,
  { vantages }: RecordDictionaries,
): Promise<{ sensorOf: Uint32Array; sensors: (string | null)[]; areSensorsTold: boolean }> {
  const own = evidence === 'logs' && lacksSensors(c) ? await ownSensors(c) : null
  const sensors: (string | null)[] = []
  const numbers = new Map<string | null, number>()
  const sensorOf = Uint32Array.from(vantages, ({ sensor: text }) => {
    const sensor = own === null || text === null || own.names.has(text) ? text : null
    const number = numbers.get(sensor) ?? sensors.push(sensor) - 1
    numbers.set(sensor, number)
    return number
  })
  return { sensorOf, sensors, areSensorsTold: own === null || own.areTold }
}

/** Names of sensors, and whether none of them is also what stands in for a sensor. */
async function ownSensors(c: Case): Promise<{ names: Set<string>; areTold: boolean }> {
  const present = sensorFields.filter(name => c.columns.has(name)).map(quotedName)
  const field = present.length === 0 ? 'NULL::VARCHAR' : `coalesce(${present.join(', ')})`
  const rows = await c.db.rows(
    `SELECT DISTINCT ${sensorSql(c)} AS text, ${field} IS NOT NULL AS own FROM ${viewOf(c, 'logs')}`,
  )
  const names = new Set(rows.filter(row => row['own'] === true).map(row => String(row['text'])))
  return { names, areTold: !rows.some(row => row['own'] !== true && names.has(String(row['text']))) }
}
