/**
 * Works out once for each address of a case what the user's own files say of it, and keeps it: a question then reads small tables, as it does
 * of sets. Tables are named by the digests of the files, so that other files are other tables.
 */
import { createHash } from 'node:crypto'
import { type Enrichment, isUnrouted, loadEnrichment } from '../enrich/enrichment.ts'
import { type EnrichmentKind, enrichmentKinds } from '../enrich/enrichment-file.ts'
import { listName } from '../enrich/source-file.ts'
import { always } from '../enrich/times.ts'
import { parseTime } from '../net/time.ts'
import { fit, listOf, objectOf, oneOf, text } from '../shape.ts'
import { type CachedTable, cachedTable, keptSource } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { type GivenColumn, giveTable, numbers, signed, words } from '../store/given-table.ts'
import type { EnrichedTable, EnrichedTables, EnrichedWord } from './enriched-tables.ts'

/** Views that have addresses. */
type View = 'flows' | 'packet_flows' | 'connections'

/** Changes with what is kept. */
const rule = 1

interface Addresses {
  hi: BigUint64Array<ArrayBuffer>
  lo: BigUint64Array<ArrayBuffer>
  count: number
}

/** The tables of those kinds of files that are there; the others are missing. */
export async function enrichRecords(
  c: Case,
  view: View,
  enrichment: Enrichment,
  kinds: Iterable<EnrichmentKind>,
): Promise<EnrichedTables> {
  const tables = new Map<EnrichmentKind, EnrichedTable>()
  let addresses: Promise<Addresses> | null = null
  const occurring = (): Promise<Addresses> => (addresses ??= addressesOf(c, view))
  for (const kind of kinds) {
    const files = enrichment.files.filter(file => file.kind === kind)
    if (files.length === 0) continue
    const cached = keptTable(view, kind, files)
    await cachedTable(c, cached, async () => {
      const columns = columnsOf(kind, await occurring(), enrichment, spanOf(c))
      await giveTable(c.db, cached.table, columns.given, columns.rows, 'TABLE')
    })
    tables.set(kind, await described(c, cached, kind, enrichment))
  }
  return tables
}

/** Where what those files say is kept. */
export function keptTable(
  view: View,
  kind: EnrichmentKind,
  files: readonly { path: string; sha256: string }[],
): CachedTable {
  const said = files.map(({ path, sha256 }) => (kind === 'list' ? `${sha256} ${listName(path)}` : sha256)).join('\n')
  const digest = createHash('sha256').update(said).digest('hex').slice(0, 16)
  const halves = { hi: 'UBIGINT', lo: 'UBIGINT' }
  const columns =
    kind === 'list'
      ? { ...halves, list: 'VARCHAR', from_us: 'BIGINT', until_us: 'BIGINT', always: 'BOOLEAN' }
      : { ...halves, value: kind === 'asn' ? 'UINTEGER' : 'VARCHAR', ...(kind === 'asn' && { org: 'VARCHAR' }) }
  return {
    table: `enriched_${view}_${kind.replace('-', '_')}_${digest}`,
    file: `enriched-${view.replace('_', '-')}-${kind}-${digest}-${rule}`,
    columns,
    what: 'what your files say of the addresses',
    settings: JSON.stringify({ view, kind, files: files.map(({ path, sha256 }) => ({ path, sha256 })) }),
  }
}

const settingsShape = objectOf({
  view: oneOf('flows', 'packet_flows', 'connections'),
  kind: oneOf(...enrichmentKinds),
  files: listOf(objectOf({ path: text, sha256: text })),
})

/**
 * Makes such a table again, from the files that it was made from.
 *
 * @param settings those of the kept one. @returns null where they are none of this version's; `gone` where a file is gone or has changed.
 */
export async function enrichAgain(c: Case, settings: string): Promise<CachedTable | null | 'gone'> {
  const { value } = fit(settingsShape, JSON.parse(settings))
  if (value === null) return null
  const { view, kind, files } = value
  const paths = files.map(({ path }) => path)
  const one = paths.at(-1)!
  const options = {
    list: { lists: paths },
    networks: { networks: paths },
    geoip: { geoip: one },
    asn: { asn: one },
    'aws-ranges': { awsRanges: one },
  }[kind]
  let isGone = false
  const found = await loadEnrichment(options, undefined, () => {
    isGone = true
  })
  if (isGone || found.files.some((file, i) => file.sha256 !== files[i]!.sha256)) return 'gone'
  await enrichRecords(c, view, found, [kind])
  return keptTable(view, kind, found.files)
}

/** Every address of a view once, in no order. */
async function addressesOf(c: Case, view: View): Promise<Addresses> {
  const names = view === 'connections' ? ['orig_addr', 'resp_addr'] : ['srcaddr', 'dstaddr']
  const halves = names.map(name => `SELECT ${name}.hi AS hi, ${name}.lo AS lo FROM ${view}`)
  const answer = await c.db.stream(`SELECT DISTINCT hi, lo FROM (${halves.join(' UNION ALL ')}) WHERE lo IS NOT NULL`)
  let room = 1 << 12
  const found: Addresses = { hi: new BigUint64Array(room), lo: new BigUint64Array(room), count: 0 }
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    while (found.count + batch.rows > room) {
      room *= 2
      for (const half of ['hi', 'lo'] as const) {
        const wider = new BigUint64Array(room)
        wider.set(found[half])
        found[half] = wider
      }
    }
    found.hi.set(new BigUint64Array(batch.columns[0]!.data, 0, batch.rows), found.count)
    found.lo.set(new BigUint64Array(batch.columns[1]!.data, 0, batch.rows), found.count)
    found.count += batch.rows
  }
  return found
}

/** Rows of a table, as they grow. */
interface Rows {
  given: GivenColumn[]
  rows: number
}

