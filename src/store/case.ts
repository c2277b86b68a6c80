import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { kindWords } from '../disk/nodes.ts'
import { isRunning, nodeAt, removeNode, replaceFile, requireFolder, sync } from '../disk/writing.ts'
import { UserError } from '../errors.ts'
import type { ColumnType } from '../records/column.ts'
import { coreFields, fieldNamed, flowFields } from '../records/fields.ts'
import { connectionFields, type PacketField, packetFlowFields } from '../records/packet-fields.ts'
import { otherFields } from '../records/unknown-columns.ts'
import { checkPresence, damagedSegment, regularSegment, strangeSegment } from './damage.ts'
import {
  ChunkTable,
  Database,
  type DatabaseOptions,
  duckdbVersion,
  quotedName,
  quotedPath,
  quotedString,
  type Value,
} from './duckdb.ts'
import { caseFiles, digestOfFile, segmentPath } from './files.ts'
import { withLastWords } from './last-words.ts'
import {
  alteredLedger,
  type EvidenceEntry,
  emptyLedger,
  type LedgerEntry,
  LedgerWriter,
  noCase,
  readLedger,
  type SegmentEntry,
} from './ledger.ts'
import { caseFolder, clearPassing, isCaseName } from './nodes.ts'
import { type EvidenceProblem, type EvidenceReport, type EvidenceTotals, isUnread } from './reports.ts'
import { layoutFaults, readKeptProblems } from './segment-check.ts'
import { tracksOf } from './tracks.ts'

/** The version that writes this case. */
export function tidemarkVersion(): string {
  return (createRequire(import.meta.url)('tidemark/package.json') as { version: string }).version
}

const readme = `A Tidemark case.

segments/      immutable Parquet: flow records of logs (flows-*), NODATA and SKIPDATA lines (silence-*),
               flow records and connections made of packets (packet-flows-*, connections-*); places that were not read (problems-*)
ledger.jsonl   what each file of evidence held, each segment's SHA-256, each entry chained to the one before
ledger.head    the digest of the last entry

Change nothing here; "tidemark verify" finds what was changed. Copy the folder to copy the case.
`

/** Makes the case's folder, unless there is a case. The folder may exist, but not with anything else in it. */
export async function createCaseFolder(caseDir: string): Promise<void> {
  if (existsSync(join(caseDir, caseFiles.ledger))) return
  await mkdir(caseDir, { recursive: true })
  const strange = (await readdir(caseDir)).filter(name => !isCaseName(name))
  if (strange.length > 0) {
    throw new UserError(`the folder holds something else: ${caseDir} (${strange[0]})`, {
      hint: 'name an empty or new folder with --case',
    })
  }
}

/** Makes an empty case, unless there is one. The caller holds the lock: two beginnings would be an altered ledger. */
export async function createCase(caseDir: string): Promise<void> {
  if (!(await isUnmade(caseDir))) return
  await requireFolder(join(caseDir, caseFiles.segments))
  await requireFolder(join(caseDir, caseFiles.incoming))
  await replaceFile(join(caseDir, caseFiles.readme), readme)
  await sync(dirname(caseDir))
  const { sha256: readmeDigest } = await digestOfFile(join(caseDir, caseFiles.readme))
  const torn = existsSync(join(caseDir, caseFiles.ledger))
  const writer = await LedgerWriter.open(caseDir, { ...emptyLedger, torn })
  const created = writer.prepare({
    type: 'created',
    schema: 1,
    tidemark: tidemarkVersion(),
    duckdb: duckdbVersion(),
    node: process.version,
    readme_sha256: readmeDigest,
  })
  await writer.commit(created)
}

/** Whether there is no case yet, or only what a writer left that was killed while it made one. */
async function isUnmade(caseDir: string): Promise<boolean> {
  if (!existsSync(join(caseDir, caseFiles.ledger))) return true
  const { hashes, faults, head } = await readLedger(caseDir)
  if (hashes.length > 0 || faults.length > 0 || head !== 'missing') return false
  return (await readdir(join(caseDir, caseFiles.segments)).catch(() => [])).length === 0
}

const spillPrefix = '.tidemark-spill-'

/** Empties `incoming`, but for the spill folders of readers that are at work on this machine. The caller holds the lock. */
export async function clearIncoming(caseDir: string): Promise<void> {
  const incoming = join(caseDir, caseFiles.incoming)
  await requireFolder(incoming)
  for (const name of await readdir(incoming)) {
    if (name.startsWith(spillPrefix) && isRunning(Number.parseInt(name.slice(spillPrefix.length), 10))) continue
    await removeNode(join(incoming, name))
  }
}

