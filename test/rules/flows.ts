/** What scenarios are made of, and how they become lines of a log. */
import type { ListEntry } from '../../src/rules/evidence.ts'

/** A connection. Hosts are numbers within the scenario: above zero inside, below zero outside; zero is the metadata service, for all. */
export interface Flow {
  at: number
  seconds?: number
  from: number
  to: number
  port: number
  protocol?: number
  /** Of the client; without it each connection has one of its own. */
  clientPort?: number
  /** Packets and bytes of the client, and of the server. */
  up: readonly [packets: number, bytes: number]
  down?: readonly [packets: number, bytes: number]
  flags?: readonly [up: number, down: number]
  isRejected?: boolean
}

/** What an address list says of a host; times as those of flows. */
interface Listed {
  host: number
  list: string
  from?: number
  until?: number
  /** When the list was made; the day before where it is not given, null where the list does not say. */
  dated?: number | null
}

export interface Scenario {
  rule: string
  name: string
  /** Severity and confidence of the finding; null where nothing is to be found. */
  found: string | null
  flows: readonly Flow[]
  lists?: readonly Listed[]
}

const begin = 1_695_859_200
export const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

export function hostOf(scenario: number, host: number): string {
  if (host === 0) return 'fd00:ec2::254'
  const [prefix, number] = host > 0 ? ['fd00', host] : ['2001:db8', -host]
  return `${prefix}:${(scenario + 1).toString(16)}::${number.toString(16)}`
}

/** The lines of a scenario. */
export function linesOf({ flows }: Scenario, scenario: number): string[] {
  return flows.flatMap((flow, n) => {
    const { at, seconds = 1, from, to, port, protocol = 6, up, down, isRejected = false } = flow
    const isTcp = protocol === 6
    const [flagsUp, flagsDown] = flow.flags ?? (isTcp ? [2, 18] : [0, 0])
    const sport = protocol === 58 ? 0 : (flow.clientPort ?? 50_000 + (n % 15_000))
    const [client, server] = [hostOf(scenario, from), hostOf(scenario, to)]
    const time = `${begin + at} ${begin + at + seconds} ${isRejected ? 'REJECT' : 'ACCEPT'} OK`
    const record = (ends: string, [packets, bytes]: readonly [number, number], flags: number): string =>
      `5 1 eni-1 ${ends} ${protocol} ${packets} ${Math.round(bytes)} ${time} ${flags}`
    return [
      record(`${client} ${server} ${sport} ${port}`, up, flagsUp),
      ...(down === undefined ? [] : [record(`${server} ${client} ${port} ${sport}`, down, flagsDown)]),
    ]
  })
}

/** The lists of all scenarios, asked by address. */
export function listsIn(
  scenarios: readonly Scenario[],
): (address: string, from_us: number, to_us: number) => ListEntry[] {
  const us = (at: number): number => (begin + at) * 1e6
  const known = new Map<string, readonly (Listed & { address: string })[]>()
  for (const [i, { lists = [] }] of scenarios.entries())
    for (const one of lists) {
      const address = hostOf(i, one.host)
      known.set(address, [...(known.get(address) ?? []), { ...one, address }])
    }
  return (address, from_us, to_us) =>
    (known.get(address) ?? [])
      .filter(({ from = -1e9, until = 1e9 }) => us(from) <= to_us && from_us < us(until))
      .map(({ list, dated = -86_400 }) => ({
        ...{ list, path: `${list}.csv`, entry: address, line: 1, note: null },
        dated_us: dated === null ? null : us(dated),
      }))
}

/** Scenarios of a rule. @param found severity and confidence of the finding; null where nothing is to be found. */
export const scenariosOf =
  (rule: string) =>
  (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({ rule, name, found, flows })

export const many = (count: number, flow: (i: number) => Flow | Flow[]): Flow[] =>
  Array.from({ length: count }, (_, i) => flow(i)).flat()
export const rejected = (at: number, from: number, to: number, port: number): Flow => ({
  ...{ at, from, to, port, up: [1, 60], isRejected: true },
})
export const answered = (flow: Partial<Flow> & Pick<Flow, 'at' | 'from' | 'to' | 'port'>): Flow => ({
  up: [10, 1000],
  down: [10, 3000],
  ...flow,
})

/** A guess at a log-in: the sizes differ a little. */
const third = [0, 0.03, -0.03]
export const guess = (i: number, rest: Partial<Flow> = {}, every = 10): Flow => ({
  ...{ at: every * i, seconds: 15, from: -1, to: 1, port: 7777 },
  ...{ up: [12, 2000 * (1 + third[i % 3]!)], down: [14, 3000], ...rest },
})

/** Small connections with hosts outside on high ports. */
export const highPeers = (count: number): Flow[] =>
  many(count, i => answered({ at: 7 * i, from: 1, to: -100 - i, port: 10_000 + i, up: [3, 200], down: [3, 200] }))

/** Two more internal hosts that use a service. */
export const others = (to: number, port: number): Flow[] =>
  many(2, i => answered({ at: 30_000 + i, from: 3 + i, to, port }))
