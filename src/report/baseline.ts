/** What changed since a baseline, as a page. */

import type { BaselineAnswer, BaselineComparison, ComparedWindow } from '../detect/baseline.ts'
import type {
  Change,
  ChangedService,
  ComparedPair,
  ComparedPeer,
  ComparedPort,
  HostVolume,
} from '../detect/baseline-lists.ts'
import {
  address,
  type Block,
  bytes,
  type Column,
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
import { countText, integerText, percentText, sizeText, spanText, timeText } from './numbers.ts'
import { moreText, serviceText } from './path.ts'
import { gapItemsOf } from './surface.ts'

const rowsAtMost = 10
const gapsAtMost = 4
const namedAtMost = 10

/** @param all whether all that are listed stand on the page. */
export function baselinePage(found: BaselineAnswer, all: boolean): Block[] {
  const { baseline, not_decidable } = found
  const undecided = not_decidable.map(({ rule, reason }) => `${rule}: ${reason}.`)
  return [
    title(strong('What changed since the baseline')),
    gap,
    ...(baseline === null
      ? [paragraph('There are no connections to compare.')]
      : [...windows(found, baseline), ...sections(baseline, all)]),
    ...(undecided.length === 0 ? [] : [heading('What could not be decided'), list(undecided)]),
  ]
}

function windows({ coverage }: BaselineAnswer, baseline: BaselineComparison): Block[] {
  const { window, doubts, auto, new_peers_total, new_pairs_total, surface } = baseline
  return [
    paragraph(
      line`${strong(`${countText(surface.opened_total, 'service')} opened to hosts outside, ${integerText(surface.closed_total)} closed`)}; ${countText(new_peers_total, 'new peer')} outside, ${countText(new_pairs_total, 'new pair')} of internal hosts.`,
    ),
    list([
      line`Baseline${auto ? ', the first quarter of the case' : ''}: ${windowText(baseline)}`,
      line`Compared with it: ${windowText(window)}`,
      ...gapItemsOf(coverage.gaps, coverage.gaps_not_listed, gapsAtMost),
    ]),
    ...(doubts.length === 0
      ? []
      : [gap, warning('What is called new may have been there before:'), list(doubts.map(doubt => `${doubt}.`))]),
  ]
}

function windowText({ from, to, hours, connections, hosts }: ComparedWindow): Text {
  return line`${time(spanText(from, to))}, ${hours.toFixed(1)} h of it in the evidence; ${countText(connections, 'connection')}, ${countText(hosts, 'internal host')}.`
}

function sections(baseline: BaselineComparison, all: boolean): Block[] {
  const { surface, new_hosts, new_hosts_total, gone_hosts, gone_hosts_total } = baseline
  const section = <T>(
    name: string,
    total: number,
    some: readonly T[],
    columns: readonly Column[],
    cells: (one: T) => Text[],
  ) => [heading(`${name} (${integerText(total)})`), ...tableOf(total, some, columns, cells, all)]
  return [
    ...section('Opened to hosts outside', surface.opened_total, surface.opened, serviceColumns, serviceCells),
    ...section('Closed to hosts outside', surface.closed_total, surface.closed, serviceColumns, serviceCells),
    ...section('New peers outside', baseline.new_peers_total, baseline.new_peers, peerColumns, peerCells),
    ...section('New clients from outside', baseline.new_clients_total, baseline.new_clients, peerColumns, peerCells),
    ...section('New pairs of internal hosts', baseline.new_pairs_total, baseline.new_pairs, pairColumns, pairCells),
    ...section('New ports of internal clients', baseline.new_ports_total, baseline.new_ports, portColumns, portCells),
    ...section(
      'New services for internal clients',
      baseline.new_services_total,
      baseline.new_services,
      serviceColumns,
      serviceCells,
    ),
    ...section(
      'Services gone for internal clients',
      baseline.gone_services_total,
      baseline.gone_services,
      serviceColumns,
      serviceCells,
    ),
    ...section('Volumes of internal hosts', baseline.volumes_total, baseline.volumes, volumeColumns, volumeCells),
    heading('Internal hosts'),
    list([
      `New: ${namesText(new_hosts, new_hosts_total)}. What they did is in no list of new ports and pairs.`,
      `Not seen any more: ${namesText(gone_hosts, gone_hosts_total)}.`,
    ]),
  ]
}

function tableOf<T>(
  total: number,
  some: readonly T[],
  columns: readonly Column[],
  cells: (one: T) => Text[],
  all: boolean,
): Block[] {
  if (some.length === 0) return [paragraph('None.')]
  const listed = all ? some : some.slice(0, rowsAtMost)
  return [
    table(
      columns,
      listed.map(one => ({ cells: cells(one) })),
    ),
    ...moreText(total, listed.length, some.length),
  ]
}

function namesText(named: readonly string[], total: number): string {
  const some = named.slice(0, namedAtMost)
  if (some.length === 0) return 'none'
  return total > some.length ? `${some.join(', ')} and ${integerText(total - some.length)} more` : some.join(', ')
}

const right = (name: string): Column => ({ title: name, align: 'right' })
const serviceColumns: readonly Column[] = [
  { title: 'host' },
  { title: 'service' },
  right('clients'),
  right('connections'),
  right('got'),
  right('sent'),
  { title: 'first at' },
  { title: 'in the other window' },
]

function serviceCells(one: ChangedService): Text[] {
  const { rejected, refused, unanswered } = one.other_window
  const tried = Object.entries({ rejected, refused, unanswered }).filter(([, count]) => count > 0)
  return [
    address(one.address),
    serviceText(one),
    integerText(one.clients),
    integerText(one.connections),
    bytes(sizeText(one.bytes_up)),
    bytes(sizeText(one.bytes_down)),
    time(timeText(one.first_start)),
    tried.length === 0 ? 'nobody tried' : tried.map(([name, count]) => `${integerText(count)} ${name}`).join(', '),
  ]
}

const peerColumns: readonly Column[] = [
  { title: 'host' },
  right('internal hosts'),
  { title: 'the first' },
  { title: 'over' },
  right('connections'),
  right('client sent'),
  right('client got'),
  { title: 'first at' },
]

function peerCells(one: ComparedPeer): Text[] {
  return [
    address(one.address),
    `${integerText(one.hosts)} (${shareText(one.prevalence)})`,
    address(one.host),
    serviceText(one),
    integerText(one.connections),
    bytes(sizeText(one.bytes_up)),
    bytes(sizeText(one.bytes_down)),
    time(timeText(one.first_start)),
  ]
}

const shareText = (share: number): string => percentText(Math.round(share * 1e4), 1e4)

const pairColumns: readonly Column[] = [
  { title: 'client' },
  { title: 'server' },
  { title: 'over' },
  right('connections'),
  right('sent'),
  right('got'),
  { title: 'first at' },
]

function pairCells(one: ComparedPair): Text[] {
  const left = one.services_total - Math.min(3, one.services.length)
  const services = one.services.slice(0, 3).map(serviceText).join(', ')
  return [
    address(one.from),
    address(one.to),
    one.administrative
      ? strong(`${services}${left > 0 ? `, ${left} more` : ''}; administrative`)
      : `${services}${left > 0 ? `, ${left} more` : ''}`,
    integerText(one.connections),
    bytes(sizeText(one.bytes_up)),
    bytes(sizeText(one.bytes_down)),
    time(timeText(one.first_start)),
  ]
}

const portColumns: readonly Column[] = [
  { title: 'client' },
  { title: 'port' },
  right('hosts reached'),
  right('used by before'),
  right('and now'),
  right('connections'),
  right('sent'),
  right('got'),
  { title: 'first at' },
]

function portCells(one: ComparedPort): Text[] {
  return [
    address(one.address),
    serviceText(one),
    integerText(one.peers),
    shareText(one.prevalence_before),
    shareText(one.prevalence_after),
    integerText(one.connections),
    bytes(sizeText(one.bytes_up)),
    bytes(sizeText(one.bytes_down)),
    time(timeText(one.first_start)),
  ]
}

const volumeColumns: readonly Column[] = [
  { title: 'host' },
  right('out an hour before'),
  right('and now'),
  right('times'),
  right('z'),
  right('in an hour before'),
  right('and now'),
  right('times'),
  right('peers before'),
  right('and now'),
]

function volumeCells({ address: host, bytes_out, bytes_in, peers }: HostVolume): Text[] {
  return [
    address(host),
    ...rates(bytes_out),
    bytes_out.z === null ? '' : String(bytes_out.z),
    ...rates(bytes_in),
    integerText(peers.before),
    integerText(peers.after),
  ]
}

function rates({ per_hour_before, per_hour_after, ratio }: Change): Text[] {
  const text = (rate: number | null): Text => (rate === null ? 'unknown' : bytes(sizeText(Math.round(rate))))
  return [text(per_hour_before), text(per_hour_after), ratio === null ? '' : String(ratio)]
}