/** Removes what an interrupted writer left: files that the ledger does not name. The caller holds the lock. */
export async function clearLeftovers(caseDir: string, entries: readonly LedgerEntry[]): Promise<void> {
  await clearIncoming(caseDir)
  await clearPassing(caseDir)
  await requireFolder(join(caseDir, caseFiles.segments))
  const named = new Set(segmentsOf(entries).map(segment => segment.name))
  for (const name of await readdir(join(caseDir, caseFiles.segments))) {
    if (!named.has(name)) await removeNode(segmentPath(caseDir, name))
  }
}

export function segmentsOf(entries: readonly LedgerEntry[]): SegmentEntry[] {
  return entries.flatMap(entry => (entry.type === 'added' ? entry.segments : []))
}

export function evidenceOf(entries: readonly LedgerEntry[]): EvidenceEntry[] {
  return withLastWords(entries.flatMap(entry => (entry.type === 'added' ? entry.evidence : [])))
}

/**
 * The ledger's entries, or an error that says what is wrong with it.
 *
 * A case whose ledger was altered is not opened: its figures could be anybody's.
 */
export async function soundLedger(caseDir: string): Promise<LedgerEntry[]> {
  const reading = await readLedger(caseDir)
  if (reading.entries.length === 0 && (await isUnmade(caseDir))) throw noCase(caseDir)
  if (reading.faults.length > 0 || reading.entries[0]?.type !== 'created') {
    throw alteredLedger(caseDir, reading.faults[0] ?? 'it has no beginning')
  }
  // What was cut off its end would be missing from every figure.
  if (reading.head === 'unknown' || (reading.head === 'missing' && reading.hashes.length > 1)) {
    throw alteredLedger(caseDir, 'entries were cut off its end, or ledger.head was changed or removed')
  }
  return reading.entries
}

/** A case that is open for reading: views of its records and silences, and the table `evidence`, in a database of its own. */
export interface Case {
  dir: string
  evidence: EvidenceEntry[]
  problems: EvidenceProblem[]
  segments: SegmentEntry[]
  db: Database
  /** Columns of `flows` that some segment has; the others are null throughout. */
  columns: Set<string>
  /** What the records of `flows` are: those of flow logs or, in a case without any, those made of packets. */
  source: 'logs' | 'packets'
  /** The digest of the ledger's last entry: what was worked out from the case is of this state. */
  head: string
  /** Whether what was worked out is taken from the cache, and kept there. */
  usesCache: boolean
  /** Told what is being worked out, where that takes long and is kept for the next question. */
  onWork?: (what: string) => void
  close(): Promise<void>
}

/**
 * Opens a case for reading. Needs no lock: segments never change, and those that are added later are not seen.
 *
 * @throws UserError when there is no case, or when its ledger was altered.
 */
export async function openCase(caseDir: string, limits: Partial<DatabaseOptions> = {}): Promise<Case> {
  const dir = await caseFolder(caseDir)
  const temp = await mkdtemp(join(await spillParent(dir), `${spillPrefix}${process.pid}-`))
  const memory = Math.max(512, Math.min(4096, Math.floor(totalmem() / 2 ** 20 / 4)))
  // DuckDB starts in another thread, while this one reads the ledger.
  const starting = Database.open({
    threads: availableParallelism(),
    memoryLimit: `${memory}MB`,
    tempDirectory: temp,
    ...limits,
  })
  // Told where it is waited for.
  starting.catch(() => undefined)
  const close = async (): Promise<void> => {
    await starting.then(
      db => db.close(),
      () => undefined,
    )
    await rm(temp, { recursive: true, force: true })
  }
  try {
    return await opened(dir, await soundLedger(dir), starting, close)
  } catch (error) {
    await close()
    throw error
  }
}

/** The case of a sound ledger, in a database that is starting. */
async function opened(
  dir: string,
  entries: readonly LedgerEntry[],
  starting: Promise<Database>,
  close: () => Promise<void>,
): Promise<Case> {
  const segments = segmentsOf(entries)
  const kind = await nodeAt(join(dir, caseFiles.segments))
  if (kind !== null && kind !== 'folder')
    throw strangeSegment(join(dir, caseFiles.segments), `${kindWords(kind)}, not a folder`)
  checkPresence({ dir, segments })
  const evidence = evidenceOf(entries)
  const problems = await readProblems(dir, segments, evidence)
  const db = await starting
  const [fault] = await layoutFaults(db, dir, segments)
  if (fault !== undefined) throw damagedSegment(dir, fault.name, fault.fault)
  await createEvidenceTable(db, evidence)
  const source = isOfPackets(segments) ? 'packets' : 'logs'
  await createViews(db, dir, segments, source)
  const columns = new Set(ofKind(segments, source === 'logs' ? 'flows' : 'packet-flows').flatMap(one => one.columns))
  // A capture is the sensor of what it holds.
  if (source === 'packets') columns.add('interface_id')
  return { dir, evidence, problems, segments, db, columns, source, head: entries.at(-1)!.hash, usesCache: true, close }
}

