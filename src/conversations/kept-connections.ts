/**
 * The connections of a case in the order of their clients, as the case keeps them: who asks for some clients, or for some columns, reads no
 * more than these. They come from the whole conversations (`whole.ts`), and are bound to the state of the case and the analyst's networks.
 *
 * A file of sections: the columns of each block, then of the blocks how many connections they have and their first clients, then the facts
 * by host.
 */
import { createHash } from 'node:crypto'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { decode, encode, encodedMax } from '../record-index/encoding.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { count, fit, listOf, nullOr, number, objectOf, text, yesOrNo } from '../shape.ts'
import { type CacheFile, pathOf, trimCached } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { isMadeAgain, type KeptSections, withKeptSections } from '../store/kept-sections.ts'
import { DamagedSections, SectionFile, SectionWriter } from '../store/section-file.ts'
import type { MadeBlock } from './connection-blocks.ts'
import { type CaseConnections, type ConnectionColumn, connectionColumns, makeConnections } from './connections.ts'
import { emptyFacts, factNames, type HostFacts, nothingSeen, type Seen, seenTogether } from './host-facts.ts'
import type { Spill } from './spill.ts'
import { usualLimits, type WholeLimits, wholeConversations } from './whole.ts'

/** Changes with the conversations, with what a column or a fact is, and with the format: what an older one left is not read. */
const rule = 2
/** Files of different networks of the analyst's that are kept beside each other: each is as large as the connections. */
const keptMost = 2

/** What they depend on beside the records. */
export interface ConnectionSettings {
  evidence: EvidenceKind
  /** The analyst's own networks, internal beside those that the internet does not route. */
  own: readonly Prefix[]
  /** Into how many parts, threads and blocks the work is divided; for tests. */
  limits?: WholeLimits | undefined
}

/**
 * Works with the connections of a case: of its cache, else made and kept there, or in the temporary folder of a case that cannot be written.
 *
 * @param work is done again where the file turns out to be damaged, with one that was made again: it must keep nothing of what it read before.
 * @throws UserError where there is too little memory for the conversations.
 */
export async function withConnections<T>(
  c: Case,
  index: RecordIndex,
  settings: ConnectionSettings,
  work: (kept: KeptConnections) => Promise<T>,
): Promise<T> {
  return withKeptSections(c, keptConnections(c, index, settings), async (file, isMade) => {
    if (isMade && c.usesCache) await trimCached(c.dir, one => isOfConnections(one, settings.evidence), keptMost)
    return work(new KeptConnections(file))
  })
}

function keptConnections(c: Case, index: RecordIndex, settings: ConnectionSettings): KeptSections {
  return {
    what: keptName(settings),
    says: 'the connections of all hosts',
    make: path => writeConnections(c, index, settings, path),
  }
}

function keptName({ evidence, own }: ConnectionSettings): string {
  const digest = createHash('sha256').update(networksOf(own).join(' ')).digest('hex').slice(0, 16)
  return `connections-${evidence}-${own.length === 0 ? '' : `${digest}-`}${rule}`
}

function isOfConnections({ what }: CacheFile, evidence: EvidenceKind): boolean {
  return what.startsWith(`connections-${evidence}-`)
}

function networksOf(own: readonly Prefix[]): string[] {
  return own.map(({ text }) => text).sort()
}

interface About {
  seen: Seen
  blocks: number
  /** The analyst's networks: the file can be worked out again to compare. */
  own: string[]
}

async function writeConnections(
  c: Case,
  index: RecordIndex,
  { evidence, own, limits }: ConnectionSettings,
  path: string,
): Promise<void> {
  const writer = new SectionWriter(path)
  try {
    const columns = { hasFlags: evidence === 'packets' || c.columns.has('tcp_flags') }
    await wholeConversations(
      ...([c, index, { evidence, own }, { columns }] as const),
      async ({ blocks, facts }, spill) => write(writer, blocks, facts!, networksOf(own), spill),
      limits ?? usualLimits(index.rows),
    )
  } finally {
    writer.close()
  }
}

function write(
  writer: SectionWriter,
  blocks: readonly MadeBlock[],
  facts: HostFacts,
  own: string[],
  spill: Spill,
): void {
  for (const { place, lengths, digests } of blocks) {
    let at = place
    for (const [column, length] of lengths.entries()) {
      const bytes = new Uint8Array(length)
      spill.read(at, bytes)
      writer.add(bytes, digests[column])
      at += length
    }
  }
  for (const numbers of [blocks.map(({ count }) => count), blocks.map(({ client }) => client)])
    writer.add(new Uint8Array(Uint32Array.from(numbers).buffer))
  for (const name of factNames) {
    const { length } = facts[name]
    writer.add(encode(facts[name], length, new ArrayBuffer(encodedMax(length))))
  }
  const seen = blocks.reduce((all, block) => seenTogether(all, block.seen), nothingSeen)
  writer.finish(Buffer.from(JSON.stringify({ seen, blocks: blocks.length, own } satisfies About)))
}

/** Whether a file of the cache holds the connections that the segments give; null for a file of another kind. */
export async function areConnectionsOf(c: Case, file: CacheFile): Promise<boolean | null> {
  const evidence = (['logs', 'packets'] as const).find(one => isOfConnections(file, one))
  if (evidence === undefined) return null
  const own = ownOf(pathOf(c.dir, file.name))
  const settings = own === null ? null : { evidence, own }
  if (settings === null || keptName(settings) !== file.what) return false
  return withRecordIndex(c, evidence, index => isMadeAgain(c, file, keptConnections(c, index, settings)))
}

