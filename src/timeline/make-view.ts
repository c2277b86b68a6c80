/** Works out a view: which rows match, and what they sum up to. */

import { internalMarks, marksOf } from '../conversations/hosts.ts'
import { UserError } from '../errors.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { FlowsOptions } from '../flows/run.ts'
import { sentenceOf } from '../flows/sentence.ts'
import { asked } from '../flows/settle.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { isAlways } from '../query/walk.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import type { Fields } from './figures.ts'
import { hostsMost, type LargestHosts, slotsOfView } from './largest-hosts.ts'
import { flag } from './layout.ts'
import { Mask, rowsAtPlaces } from './mask.ts'
import type { ViewParts } from './parts.ts'
import { portsOf } from './ports-of.ts'
import type { TimeIndex } from './read.ts'
import type { Digit, RowReader } from './rows.ts'
import { type Basis, type Going, placesFor, runningOf } from './running.ts'
import { type Matches, matchesOf } from './select.ts'
import { HostMarks, type HostSlots } from './slots.ts'
import { type Groups, howOf } from './sums.ts'

/** What a view is of. */
export interface ViewRequest extends Pick<FlowsRequest, 'filter' | 'params' | 'internal' | 'raw'> {
  /** An address or a network: `way` of the series is as seen from there, and not from the internal networks. */
  subject?: string
}

export type ViewOptions = Going & Pick<FlowsOptions, 'enrichment' | 'folder' | 'files' | 'fileParams'>

/** What was asked, and which records match it; null: all. */
interface Selected extends Pick<ViewParts, 'fields' | 'counting' | 'sentence' | 'notes'> {
  matches: Matches | null
  internal: readonly Prefix[]
}

/** @throws UserError, FilterError where the filter cannot be meant; DamagedSections; the signal's reason. */
export async function makeView(
  c: Case,
  reader: RowReader,
  request: ViewRequest,
  options: ViewOptions,
  largest: LargestHosts | null,
): Promise<ViewParts> {
  const { index } = reader
  const { subject, ...flows } = request
  const asking: FlowsRequest = { ...flows, evidence: index.about.evidence }
  const own = subject === undefined ? null : subjectOf(subject)
  const selected = await question(c, options.signal, one => select(one, index, asking, options))
  const { counting, matches } = selected
  const mask = matches === null ? null : await rowsAtPlaces(index, matches.places, options)
  const unknown = await unknownRows(index, matches, counting.once, options)
  const hosts = await slotsOfView(reader, largest, mask, hostsMost, options)
  const groups = groupsOf(index, hosts, counting)
  const ports = await portsOf(reader, groups, mask, options)
  const isOwn = own === null ? internalMarks(index.hosts, selected.internal) : marksOf(index.hosts, [own])
  const marks = new HostMarks(index.about.hosts, hosts, isOwn)
  const digits: readonly Digit[] = isWide(index) ? [0, 1, 2] : [null]
  const count = placesFor(index.blocks, index.rows, groups, digits.length)
  const running: ViewParts['running'][number][] = []
  for (const digit of digits) {
    const basis: Basis = { reader, groups, mask, marks, portClass: ports.classOf, digit }
    running.push(await runningOf(basis, count, options))
  }
  return {
    ...{ request: asking, reader, hosts, marks, running, ports },
    ...{ fields: selected.fields, counting, sentence: selected.sentence, notes: selected.notes },
    mask: mask === null ? null : new Mask(mask, index),
    unknown: unknown === null ? null : new Mask(unknown, index),
  }
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

export function groupsOf({ about }: TimeIndex, hosts: HostSlots, counting: ViewParts['counting']): Groups {
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
    ...{ fields, internal: setting.internal, sentence: sentenceOf(filter, setting) },
    counting: { once, accepted_only: setting.acceptedOnly },
    notes: [...filter.notes, ...setting.filter.notes, ...notes],
  }
  const isAll = isAlways(setting.filter.where)
  return { ...told, matches: isAll ? null : await matchesOf(c, setting, index.about) }
}

/** The rows of which it cannot be told; where records count once those do not for which others stand. */
async function unknownRows(
  index: TimeIndex,
  matches: Matches | null,
  once: boolean,
  going: Going,
): Promise<Uint32Array | null> {
  if (matches === null || matches.unknown === null) return null
  const words = await rowsAtPlaces(index, matches.unknown, going)
  if (!once) return words
  const { kinds } = index.about
  for (let block = 0; block < index.blocks; block++) {
    const kind = index.column('kind', block)
    const first = block * index.blockRows
    for (let row = 0; row < kind.length; row++) {
      if ((kinds[kind[row]!]![3] & flag.aside) !== 0) words[(first + row) >>> 5]! &= ~(1 << ((first + row) & 31))
    }
  }
  return words
}
