/**
 * The whole way to conversations: those of all records of a case, from its record index, in memory that grows with the case by a few bytes
 * a record only.
 *
 * The records are divided into parts by a hash of their pair of ends (both directions have one), and what takes much memory is spilled:
 *
 * 1. scatter: each thread reads a stretch of the index and spills its records by part.
 * 2. chain: a part at a time. Which records count and how they are chained depends on those of the same pair of ends alone, which are all
 *    there; only the legs of hops depend on what other records name, and those names every thread has read from the whole index before.
 *    The flags of a connection tell its role, or leave it open.
 * 3. sum: what the roles of open connections depend on beyond their pair of ends is known of endpoints: whether one was found to be a
 *    server, and how many peers it called or was called by. A pair of ends gives one sign to either endpoint, wherever it was chained;
 *    counts of them are the same whatever the parts. They are summed up by a hash of the endpoint.
 * 4. judge: a part at a time, with these sums.
 *
 * Nothing depends on which pairs are together, on how many parts or threads there are, or on who is done first. Connections come in the
 * order of their first records: `begins` tells, by place in the index, of which part the connection is that begins there, and in each
 * part they have that order.
 */
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { threadsThatFit } from '../address-space.ts'
import type { Prefix } from '../net/prefix.ts'
import { rawSql } from '../query/sql.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { Alone, type Crew, Threads } from '../store/crew.ts'
import type { Chosen } from './chosen.ts'
import { type MadeBlock, rangesOf, rowsOfBlock } from './connection-blocks.ts'
import type { Judged } from './conversations.ts'
import type { KnownEndpoints } from './endpoints.ts'
import { emptyFacts, type HostFacts } from './host-facts.ts'
import { bytesOfWhole, requireMemory } from './memory.ts'
import { MeteredConnections } from './metered.ts'
import type { RecordAnswers } from './record-answers.ts'
import type { Page } from './scatter.ts'
import { closeSpill, openSpill, Spill } from './spill.ts'
import { type ChainedPart, type JudgedPart, readPart, type Steps, WholeWork, type WorkSettings } from './whole-work.ts'

/** Into how many parts and threads the work is divided; for tests. */
export interface WholeLimits {
  parts: number
  /** Of fewer than two the calling one does it all. */
  threads: number
  /** Connections of a block of columns, if they are not those of one client. */
  blockRows?: number
}

/** What is asked for, beside which records count. */
export interface Wanted {
  connections?: boolean
  /** Roles and services of records. */
  records?: boolean
  /** Connections as columns. `hasFlags`: whether the records have TCP flags. */
  columns?: { hasFlags: boolean }
  /** Which connections have one of some records. */
  chosen?: Chosen
}

/** What the whole way found. Its connections are no longer there when `use` has ended. */
export interface WholeConversations {
  dictionaries: RecordDictionaries
  /** By place in the index: the `fate` of the record. */
  fates: Uint8Array
  /** By place in the index: 0, or one more than the number of the part with a connection that begins there. Empty if none were asked for. */
  begins: Uint8Array
  /** Null if they were not asked for. */
  answers: RecordAnswers | null
  parts: readonly WholePart[]
  /** Where the blocks of columns are. Empty if none were asked for. */
  blocks: readonly MadeBlock[]
  /** What they say of hosts; null if none were asked for. */
  facts: HostFacts | null
}

export interface WholePart extends Pick<ChainedPart, 'table' | 'roles' | 'details'> {
  /** The connections, with their roles: all of the part in memory. */
  read(): Judged
}

const rowsOfPart = 1_250_000
const partsMax = 255
/** Fewer records are not worth a thread. */
const rowsOfThread = 150_000
const threadsMax = 4

/** How the records of a case are divided. */
export function usualLimits(rows: number): WholeLimits {
  const worthIt = Math.min(threadsMax, availableParallelism(), Math.floor(rows / rowsOfThread))
  const threads = worthIt < 2 ? 1 : Math.max(1, threadsThatFit(1 + worthIt) - 1)
  return { threads, parts: Math.min(partsMax, Math.max(Math.ceil(rows / rowsOfPart), threads === 1 ? 1 : 2 * threads)) }
}

/**
 * Works out the conversations of a case and what became of each of its records. A record that does not count has the connection of its
 * ends that was the latest, for its role.
 *
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 * @throws UserError where there is too little memory for them.
 */
