/** The steps of the whole way (`whole.ts`), each of them for a thread of its own or for the only one. */
import type { Prefix } from '../net/prefix.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { BlockColumn, RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Does } from '../store/crew.ts'
import { type Chosen, markChosen } from './chosen.ts'
import { type MadeBlock, makeBlock, type SpilledConnections, spillConnections } from './connection-blocks.ts'
import { at4 } from './connection-table.ts'
import { byClient, bytesOfColumns, columnsOf } from './connections.ts'
import { type Judged, judgedByFlags, judgeRest } from './conversations.ts'
import { countOnce, NamedPairs, pointsOf } from './count-once.ts'
import { detailsOf } from './details.ts'
import { EndpointTable, type KnownEndpoints } from './endpoints.ts'
import { FactCounter, type HostFacts } from './host-facts.ts'
import { internalHosts } from './hosts.ts'
import { bytesOfPart, requireMemory } from './memory.ts'
import type { MeteredConnections } from './metered.ts'
import { numberPairs } from './pairs.ts'
import {
  chainPart,
  markLinks,
  readRoles,
  readTable,
  type SpilledDetails,
  type SpilledTable,
  spillDetails,
  spillRoles,
  spillTable,
} from './parts.ts'
import { answerRecords, type RecordAnswers } from './record-answers.ts'
import { type Page, readPages, Scatter, spilledColumns } from './scatter.ts'
import { Spill, type SpillFile } from './spill.ts'
import { summedUp, type Tallies, TallyWriter } from './tallies.ts'

/** What all threads know. */
export interface WorkSettings {
  evidence: EvidenceKind
  own: readonly Prefix[]
  /** How many parts there are, and what decides who comes together. */
  parts: number
  seed: number
  records: SpillFile
  results: SpillFile
  /** By place in the index: the `fate` of the record. */
  fates: SharedArrayBuffer
  /** By place in the index: 0, or one more than the part with a connection that begins there. Null where nobody asks for connections. */
  begins: SharedArrayBuffer | null
  /** Null where nobody asks for the roles of records. */
  answers: RecordAnswers | null
  /** Null where nobody asks for the connections as columns. */
  columns: WantedColumns | null
  /** Null where nobody asks for the connections of some records. */
  chosen: Chosen | null
}

interface WantedColumns {
  /** Whether the records have TCP flags. */
  hasFlags: boolean
  /** By host: how many connections it is the client of. */
  clients: SharedArrayBuffer
  /** What the connections say of hosts. */
  facts: HostFacts
}

/** A part after its records were chained. */
export interface ChainedPart {
  rows: number
  table: SpilledTable
  legs: SpilledTable
  /** Where the roles of both are, one after the other. */
  roles: number
  tallies: Tallies
  details: SpilledDetails | null
  /** Where the links of the records are, and then their places in the index. Null where nobody asks for the roles of records. */
  links: number | null
}

/** What each step is given, and what it gives. */
export interface Steps {
  /** Blocks of the index, from one number up to another one: the pages of each part. */
  scatter: { given: readonly [number, number]; done: Page[][] }
  /** Null where only the fates of records are asked for. */
  chain: { given: { part: number; pages: readonly Page[] }; done: ChainedPart | null }
  sum: { given: { tallies: readonly Tallies[]; stretch: number }; done: KnownEndpoints }
  /** Gives where the roles are in the end. */
  judge: { given: { part: ChainedPart; known: KnownEndpoints }; done: JudgedPart }
  /** The connections of the clients from one number up to another one, as columns. */
  block: { given: { parts: readonly SpilledConnections[]; clients: readonly [number, number] }; done: MadeBlock }
}

export interface JudgedPart {
  roles: number
  /** Null where nobody asks for them. */
  connections: SpilledConnections | null
}

const scattered = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen', 'sourcePort', 'destinationPort'] as const),
  ...(['protocol', 'tcpFlags', 'icmpType', 'action', 'packets', 'bytes'] as const),
  ...(['start_us', 'end_us', 'vantage', 'known', 'file'] as const),
] as const
const naming = [
  ...(['source', 'destination', 'sourceSeen', 'destinationSeen'] as const),
  ...(['start_us', 'end_us', 'vantage'] as const),
] satisfies BlockColumn[]

export class WholeWork implements Does<Steps> {
  private readonly settings: WorkSettings
  private readonly index: RecordIndex
  private readonly dictionaries: RecordDictionaries
  private readonly metered: MeteredConnections | null
  private readonly records: Spill
  private readonly results: Spill
  private readonly fates: Uint8Array
  private named: NamedPairs | null = null
  private asked: EndpointTable | null = null
  private isInternal: ((host: number) => boolean) | null = null
  private counter: FactCounter | null = null

  constructor(settings: WorkSettings, index: RecordIndex, metered: MeteredConnections | null) {
    this.settings = settings
    this.index = index
    this.dictionaries = index.dictionaries
    this.metered = metered
    this.records = new Spill(settings.records)
    this.results = new Spill(settings.results)
    this.fates = new Uint8Array(settings.fates)
  }

  /** Does a step. */
  async does<Step extends keyof Steps>(step: Step, given: Steps[Step]['given']): Promise<Steps[Step]['done']> {
    const steps: { [One in keyof Steps]: (given: Steps[One]['given']) => Promise<Steps[One]['done']> } = {
      scatter: blocks => this.scatter(blocks),
      chain: part => this.chain(part),
      sum: async ({ tallies, stretch }) => summedUp(tallies, stretch, this.results),
      judge: async ({ part, known }) => this.judge(part, known),
      block: async ({ parts, clients }) => makeBlock(parts, clients, this.results, this.facts()),
    }
    return steps[step](given)
  }

