/** What the panels of a window show, by plain questions of `tidemark flows`: the slow way, which knows nothing of the time index. */
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { protocolText } from '../../src/net/protocols.ts'
import type { Count, ViewAsk, Window } from '../../src/server/contract/common.ts'
import type { HostRow, Order, Volume } from '../../src/server/contract/view.ts'
import type { Case } from '../../src/store/case.ts'
import { answerOf } from '../flows/support.ts'

const plain = (value: FlowsRow[string] | undefined): Count =>
  typeof value === 'bigint' ? (value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)) : (value ?? null)

/** The filter of a view and its window. */
export function filterIn({ filter }: ViewAsk, { from, to }: Window): string {
  const at = (second: number): string => new Date(second * 1000).toISOString()
  const terms = [
    ...(filter === '' ? [] : [`(${filter})`]),
    ...(from === null ? [] : [`first seen >= ${at(from)}`]),
    ...(to === null ? [] : [`first seen < ${at(to)}`]),
  ]
  return terms.join(' and ')
}

function volumeOf({ records, rejected, bytes }: FlowsRow): Volume {
  return { records: plain(records), rejected: plain(rejected), bytes: plain(bytes) }
}

export interface PlainView {
  totals: Record<'records' | 'rejected' | 'bytes' | 'packets' | 'collapsed' | 'unknown' | 'unsummed', Count>
  hosts: HostRow[]
  ports: Map<number | null, Count>
  sensors: (Volume & { sensor: string | null })[]
  actions: (Volume & { action: string | null })[]
  protocols: (Volume & { protocol: number | null; name: string })[]
}

export async function plainView(c: Case, view: ViewAsk, window: Window, order: Order, top: number): Promise<PlainView> {
  const base: FlowsRequest = { filter: filterIn(view, window), raw: view.raw, internal: view.own }
  const grouped = async (by: string[], limit: number | null = null): Promise<FlowsRow[]> =>
    (await answerOf(c, { ...base, by, order, limit })).rows
  const { counting } = await queryFlows(c, { ...base, by: [] })
  const { records, rejected, bytes, packets, collapsed, unknown, unsummed } = counting
  const all = { records, rejected, bytes, packets, collapsed, unknown, unsummed }
  const hosts = (await answerOf(c, { ...base, stat: { element: 'ip' }, order, limit: top })).rows
  const sent = new Map((await grouped(['srcip'])).map(row => [row['srcaddr'], plain(row['bytes'])]))
  const received = new Map((await grouped(['dstip'])).map(row => [row['dstaddr'], plain(row['bytes'])]))
  const none = c.columns.has('bytes') ? 0 : null
  return {
    totals: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, plain(value)])) as PlainView['totals'],
    hosts: hosts.map(row => {
      const host = row['ip'] as string | null
      const side = (of: typeof sent): Count => (of.has(host) ? of.get(host)! : none)
      return { host, ...volumeOf(row), sent: side(sent), received: side(received) }
    }),
    ports: await recordsOfPorts(grouped),
    sensors: (await grouped(['sensor'])).map(row => ({ sensor: row['sensor'] as string | null, ...volumeOf(row) })),
    actions: (await grouped(['action'])).map(row => ({ action: row['action'] as string | null, ...volumeOf(row) })),
    protocols: (await grouped(['proto'])).map(row => {
      const protocol = row['protocol'] as number | null
      return { protocol, name: protocolText(protocol), ...volumeOf(row) }
    }),
  }
}

/** Records by the lower of both ports, of protocols that have ports. */
async function recordsOfPorts(grouped: (by: string[]) => Promise<FlowsRow[]>): Promise<PlainView['ports']> {
  const found: PlainView['ports'] = new Map()
  for (const row of await grouped(['srcport', 'dstport', 'proto'])) {
    const [source, destination, protocol] = [row['srcport'], row['dstport'], row['protocol']].map(one => one ?? null)
    const isKnown = source !== null && destination !== null && [6, 17, 132].includes(Number(protocol))
    const port = isKnown ? Math.min(Number(source), Number(destination)) : null
    found.set(port, Number(found.get(port) ?? 0) + Number(row['records']))
  }
  return found
}
