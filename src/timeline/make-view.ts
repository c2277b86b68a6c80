/** Works out a view: which rows match, and what they sum up to. */
import { UserError } from '../errors.ts'
import type { Filter } from '../filter/ast.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { FlowsOptions } from '../flows/run.ts'
import { sentenceOf } from '../flows/sentence.ts'
import { asked } from '../flows/settle.ts'
import { internalPrefixes } from '../net/internal.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { isAlways } from '../query/walk.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import type { Fields } from './figures.ts'
import type { Going } from './going.ts'
import { slotsOfView } from './largest-hosts.ts'
import { flag } from './layout.ts'
import { Mask, rowsAtPlaces } from './mask.ts'
import { isKnownToIndex, matchedRows } from './match.ts'
import type { Matched, Summed, ViewParts } from './parts.ts'
import { classesOf, portsOf } from './ports-of.ts'
import type { TimeIndex } from './read.ts'
import type { Digit, RowReader } from './rows.ts'
import { type Basis, hasAny, placesFor, type Running, runningOf } from './running.ts'
import { type Matches, matchesOf } from './select.ts'
import { type HostSlots, OwnHosts } from './slots.ts'
import { type Groups, howOf } from './sums.ts'
import type { TotalsFile } from './totals-file.ts'

/** What a view is of. */
export interface ViewRequest extends Pick<FlowsRequest, 'filter' | 'params' | 'internal' | 'raw'> {
  /** An address or a network: `way` of the series is as seen from there, and not from the internal networks. */
  subject?: string
}

export type ViewOptions = Going &
  Pick<FlowsOptions, 'enrichment' | 'folder' | 'files' | 'fileParams'> & {
    /** Rows that are held in memory, at most; for tests. */
    fewMost?: number
    /** The kept totals of all records, which a view of these needs not work out. */
    totals?: () => Promise<TotalsFile>
  }

const fewRows = 200_000

/** What was asked, and which records match it: `index` where the index tells. */
interface Selected extends Pick<Matched, 'fields' | 'counting' | 'sentence' | 'notes' | 'internal'> {
  matches: Matches | 'all' | 'index'
  filter: Filter
  columns: ReadonlySet<string>
}

/** @throws UserError, FilterError where the filter cannot be meant; DamagedSections; the signal's reason. */
export async function makeView(
  c: Case,
  reader: RowReader,
  request: ViewRequest,
  options: ViewOptions,
): Promise<ViewParts> {
  const matched = await matchedBy(c, reader.index, request, options)
  return { ...matched, ...(await sumsOf(reader, matched, options)), reader }
}

/**
 * The rows that a view is of, without what they sum up to.
 *
 * @throws UserError, FilterError where the filter cannot be meant; DamagedSections; the signal's reason.
 */
export async function matchedBy(
  c: Case,
  index: TimeIndex,
  { subject, ...flows }: ViewRequest,
  options: ViewOptions,
): Promise<Matched> {
  const request: FlowsRequest = { ...flows, evidence: index.about.evidence }
  const own = subject === undefined ? null : subjectOf(subject)
  const selected = await question(c, options.signal, one => select(one, index, request, options))
  const { fields, counting, sentence, notes, internal } = selected
  const { mask, unknown } = await rowsOf(index, selected, options)
  return {
    ...{ request, own, fields, counting, sentence, notes, internal },
    mask: mask === null ? null : new Mask(mask, index),
    unknown: unknown === null ? null : new Mask(unknown, index),
  }
}