export async function wholeConversations<T>(
  c: Case,
  index: RecordIndex,
  { evidence, own }: { evidence: EvidenceKind; own: readonly Prefix[] },
  wanted: Wanted,
  use: (whole: WholeConversations, spill: Spill) => Promise<T>,
  limits: WholeLimits = usualLimits(index.rows),
): Promise<T> {
  const { rows } = index
  requireMemory(rows, bytesOfWhole(rows, wanted))
  const { hosts } = index.dictionaries
  const records = openSpill(c.temp)
  const results = openSpill(c.temp)
  const settings: WorkSettings = {
    ...{ evidence, own, parts: limits.parts, seed: randomBytes(4).readUInt32LE(), records, results },
    fates: new SharedArrayBuffer(rows),
    begins: wanted.connections === true ? new SharedArrayBuffer(rows) : null,
    answers:
      wanted.records === true
        ? { roles: new SharedArrayBuffer(rows), services: new SharedArrayBuffer(4 * rows) }
        : null,
    columns:
      wanted.columns === undefined
        ? null
        : { ...wanted.columns, clients: new SharedArrayBuffer(4 * hosts.count), facts: emptyFacts(hosts.count) },
    chosen: wanted.chosen ?? null,
  }
  let areRecordsOpen = true
  try {
    const crew = await crewFor(c, index, settings, limits.threads)
    let parts: WholePart[]
    let blocks: MadeBlock[]
    try {
      const chained = await chainAll(crew, index, settings, limits)
      closeSpill(records)
      areRecordsOpen = false
      const judged = await judgeAll(crew, chained, limits.parts)
      blocks = await blocksOf(crew, judged, settings, limits.blockRows ?? rowsOfBlock)
      parts = partsOf(chained, judged, results)
    } finally {
      await crew.close()
    }
    const { fates, begins, answers } = settings
    const whole: WholeConversations = {
      ...{
        dictionaries: index.dictionaries,
        fates: new Uint8Array(fates),
        begins: begins === null ? new Uint8Array(0) : new Uint8Array(begins),
      },
      ...{ answers, parts, blocks, facts: settings.columns?.facts ?? null },
    }
    return await use(whole, new Spill(results))
  } finally {
    if (areRecordsOpen) closeSpill(records)
    closeSpill(results)
  }
}

/** What a thread is started with: the file of the record index, and the digest of its directory. */
export interface ThreadSettings {
  path: string
  digest: string
  work: WorkSettings
}

async function crewFor(c: Case, index: RecordIndex, settings: WorkSettings, threads: number): Promise<Crew<Steps>> {
  const requireGoing = (): void => c.db.requireGoing()
  const { evidence } = settings
  if (evidence !== 'packets' && threads > 1) return wholeThreads(threads, settings, index, requireGoing)
  // What the meter made of the packets is in this thread alone.
  const metered =
    evidence === 'packets' ? await MeteredConnections.read(c, index.dictionaries.hosts, rawSql('true')) : null
  return new Alone(new WholeWork(settings, index, metered), requireGoing)
}

export function wholeThreads(
  count: number,
  work: WorkSettings,
  { file }: RecordIndex,
  requireGoing: () => void,
): Threads<Steps> {
  const workerData: ThreadSettings = { path: file.path, digest: file.digest(''), work }
  const module = new URL('./whole-worker.js', import.meta.url)
  return new Threads(count, { module, workerData, path: file.path }, requireGoing)
}

/** @returns the parts; nothing where only the fates of records are asked for. */
async function chainAll(
  crew: Crew<Steps>,
  index: RecordIndex,
  { parts }: WorkSettings,
  { threads }: WholeLimits,
): Promise<ChainedPart[]> {
  const stretches = Math.min(Math.max(1, threads), index.groups)
  const borders = Array.from({ length: stretches + 1 }, (_, i) => Math.round((i * index.groups) / stretches))
  const scattered = await crew.all(
    'scatter',
    Array.from({ length: stretches }, (_, i) => [borders[i]!, borders[i + 1]!] as const),
  )
  const pagesOf = (part: number): Page[] => scattered.flatMap(pages => pages[part]!)
  const chained = await crew.all(
    'chain',
    Array.from({ length: parts }, (_, part) => ({ part, pages: pagesOf(part) })),
  )
  return chained.filter(part => part !== null)
}

async function judgeAll(crew: Crew<Steps>, chained: readonly ChainedPart[], stretches: number): Promise<JudgedPart[]> {
  if (chained.length === 0) return []
  const tallies = chained.map(part => part.tallies)
  const sums = await crew.all(
    'sum',
    Array.from({ length: stretches }, (_, stretch) => ({ tallies, stretch })),
  )
  const known = together(sums)
  return crew.all(
    'judge',
    chained.map(part => ({ part, known })),
  )
}

/** Puts the connections in the order of their clients. */
async function blocksOf(
  crew: Crew<Steps>,
  judged: readonly JudgedPart[],
  { columns }: WorkSettings,
  rows: number,
): Promise<MadeBlock[]> {
  if (columns === null) return []
  const parts = judged.flatMap(({ connections }) => connections ?? [])
  return crew.all(
    'block',
    rangesOf(new Uint32Array(columns.clients), rows).map(clients => ({ parts, clients })),
  )
}

function partsOf(
  chained: readonly ChainedPart[],
  judged: readonly JudgedPart[],
  results: WorkSettings['results'],
): WholePart[] {
  const spill = new Spill(results)
  return judged.map(({ roles }, i) => {
    const part = chained[i]!
    return { table: part.table, roles, details: part.details, read: () => readPart({ ...part, roles }, spill)[0] }
  })
}

/** Endpoints of several stretches, in memory that threads have in common. */
function together(sums: readonly KnownEndpoints[]): KnownEndpoints {
  const count = sums.reduce((sum, one) => sum + one.count, 0)
  const numbers = (of: (one: KnownEndpoints) => Uint32Array, each = 1): Uint32Array => {
    const all = new Uint32Array(new SharedArrayBuffer(4 * each * count))
    let at = 0
    for (const one of sums) {
      all.set(of(one), at)
      at += of(one).length
    }
    return all
  }
  return {
    count,
    keys: numbers(one => one.keys, 2),
    isListener: numbers(one => one.isListener),
    calls: numbers(one => one.calls),
    listens: numbers(one => one.listens),
    weak: numbers(one => one.weak),
  }
}