/** The networks that a file names; null where it cannot be read. */
function ownOf(path: string): Prefix[] | null {
  const file = new SectionFile(path)
  try {
    const own = aboutOf(file).own.map(parsePrefix)
    return own.every(prefix => prefix !== null) ? own : null
  } catch (error) {
    if (error instanceof DamagedSections) return null
    throw error
  } finally {
    file.close()
  }
}

/** Connections that the case has kept, in blocks of whole clients. */
export class KeptConnections {
  /** What all of them show. */
  readonly seen: Seen
  /** How many blocks there are. */
  readonly blocks: number
  /** Its file, for who opens it again. */
  readonly file: SectionFile
  private readonly counts: Uint32Array
  private readonly clients: Uint32Array
  /** Room for a block. */
  private readonly columns = makeConnections(0)
  private buffer = new Uint8Array(0)

  /** @throws DamagedSections */
  constructor(file: SectionFile) {
    const about = aboutOf(file)
    this.file = file
    this.seen = about.seen
    this.blocks = about.blocks
    const [counts, clients] = [0, 1].map(i => wholeSection(file, about.blocks * connectionColumns.length + i))
    this.counts = counts!
    this.clients = clients!
    if (this.counts.length !== this.blocks || this.clients.length !== this.blocks) throw unfitting(file)
  }

  /** The block with the connections that a host is the client of, if it is of any. */
  blockOf(host: number): number {
    let [low, high] = [0, this.blocks]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.clients[middle]! <= host) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  /** How many connections a block has. */
  rowsOf(block: number): number {
    return this.counts[block]!
  }

  /** The first client of a block. */
  firstClient(block: number): number {
    return this.clients[block]!
  }

  /**
   * Reads a block. What it holds is overwritten by the next one.
   *
   * @param names the columns that are wanted; the others have no rows.
   * @throws DamagedSections
   */
  read(block: number, names: readonly ConnectionColumn[] = connectionColumns): CaseConnections {
    const count = this.counts[block]!
    const isEnd = names.includes('end_us')
    const wanted = isEnd && !names.includes('start_us') ? [...names, 'start_us' as const] : names
    const into = this.room(count, wanted)
    for (const [i, name] of connectionColumns.entries()) {
      if (!wanted.includes(name)) continue
      decode(this.file.read(block * connectionColumns.length + i, this.buffer), count, into[name])
    }
    const { start_us, end_us } = into
    if (isEnd) for (let i = 0; i < count; i++) end_us[i]! += start_us[i]!
    return into
  }

  /** What they say of hosts, in memory that threads have in common. @param hosts how many there are. @throws DamagedSections */
  facts(hosts: number): HostFacts {
    const facts = emptyFacts(hosts)
    const buffer = new Uint8Array(encodedMax(hosts))
    const first = this.blocks * connectionColumns.length + 2
    for (const [i, name] of factNames.entries()) decode(this.file.read(first + i, buffer), hosts, facts[name])
    return facts
  }

  private room(count: number, wanted: readonly ConnectionColumn[]): CaseConnections {
    if (this.buffer.length < encodedMax(count)) this.buffer = new Uint8Array(encodedMax(count))
    const lacking = wanted.filter(name => this.columns[name].length < count)
    const made = makeConnections(count, lacking)
    for (const name of lacking) Object.assign(this.columns, { [name]: made[name] })
    const columns = connectionColumns.map(name => [
      name,
      this.columns[name].subarray(0, wanted.includes(name) ? count : 0),
    ])
    return { count, ...Object.fromEntries(columns) } as CaseConnections
  }

  /** The connections that a host is the client of: from one number of its block up to another one. @param block that was read, with `client`. */
  static runOf({ client }: Pick<CaseConnections, 'client'>, host: number): { from: number; to: number } {
    return { from: firstFrom(client, host), to: firstFrom(client, host + 1) }
  }
}

/** The first of some numbers in order that is not below another one. */
function firstFrom(numbers: Uint32Array, least: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}

const aboutShape = objectOf({
  seen: objectOf({
    // JSON has no infinite numbers, which stand where there are no connections.
    ...{ count, span: objectOf({ from_us: nullOr(number), to_us: nullOr(number) }) },
    ...{ rejected: yesOrNo, accepted: yesOrNo, answers: yesOrNo },
  }),
  blocks: count,
  own: listOf(text),
})

function aboutOf(file: SectionFile): About {
  let told: unknown = null
  try {
    told = JSON.parse(Buffer.from(file.about).toString())
  } catch {
    // It does not fit.
  }
  const { value } = fit(aboutShape, told)
  if (value === null || file.sections !== value.blocks * connectionColumns.length + 2 + factNames.length)
    throw unfitting(file)
  const { from_us, to_us } = value.seen.span
  const span = from_us === null || to_us === null ? nothingSeen.span : { from_us, to_us }
  return { ...value, seen: { ...value.seen, span } }
}

function wholeSection(file: SectionFile, section: number): Uint32Array {
  const bytes = new Uint8Array(file.lengthOf(section))
  file.read(section, bytes)
  return new Uint32Array(bytes.buffer)
}

function unfitting({ path }: SectionFile): DamagedSections {
  return new DamagedSections(path, 'what it says of itself does not fit')
}