function columnsOf(kind: EnrichmentKind, addresses: Addresses, e: Enrichment, span: Span): Rows {
  if (kind === 'list') return listColumns(addresses, e, span)
  const value = new Texts()
  const org = new Texts()
  const systems = new Uint32Array(kind === 'asn' ? addresses.count : 0)
  const kept = new Uint32Array(addresses.count)
  let rows = 0
  for (let i = 0; i < addresses.count; i++) {
    const [hi, lo] = [addresses.hi[i]!, addresses.lo[i]!]
    let text: string | null = null
    if (kind === 'asn') {
      const found = e.asn(hi, lo)
      if (found !== null) systems[rows] = found.number
      org.set(rows, found?.org ?? null)
      text = found === null ? null : ''
    } else if (kind === 'geoip') text = e.country(hi, lo)
    else if (kind === 'networks') text = e.network(hi, lo)?.name ?? null
    else text = e.awsService(hi, lo)?.service ?? null
    // What a complete list lacks is on no list; of what a database lacks it is not known, unless no network has the address.
    const isUnknown = text === null && (kind === 'asn' || kind === 'geoip') && !isUnrouted(hi, lo)
    if (text === null && !isUnknown) continue
    value.set(rows, text)
    kept[rows++] = i
  }
  const halves = halvesOf(addresses, kept.subarray(0, rows))
  if (kind !== 'asn') return { given: [...halves, value.column('value', rows)], rows }
  const system = numbers('value', systems.slice(0, rows), row => systems[row] !== 0)
  return { given: [...halves, system, org.column('org', rows)], rows }
}

function listColumns(addresses: Addresses, e: Enrichment, span: Span): Rows {
  const list = new Texts()
  const kept: number[] = []
  const from: number[] = []
  const until: number[] = []
  const all: number[] = []
  const add = (i: number, name: string, from_us: number, until_us: number): void => {
    list.set(kept.length, name)
    kept.push(i)
    from.push(Math.max(from_us, -farAway))
    until.push(Math.min(until_us, farAway))
    all.push(from_us <= span.first_us && span.last_us < until_us ? 1 : 0)
  }
  for (let i = 0; i < addresses.count; i++) {
    for (const one of e.lists)
      for (const { from_us, until_us } of one.validities(addresses.hi[i]!, addresses.lo[i]!))
        add(i, one.name, from_us, until_us)
  }
  const rows = kept.length
  const times = (name: string, data: number[]): GivenColumn => signed(name, Float64Array.from(data))
  const always = numbers('always', Uint8Array.from(all))
  const given = [
    ...halvesOf(addresses, Uint32Array.from(kept)),
    list.column('list', rows),
    ...[times('from_us', from), times('until_us', until)],
    { ...always, select: 'always::BOOLEAN AS always' },
  ]
  return { given, rows }
}

/** Microseconds beyond every record. */
const farAway = 2 ** 62

function halvesOf({ hi, lo }: Addresses, kept: Uint32Array): GivenColumn[] {
  const [high, low] = [new BigUint64Array(kept.length), new BigUint64Array(kept.length)]
  for (let row = 0; row < kept.length; row++) {
    high[row] = hi[kept[row]!]!
    low[row] = lo[kept[row]!]!
  }
  return [numbers('hi', high), numbers('lo', low)]
}

/** A column of texts of which many are the same; null for what is not said. */
class Texts {
  private readonly numbers = new Map<string, number>([['', 0]])
  private codes = new Uint32Array(1 << 10)

  set(row: number, text: string | null): void {
    if (row >= this.codes.length) {
      const wider = new Uint32Array(2 * row)
      wider.set(this.codes)
      this.codes = wider
    }
    let code = this.numbers.get(text ?? '')
    if (code === undefined) this.numbers.set(text!, (code = this.numbers.size))
    this.codes[row] = code
  }

  column(name: string, rows: number): GivenColumn {
    const column = words(name, this.codes.slice(0, rows), [...this.numbers.keys()])
    return { ...column, select: `nullif(${quotedName(name)}::VARCHAR, '') AS ${quotedName(name)}` }
  }
}

interface Span {
  first_us: number
  last_us: number
}

/** When the first record of the case begins and the last one ends; without times nothing is certain to be within. */
function spanOf(c: Case): Span {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { first_start, last_end } of c.evidence) {
    if (first_start !== null) first = Math.min(first, Number(parseTime(first_start, false) ?? -farAway))
    if (last_end !== null) last = Math.max(last, Number(parseTime(last_end, false) ?? farAway))
  }
  return first <= last ? { first_us: first, last_us: last } : { first_us: always.from_us, last_us: always.until_us }
}

async function described(c: Case, cached: CachedTable, kind: EnrichmentKind, e: Enrichment): Promise<EnrichedTable> {
  const table = quotedName(cached.table)
  const shown = await keptSource(c, cached)
  const unknown = new Set<EnrichedWord>()
  const named = { table: cached.table, shown, unknown, lists: [] as string[], timed: false }
  if (kind === 'list') {
    const [row] = await c.db.rows(`SELECT bool_or(NOT always) AS timed FROM ${table}`)
    return { ...named, lists: [...new Set(e.lists.map(({ name }) => name))], timed: row?.['timed'] === true }
  }
  if (kind !== 'geoip' && kind !== 'asn') return named
  const org = kind === 'asn' ? 'org' : 'value'
  const [row] = await c.db.rows(
    `SELECT count(*) - count(value) AS unsaid, count(*) - count(${org}) AS unnamed FROM ${table}`,
  )
  if (Number(row?.['unsaid']) > 0) unknown.add(kind === 'asn' ? 'asn' : 'country')
  if (kind === 'asn' && Number(row?.['unnamed']) > 0) unknown.add('as_org')
  return named
}