  private async scatter([first, last]: readonly [number, number]): Promise<Page[][]> {
    const { parts, seed } = this.settings
    const scatter = new Scatter(spilledColumns(this.index.names), parts, seed, this.records)
    let place = first * this.index.blockRows
    for await (const block of this.index.blocks(scattered, { blocks: [first, last] })) {
      scatter.add(block, place)
      place += block.rows
    }
    return scatter.finish()
  }

  private async chain({ part, pages }: Steps['chain']['given']): Promise<ChainedPart | null> {
    const { evidence, begins, answers, columns, chosen } = this.settings
    const { vantages } = this.dictionaries
    const how = { evidence, vantages, isSubject: null }
    const named = await this.namedPairs()
    requireMemory(this.index.rows, bytesOfPart(pages.reduce((sum, { rows }) => sum + rows, 0)))
    const block = readPages(pages, spilledColumns(this.index.names), this.index.seen, this.records)
    const pairs = numberPairs(block)
    const fates = countOnce(block, pairs, how, named)
    for (let row = 0; row < block.rows; row++) this.fates[block.line[row]!] = fates[row]!
    if (begins === null && answers === null && columns === null && chosen === null) return null
    const { table, legs, links } = chainPart(evidence, this.dictionaries, block, pairs, fates)
    if (chosen !== null) markChosen(chosen, table, links, block.line)
    if (begins === null && answers === null && columns === null) return null
    const details =
      begins === null ? null : spillDetails(detailsOf(block, fates, links, table.count, vantages), this.results)
    if (begins !== null) {
      const into = new Uint8Array(begins)
      for (let i = 0; i < table.count; i++) into[table.integer(i, at4.firstRow)] = part + 1
    }
    return {
      rows: block.rows,
      ...this.byFlags(table, legs),
      details,
      links: answers === null ? null : this.spillLinks(links, block),
    }
  }

  /** What all records name, where the sensors saw other addresses than the packets'. */
  private async namedPairs(): Promise<NamedPairs | null> {
    if (!this.index.seen || this.named !== null) return this.named
    const { vantages } = this.dictionaries
    const named = new NamedPairs(pointsOf({ evidence: this.settings.evidence, vantages }))
    for await (const block of this.index.blocks(naming)) named.add(block)
    this.named = named
    return named
  }

  /** Tells roles by flags alone, and what connections say of endpoints. */
  private byFlags(
    table: Judged['table'],
    legs: Judged['table'],
  ): Pick<ChainedPart, 'table' | 'legs' | 'roles' | 'tallies'> {
    const { evidence, parts, seed } = this.settings
    const [judged, ofLegs] = [table, legs].map(one => judgedByFlags(evidence, one, this.metered)) as [Judged, Judged]
    const tallies = new TallyWriter()
    tallies.note(judged, false)
    tallies.note(ofLegs, true)
    return {
      table: spillTable(table, this.results),
      legs: spillTable(legs, this.results),
      roles: this.spillRoles(judged, ofLegs),
      tallies: tallies.write(parts, seed, this.results),
    }
  }

  private spillRoles(judged: Judged, legs: Judged): number {
    return spillRoles([judged.roles, legs.roles], this.results)
  }

  private spillLinks(links: Uint32Array, block: Parameters<typeof markLinks>[1]): number {
    markLinks(links, block, this.settings.evidence)
    const both = new Uint32Array(2 * links.length)
    both.set(links)
    both.set(block.line, links.length)
    return this.results.writeArray(both)
  }

  /** Tells the roles that the flags leave open. */
  private judge(part: ChainedPart, known: KnownEndpoints): JudgedPart {
    const { results } = this
    const { answers, columns } = this.settings
    if (this.asked === null) {
      this.asked = new EndpointTable()
      this.asked.addKnown(known)
    }
    const isInternal = this.internal()
    const [judged, legs] = readPart(part, results)
    for (const one of [judged, legs]) judgeRest(one, this.asked, { isInternal })
    if (answers !== null && part.links !== null) {
      const both = results.readArray(part.links, new Uint32Array(2 * part.rows))
      answerRecords(judged, legs, both.subarray(0, part.rows), both.subarray(part.rows), answers)
    }
    return {
      roles: this.spillRoles(judged, legs),
      connections: columns === null ? null : this.columns(judged, columns),
    }
  }

  private internal(): (host: number) => boolean {
    this.isInternal ??= internalHosts(this.dictionaries.hosts, this.settings.own)
    return this.isInternal
  }

  private facts(): FactCounter {
    this.counter ??= new FactCounter(this.settings.columns!.facts, this.internal())
    return this.counter
  }

  private columns(judged: Judged, { hasFlags, clients }: WantedColumns): SpilledConnections {
    requireMemory(this.index.rows, 2 * bytesOfColumns * judged.table.count)
    const columns = byClient(columnsOf(judged, { hasFlags, hosts: this.dictionaries.hosts }))
    const counts = new Uint32Array(clients)
    for (let i = 0; i < columns.count; i++) Atomics.add(counts, columns.client[i]!, 1)
    return spillConnections(columns, this.results)
  }
}

/** The connections of a part with their roles, and its legs. */
export function readPart({ table, legs, roles }: ChainedPart, results: Spill): [Judged, Judged] {
  return [
    { table: readTable(table, results), roles: readRoles(roles, table.count, results) },
    { table: readTable(legs, results), roles: readRoles(roles + 3 * table.count, legs.count, results) },
  ]
}