/** Where sorts may spill: beside the case's data if it can be written, so that evidence does not end up on another disk. */
async function spillParent(dir: string): Promise<string> {
  const incoming = join(dir, caseFiles.incoming)
  try {
    // A link would lead out of the case.
    if ((await nodeAt(incoming)) !== 'folder') return tmpdir()
    const probe = await mkdtemp(join(incoming, '.probe-'))
    await rm(probe, { recursive: true })
    return incoming
  } catch {
    // A case on a read-only disk is still read; it spills where temporary files go.
    return tmpdir()
  }
}

/** Removes what a reader of that process id, which is gone, has left of its spilling. */
export async function clearSpill(caseDir: string, pid: number): Promise<void> {
  for (const parent of [join(await caseFolder(caseDir), caseFiles.incoming), tmpdir()]) {
    if ((await nodeAt(parent)) === 'link') continue
    for (const name of await readdir(parent).catch(() => [])) {
      if (name.startsWith(`${spillPrefix}${pid}-`)) await rm(join(parent, name), { recursive: true, force: true })
    }
  }
}

function isOfPackets(segments: readonly SegmentEntry[]): boolean {
  return ofKind(segments, 'flows').length === 0 && ofKind(segments, 'packet-flows').length > 0
}

async function createViews(
  db: Database,
  dir: string,
  segments: readonly SegmentEntry[],
  kind: Case['source'],
): Promise<void> {
  await db.run(
    `CREATE MACRO ip4(a) AS concat_ws('.', (a.lo >> 24) & 255, (a.lo >> 16) & 255, (a.lo >> 8) & 255, a.lo & 255)`,
  )
  const flows = ofKind(segments, 'flows')
  await createPacketView(db, 'packet_flows', dir, ofKind(segments, 'packet-flows'), packetFlowFields)
  await createPacketView(db, 'connections', dir, ofKind(segments, 'connections'), connectionFields)
  if (kind === 'packets') await createFlowsOfPackets(db)
  else
    await db.run(
      flows.length > 0
        ? `CREATE VIEW flows AS ${flowsSql(dir, flows, flows)}`
        : `CREATE VIEW flows AS SELECT ${emptyFlows()} WHERE false`,
    )
  const silence = fileList(dir, ofKind(segments, 'silence'))
  const nothing = `SELECT 0::UINTEGER AS _file, 0::UINTEGER AS _line, ''::VARCHAR AS sensor, ''::VARCHAR AS status, NULL::TIMESTAMP AS start, NULL::TIMESTAMP AS "end" WHERE false`
  await db.run(`CREATE VIEW silence AS ${silence ? `SELECT * FROM ${silence}` : nothing}`)
}

/** The unknown fields of logs that have columns of their own. */
export function unknownColumnsOf(segments: readonly SegmentEntry[]): string[] {
  const names = new Set(ofKind(segments, 'flows').flatMap(segment => segment.columns))
  return [...names].filter(name => fieldNamed(name) === undefined && !name.startsWith('_') && name !== otherFields)
}

/** The flow records of some segments, with the columns that `flows` has: those of all segments, and the core ones that none of them has. */
function flowsSql(
  dir: string,
  all: readonly SegmentEntry[],
  some: readonly SegmentEntry[],
  pathColumn: string | null = null,
): string {
  const wanted = new Set([...all.flatMap(segment => segment.columns), ...coreFields])
  const here = new Set(some.flatMap(segment => segment.columns))
  // A field that has a column in one segment may be among the others in the next.
  const found = new Map(here.has(otherFields) ? unknownColumnsOf(all).map(name => [name, otherField(name)]) : [])
  const replaced = [...found]
    .filter(([name]) => here.has(name))
    .map(([name, text]) => `coalesce(${quotedName(name)}, ${text}) AS ${quotedName(name)}`)
  const absent = [...wanted]
    .filter(name => !here.has(name))
    .map(name => `${found.get(name) ?? `CAST(NULL AS ${sqlType(name)})`} AS ${quotedName(name)}`)
  const own = replaced.length === 0 ? '*' : `* REPLACE (${replaced.join(', ')})`
  return `SELECT ${[own, ...absent].join(', ')} FROM ${fileList(dir, some, pathColumn)}`
}

