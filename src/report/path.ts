/** Whom a host reached, as a page: hosts, whom they reached outside, hubs, and what cannot be told. */

import type { HostPath, PathAnswer, PathEdge, PathHost, PathOutside, PathVia } from '../detect/path.ts'
import { durationWords } from '../net/time.ts'
import {
  address,
  type Block,
  bytes,
  command,
  gap,
  heading,
  line,
  list,
  paragraph,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { countText, integerText, sizeText, timeText } from './numbers.ts'
import { gapItemsOf } from './surface.ts'

const hostsAtMost = 50
const outsideAtMost = 20
const namedAtMost = 10
const administrationAtMost = 3
const gapsAtMost = 4

/** @param commandOf the command that prints a host's dossier. @param all whether all that are listed stand on the page. */
export function pathPage(found: PathAnswer, commandOf: (host: string) => string, all: boolean): Block[] {
  const { path } = found
  return [
    title(line`${strong('Whom')} ${address(path.from)} ${strong('reached')}`),
    gap,
    paragraph(verdict(path)),
    ...coverage(found),
    heading(`Hosts (${integerText(Math.max(0, path.hosts_total - 1))})`),
    ...hostBlocks(path, commandOf, all),
    heading(`Reached outside (${integerText(path.outside_total)})`),
    ...outsideBlocks(path, all),
    heading('What cannot be told'),
    list(doubts(found)),
  ]
}

function verdict({ from, at, at_given, hosts_total, outside_total, limits }: HostPath): Text {
  if (at === null) return line`${strong('No connection')} of what was asked for has ${address(from)}.`
  const inside = countText(hosts_total - 1, 'internal host')
  const since = at_given ? 'as given' : 'its first connection'
  return line`${strong(`${inside}, and ${countText(outside_total, 'host')} outside`)}, over ${countText(limits.hops, 'connection')} in a row at most, from ${time(timeText(at))} on (${since}). A connection carries on where it was answered and began after its client was reached: that it did so is possible, and not proven.`
}

function coverage({ coverage: { complete, gaps, gaps_not_listed, cannot_tell }, selection }: PathAnswer): Block[] {
  const { from, to } = selection
  const items: Text[] = [
    ...(from === null ? [] : [`Only connections that begin at ${timeText(from)} or later.`]),
    ...(to === null ? [] : [`Only connections that begin before ${timeText(to)}.`]),
    ...gapItemsOf(gaps, gaps_not_listed, gapsAtMost),
    ...cannot_tell.map(text => `This evidence cannot tell: ${text}.`),
  ]
  const holes = complete ? [] : [warning('This answer has holes: more hosts may have been reached.')]
  return items.length + holes.length === 0 ? [] : [gap, ...holes, list(items)]
}

function hostBlocks(path: HostPath, commandOf: (host: string) => string, all: boolean): Block[] {
  const reached = path.hosts.filter(({ hop }) => hop > 0)
  if (reached.length === 0) return [paragraph('None.')]
  const edges = new Map(path.edges.map(edge => [keyOf(edge.from, edge.to, edge), edge]))
  const listed = all ? reached : reached.slice(0, hostsAtMost)
  return [
    table(
      [
        { title: 'hop', align: 'right' },
        { title: 'reached at' },
        { title: 'host' },
        { title: 'by' },
        { title: 'over' },
        { title: 'sent', align: 'right' },
        { title: 'got', align: 'right' },
        { title: 'marks' },
        { title: 'its dossier', hangs: true },
      ],
      listed.map(host => ({
        cells: [
          ...cellsOf(host, edges.get(keyOf(host.by!, host.address, host.via!))),
          command(commandOf(host.address)),
        ],
        detail: administration(path, host),
      })),
    ),
    ...moreText(path.hosts_total - 1, listed.length, reached.length),
  ]
}

/** Administrative services of a host that were reached later, or by others, than the connection that its row tells of. */
function administration({ edges }: HostPath, { address: to, by, via }: PathHost): Text {
  const own = keyOf(by!, to, via!)
  const some = edges.filter(edge => edge.administrative && edge.to === to && keyOf(edge.from, edge.to, edge) !== own)
  const texts = some
    .slice(0, administrationAtMost)
    .map(
      ({ from, first_start, connections, bytes_up, bytes_down, ...service }) =>
        `${serviceText(service)} by ${from} from ${timeText(first_start)} on, ${countText(connections, 'connection')}, sent ${sizeText(bytes_up)}, got ${sizeText(bytes_down)}`,
    )
  const left = some.length - texts.length
  return texts.length === 0 ? '' : `also over ${texts.join('; ')}${left > 0 ? `; and ${countText(left, 'more')}` : ''}`
}

const keyOf = (from: string, to: string, { protocol, port }: Pick<PathVia, 'protocol' | 'port'>): string =>
  `${from} ${to} ${protocol} ${port}`

function cellsOf(host: PathHost, edge: PathEdge | undefined): Text[] {
  const via = host.via!
  const marks = [
    ...(via.administrative ? [strong('administrative')] : []),
    ...(edge?.new === true ? ['new'] : []),
    ...(host.uncertain ? ['order uncertain'] : []),
    ...(host.not_followed === 'hub' ? [`hub of ${countText(host.clients, 'client')}, not followed`] : []),
    ...(host.not_followed === 'hops' ? ['last hop, not followed'] : []),
    ...(host.tried.connections > 0 ? [`tried ${countText(host.tried.hosts, 'host')} in vain`] : []),
  ]
  return [
    String(host.hop),
    time(timeText(host.reached_at)),
    address(host.address),
    address(host.by!),
    serviceText(via),
    bytes(sizeText(via.bytes_up)),
    bytes(sizeText(via.bytes_down)),
    marks.flatMap((mark, i) => (i === 0 ? [mark] : ['; ', mark])),
  ]
}

/** `22/tcp (ssh)`. */
export function serviceText({ protocol, port, service }: Pick<PathVia, 'protocol' | 'port' | 'service'>): string {
  if (protocol === null) return 'unknown protocol'
  const transport = protocol === 6 ? 'tcp' : protocol === 17 ? 'udp' : `protocol ${protocol}`
  const at = port === null ? transport : `${port}/${transport}`
  return service === null ? at : `${at} (${service})`
}

function outsideBlocks({ outside, outside_total }: HostPath, all: boolean): Block[] {
  if (outside.length === 0) return [paragraph('None.')]
  const listed = all ? outside : outside.slice(0, outsideAtMost)
  return [
    paragraph('Those that were sent most first. What they did in turn is not in this evidence.'),
    table(
      [
        { title: 'host' },
        { title: 'first at' },
        { title: 'by' },
        { title: 'over' },
        { title: 'connections', align: 'right' },
        { title: 'sent', align: 'right' },
        { title: 'got', align: 'right' },
        { title: 'marks' },
      ],
      listed.map(one => ({ cells: outsideCells(one) })),
    ),
    ...moreText(outside_total, listed.length, outside.length),
  ]
}

function outsideCells(one: PathOutside): Text[] {
  return [
    address(one.address),
    time(timeText(one.reached_at)),
    address(one.by),
    serviceText(one.via),
    integerText(one.connections),
    bytes(sizeText(one.bytes_up)),
    bytes(sizeText(one.bytes_down)),
    one.uncertain ? 'order uncertain' : '',
  ]
}

/** What a table leaves out: where it stands, or that it stands nowhere. */
export function moreText(total: number, shown: number, listed: number): Block[] {
  const left = total - shown
  if (left <= 0) return []
  const where = listed === total ? '--all lists them' : `--all lists ${integerText(listed)} in all, and no more`
  return [paragraph(`… and ${integerText(left)} more: ${where}.`)]
}

function doubts({ path, not_decidable }: PathAnswer): Text[] {
  const { hubs, limits, possible, possible_total } = path
  const hubNames = hubs.slice(0, namedAtMost).map(one => one.address)
  const possibleNames = possible.slice(0, namedAtMost).map(one => one.address)
  const uncertain = path.hosts.filter(one => one.uncertain).length
  return [
    'A flow record does not show who sat at a host: each step may be the ordinary work of its client.',
    ...(hubs.length === 0
      ? []
      : [
          `Hubs, which ${integerText(limits.hub)} internal hosts or more use, are not followed: ${namesText(hubNames, path.hubs_total)}. --hub ${integerText(Math.max(...hubs.map(one => one.clients)) + 1).replaceAll(',', '')} follows those that are named here.`,
        ]),
    ...(limits.hosts_at_last_hop === 0
      ? []
      : [
          `${countText(limits.hosts_at_last_hop, 'host')} at the last of ${countText(limits.hops, 'hop')} ${limits.hosts_at_last_hop === 1 ? 'is' : 'are'} not followed: --hops ${limits.hops + 1} goes on.`,
        ]),
    ...(uncertain === 0
      ? []
      : [
          `Order uncertain: of ${countText(uncertain, 'host')} each chain has a step that began less than ${durationWords(limits.interval_seconds)} after the one before, the interval of the records.`,
        ]),
    ...(possible_total === 0
      ? []
      : [
          `Within that interval before their client was reached, it had connected to ${countText(possible_total, 'host')} more: ${namesText(possibleNames, possible_total)}. They may have been reached; they are not followed.`,
        ]),
    ...(path.undirected_connections === 0
      ? []
      : [
          `${countText(path.undirected_connections, 'connection')} of these hosts, in ${countText(path.undirected_total, 'pair')}, ${path.undirected_connections === 1 ? 'does' : 'do'} not tell who began ${path.undirected_connections === 1 ? 'it' : 'them'}: they are not followed; "undirected" in --json has them.`,
        ]),
    ...(path.truncated ? ['Lists are cut in --json, too: each has its total beside it.'] : []),
    ...not_decidable.map(({ rule, reason }) => `${rule}: ${reason}.`),
  ]
}

function namesText(named: readonly string[], total: number): string {
  const left = total - named.length
  return left > 0 ? `${named.join(', ')} and ${countText(left, 'more')}` : named.join(', ')
}