/** What the rows of a view sum up to. @throws DamagedSections; the signal's reason. */
export async function sumsOf(reader: RowReader, matched: Matched, options: ViewOptions): Promise<Summed> {
  const { index } = reader
  const { mask, own, internal, request, counting } = matched
  const words = mask?.words ?? null
  const hosts = await slotsOfView(reader, words, options)
  const groups = groupsOf(index, hosts, counting)
  const isPlain = mask === null && own === null && internal.length === 0 && request.raw !== true
  const totals = isPlain ? ((await options.totals?.()) ?? null) : null
  const ports = totals?.about.ports ?? (await portsOf(reader, groups, words, options))
  const portClass = classesOf(ports, groups)
  const prefixes = own === null ? [...internalPrefixes, ...internal] : [own]
  const ownHosts = new OwnHosts(() => reader.index.hostsIn(prefixes))
  const isFew = mask !== null && mask.count <= (options.fewMost ?? fewRows)
  const digits: readonly Digit[] = isWide(index) ? [0, 1, 2] : [null]
  const count = isFew ? 1 : placesFor(index, groups, digits.length)
  const running: Running[] = []
  for (const [part, digit] of digits.entries()) {
    const basis: Basis = { reader, groups, mask, isFew, hosts, own: ownHosts, portClass, digit }
    running.push(totals?.running(basis, part) ?? (await runningOf(basis, count, options)))
  }
  return { hosts, running, ports }
}

function subjectOf(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix === null) throw new UserError(`not an address or a network: ${text}`, { status: 2 })
  return prefix
}

/** Whether sums pass what a number holds exactly. */
export function isWide({ about }: TimeIndex): boolean {
  const most = BigInt(Number.MAX_SAFE_INTEGER)
  // A host may be both ends of a record.
  return 2n * BigInt(about.bytes) > most || 2n * BigInt(about.packets) > most
}

export function groupsOf({ about }: TimeIndex, hosts: HostSlots, counting: Matched['counting']): Groups {
  return {
    hosts: hosts.count,
    ports: about.ports.length + 1,
    kinds: about.kinds.length,
    how: howOf(about, counting.once, counting.accepted_only),
    unsaid: about.kinds.some(([, , , flags]) => (flags & flag.bytesUnknown) !== 0),
  }
}

/** Reads the filter, and finds the records that match. */
async function select(c: Case, index: TimeIndex, request: FlowsRequest, options: ViewOptions): Promise<Selected> {
  const grouped: FlowsRequest = { ...request, by: [] }
  const { setting, filter, once, notes } = await asked(c, grouped, options)
  const { columns } = setting.records
  const fields: Fields = {
    hasAction: columns.has('action'),
    hasBytes: columns.has('bytes'),
    hasPackets: columns.has('packets'),
  }
  const told = {
    ...{ fields, filter, columns, internal: setting.internal, sentence: sentenceOf(filter, setting) },
    counting: { once, accepted_only: setting.acceptedOnly },
    notes: [...filter.notes, ...setting.filter.notes, ...notes],
  }
  if (isAlways(setting.filter.where)) return { ...told, matches: 'all' }
  if (isKnownToIndex(filter.ast, { index, columns, internal: setting.internal })) return { ...told, matches: 'index' }
  return { ...told, matches: await matchesOf(c, setting, index.about) }
}

/** Bits of the rows that match (null: all), and of those of which it cannot be told (null: none). */
async function rowsOf(
  index: TimeIndex,
  { matches, filter, columns, internal, counting }: Selected,
  going: Going,
): Promise<{ mask: Uint32Array | null; unknown: Uint32Array | null }> {
  if (matches === 'all') return { mask: null, unknown: null }
  if (matches === 'index') {
    const { words, unknown } = await matchedRows(filter.ast, { index, columns, internal }, going)
    return { mask: words, unknown: unknown !== null && counting.once ? withoutAside(index, unknown) : unknown }
  }
  const mask = await rowsAtPlaces(index, matches.places, going)
  if (matches.unknown === null) return { mask, unknown: null }
  const unknown = await rowsAtPlaces(index, matches.unknown, going)
  return { mask, unknown: counting.once ? withoutAside(index, unknown) : unknown }
}

/** Takes away the rows for which others stand. */
function withoutAside(index: TimeIndex, words: Uint32Array): Uint32Array {
  const { kinds } = index.about
  for (let block = 0; block < index.blocks; block++) {
    const first = block * index.blockRows
    if (!hasAny(words, first, index.rowsOf(block))) continue
    const kind = index.column('kind', block)
    for (let row = 0; row < kind.length; row++) {
      if ((kinds[kind[row]!]![3] & flag.aside) !== 0) words[(first + row) >>> 5]! &= ~(1 << ((first + row) & 31))
    }
  }
  return words
}