/** The value of a field in `other_fields`, null if it is not there. */
function otherField(name: string): string {
  return `nullif(regexp_extract(${otherFields}, ${quotedString(`(?:^| )${name.replace(/\W/g, '\\$&')}=([^ ]+)`)}, 1), '')`
}

/**
 * A relation like `flows`, with the records for which `test` is true and others: those segments only in which there is one. To ask first
 * reads the columns of the test alone, and all the other columns of the segments without such a record need not be read then.
 */
export async function flowsWith(c: Case, test: { text: string; values: readonly Value[] }): Promise<string> {
  const flows = ofKind(c.segments, 'flows')
  if (c.source !== 'logs' || flows.length < 2) return 'flows'
  // No field of a log begins like that.
  const name = '_segment'
  const all = flowsSql(c.dir, flows, flows, name)
  const rows = await c.db.rows(`SELECT DISTINCT ${name} FROM (${all}) WHERE ${test.text}`, test.values)
  const paths = new Set(rows.map(row => String(row[name])))
  const some = flows.filter(segment => paths.has(segmentPath(c.dir, segment.name)))
  return some.length === 0 || some.length === flows.length ? 'flows' : `(${flowsSql(c.dir, flows, some)})`
}

/** The same questions for captures alone: what packets do not say is null. */
async function createFlowsOfPackets(db: Database): Promise<void> {
  const known = new Set<string>(['interface_id', ...packetFlowFields.map(field => field.name)])
  const absent = coreFields
    .filter(name => !known.has(name))
    .map(name => `CAST(NULL AS ${sqlType(name)}) AS ${quotedName(name)}`)
  await db.run(
    `CREATE VIEW flows AS SELECT packet_flows.*, evidence.sensor AS interface_id, ${absent.join(', ')}
     FROM packet_flows LEFT JOIN evidence ON evidence.id = packet_flows._file`,
  )
}

function ofKind(segments: readonly SegmentEntry[], kind: SegmentEntry['kind']): SegmentEntry[] {
  return segments.filter(segment => segment.kind === kind)
}

/** Flow records of nfcapd files that count the way back too, in columns of their own. */
export function bothWaysOf(c: Pick<Case, 'evidence'>): number {
  return c.evidence.reduce((sum, file) => sum + (file.nfcapd?.both_ways ?? 0), 0)
}

/** Rows that were made of packets: `_line` is the number of a packet in its capture, or of a record in its nfcapd file. */
async function createPacketView(
  db: Database,
  name: string,
  dir: string,
  segments: readonly SegmentEntry[],
  fields: readonly PacketField[],
): Promise<void> {
  const source = fileList(dir, segments)
  // Segments of an older version lack the fields that came since.
  const here = new Set(segments.flatMap(segment => segment.columns))
  const none = fields
    .filter(field => !here.has(field.name))
    .map(field => `CAST(NULL AS ${sqlTypes[field.type]}) AS ${quotedName(field.name)}`)
  await db.run(
    source
      ? `CREATE VIEW ${name} AS SELECT ${['*', ...none].join(', ')} FROM ${source}`
      : `CREATE VIEW ${name} AS SELECT 0::UINTEGER AS _file, 0::UINTEGER AS _line, ${none.join(', ')} WHERE false`,
  )
}

function fileList(dir: string, segments: readonly SegmentEntry[], pathColumn: string | null = null): string | null {
  if (segments.length === 0) return null
  const path = pathColumn === null ? '' : `, filename=${quotedString(pathColumn)}`
  const paths = segments.map(segment => quotedPath(regularSegment(dir, segment.name)))
  // Where all have the same columns, the first one's footer tells them: the others are not opened before they are read.
  const layouts = new Set(segments.map(({ columns }) => [...columns].sort().join(',')))
  return `read_parquet([${paths.join(', ')}], union_by_name=${layouts.size > 1}, hive_partitioning=false${path})`
}

function emptyFlows(): string {
  const own = ['0::UINTEGER AS _file', '0::UINTEGER AS _line']
  return [...own, ...flowFields.map(field => `CAST(NULL AS ${sqlType(field.name)}) AS ${quotedName(field.name)}`)].join(
    ', ',
  )
}

const sqlTypes: Record<ColumnType, string> = {
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u64: 'UBIGINT',
  time: 'TIMESTAMP',
  address: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  text: 'VARCHAR',
  id: 'VARCHAR',
}

/** The DuckDB type of a column of `flows`. */
export function sqlType(name: string): string {
  return sqlTypes[fieldNamed(name)?.type ?? 'text']
}

/** `evidence(id, path, subscription)`: the files that records refer to. */
async function createEvidenceTable(db: Database, evidence: readonly EvidenceEntry[]): Promise<void> {
  const kept = evidence.filter(file => file.id !== null)
  const packets = kept.filter(file => file.capture !== null || file.nfcapd !== null)
  const tracks = tracksOf(packets)
  // A capture that was cut into several files has one name as a sensor: that of the first.
  const firsts = new Map<number, string>()
  const byTime = [...packets].sort((a, b) => ((a.first_start ?? '') < (b.first_start ?? '') ? -1 : 1))
  for (const file of byTime) {
    const track = tracks.get(file.id!)!
    if (!firsts.has(track)) firsts.set(track, file.path)
  }
  const sensorOf = (file: EvidenceEntry): string => firsts.get(tracks.get(file.id!) ?? -1) ?? file.path
  const rows = kept.map(file => ({
    ...{ id: file.id, path: file.path, subscription: subscriptionOf(file.path), sensor: sensorOf(file) },
  }))
  const texts = (of: (row: (typeof rows)[number]) => string | null): string[] => rows.map(row => of(row) ?? '')
  ChunkTable.of(db).offer(
    [
      { name: 'id', type: 'UINTEGER', data: Uint32Array.from(rows, row => row.id!), valid: null },
      { name: 'path', type: 'VARCHAR', data: texts(row => row.path), valid: null },
      { name: 'subscription', type: 'VARCHAR', data: texts(row => row.subscription), valid: null },
      { name: 'sensor', type: 'VARCHAR', data: texts(row => row.sensor), valid: null },
    ],
    rows.length,
  )
  await db.run(
    `CREATE TABLE evidence AS SELECT id, path, nullif(subscription, '') AS subscription, sensor FROM chunks()`,
  )
}

/** The id of the flow log that wrote a file, from the name that AWS gave it. */
export function subscriptionOf(path: string): string | null {
  return (
    /(?:^|_)(fl-[0-9a-f]+)(?:_|\.|$)/.exec(
      path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1),
    )?.[1] ?? null
  )
}

/** The places that are in no record, with the paths of their files. */
export async function readProblems(
  dir: string,
  segments: readonly SegmentEntry[],
  evidence: readonly EvidenceEntry[],
): Promise<EvidenceProblem[]> {
  const paths = new Map(evidence.map(file => [file.id, file.path]))
  const problems: EvidenceProblem[] = []
  for (const file of evidence) {
    if (isUnread(file)) problems.push({ path: file.path, problem: file.problem ?? file.status })
  }
  for (const segment of segments.filter(one => one.kind === 'problems')) {
    const kept = readKeptProblems(dir, segment)
    if (typeof kept === 'string') throw damagedSegment(dir, segment.name, kept)
    for (const { _file, ...problem } of kept) problems.push({ path: paths.get(_file) ?? '', ...problem })
  }
  return problems
}

/** What the case was built from. */
export async function readEvidence(caseDir: string): Promise<EvidenceReport> {
  const dir = await caseFolder(caseDir)
  const entries = await soundLedger(dir)
  const evidence = evidenceOf(entries)
  const problems = await readProblems(dir, segmentsOf(entries), evidence)
  const files = [...evidence].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return reportOf(dir, files, problems, evidence, false)
}

/** The report on some files of a case: those that one `add` looked at, or all. */
export function reportOf(
  dir: string,
  files: readonly EvidenceEntry[],
  problems: readonly EvidenceProblem[],
  all: readonly EvidenceEntry[],
  interrupted: boolean,
): EvidenceReport {
  const totals: EvidenceTotals = {
    files: 0,
    lines: 0,
    header_lines: 0,
    records: 0,
    no_data: 0,
    skip_data: 0,
    malformed: 0,
  }
  for (const file of files) {
    if (file.status !== 'read' && file.status !== 'partly-read') continue
    totals.files++
    for (const name of ['lines', 'header_lines', 'records', 'no_data', 'skip_data', 'malformed'] as const)
      totals[name] += file[name]
  }
  const caseRecords = all.reduce((sum, file) => sum + file.records, 0)
  return { case: dir, files: [...files], totals, problems: [...problems], case_records: caseRecords, interrupted }
}
