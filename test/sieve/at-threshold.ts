/** Traffic that sits on a threshold of a rule: one more or less asked for, and the rule would be silent. */
import type { Thresholds } from '../../src/rules/rule.ts'
import { answered, type Flow, guess, many, rejected, type Scenario } from '../rules/flows.ts'

export interface AtThreshold extends Scenario {
  /** The threshold, and what a sieve would ask that is too strict by one. */
  strict: (thresholds: Thresholds) => Thresholds
  threshold: string
}

const begin = 10_000

function at(rule: string, threshold: string, flows: readonly Flow[], by: 1 | -1 | 'none' = 1): AtThreshold {
  return {
    ...{ rule, threshold, name: `${rule}, ${threshold}`, found: '', flows },
    strict: thresholds => ({
      ...thresholds,
      [threshold]: by === 'none' ? [] : (thresholds[threshold] as number) + by,
    }),
  }
}

const refused = (i: number): Flow => ({
  ...{ at: begin + 90 * i, seconds: 0, from: 1, to: -1, port: 4444 },
  ...{ up: [1, 60], down: [1, 40], flags: [2, 4] },
})
/** Nothing comes back. */
const silent = (i: number, rest: Partial<Flow>): Flow => ({
  ...{ at: begin + i, from: 1, to: -1 - i, port: 4444, up: [1, 60] },
  ...rest,
})
const mail = many(10, i => rejected(begin + 60 * i, 1, -1 - i, 25))
const session = answered({ at: begin, from: 1, to: 2, port: 22, up: [20, 4000], down: [20, 9000] })

/** What there is at the beginning and at the end, so that all else is new. */
export const around: Scenario = {
  ...{ rule: '', name: 'before and after', found: null },
  flows: [0, 86_000].map(when => answered({ at: when, from: 1, to: -1, port: 443 })),
}

export const atThresholds: readonly AtThreshold[] = [
  at(
    'D01-scan',
    'targetsMin',
    many(10, i => rejected(begin + i, 1, -1 - i, 445)),
  ),
  at(
    'D01-scan',
    'targetsMin',
    many(10, i => rejected(begin + i, 1, -1, 1000 + i)),
  ),
  at(
    'D01-scan',
    'pairsMin',
    many(25, i => rejected(begin + i, 1, -1 - (i % 5), 2000 + Math.floor(i / 5))),
  ),
  at(
    'D01-scan',
    'synPacketsMax',
    many(10, i => silent(i, { up: [8, 480] })),
    -1,
  ),
  at(
    'D01-scan',
    'attemptPacketsMax',
    many(10, i => silent(i, { protocol: 17, port: 5000, up: [3, 180] })),
    -1,
  ),
  at(
    'D01-scan',
    'udpPortMax',
    many(10, i => silent(i, { protocol: 17, port: 32_767 })),
    -1,
  ),
  at(
    'D01-icmp-sweep',
    'targetsMin',
    many(10, i => silent(i, { protocol: 58, port: 0, up: [1, 84] })),
  ),
  at(
    'D02-brute-force',
    'slowMin',
    many(20, i => guess(i, { at: begin + 100 * i, port: 22 })),
  ),
  ...['sourcesMin', 'ofSourceMin'].map(threshold =>
    at(
      'D02-spray',
      threshold,
      many(10, s => many(3, i => guess(i, { at: begin + 100 * s + 20 * i, from: -1 - s, port: 22 }))),
    ),
  ),
  at(
    'D03-beacon',
    'connectionsMin',
    many(10, i => answered({ at: begin + 600 * i, from: 1, to: -1, port: 4444 })),
  ),
  at('D04-outbound-volume', 'bytesMin', [
    answered({ at: begin, from: 1, to: -1, port: 443, up: [100_000, 100_000_000], down: [1000, 50_000] }),
  ]),
  ...['peersMin', 'packetsMin'].map(threshold =>
    at(
      'D05-admin-fan-out',
      threshold,
      many(8, i => answered({ at: begin + 60 * i, from: 1, to: 2 + i, port: 22, up: [4, 400] })),
    ),
  ),
  at('D05-hop-chain', 'packetsMin', [session, { ...session, at: begin + 120, from: 2, to: 3 }]),
  at('D07-rejected-then-accepted', 'rejectedMin', [
    ...many(3, i => rejected(begin + 60 * i, -1, 1, 443)),
    answered({ at: begin + 300, from: -1, to: 1, port: 443 }),
  ]),
  at(
    'D08-long-session',
    'remoteWorkSeconds',
    many(3, i => answered({ at: begin + 60 * i, seconds: 60, from: -1, to: 1, port: 22, clientPort: 50_000 })),
  ),
  at('D11-dns-tunnel', 'socketQueriesMin', [
    answered({ at: begin, from: 1, to: -1, port: 53, protocol: 17, up: [100, 20_000] }),
  ]),
  at('D11-dns-tunnel', 'bytesMin', [
    answered({ at: begin, from: 1, to: -1, port: 53, protocol: 17, up: [99, 5_000_000] }),
  ]),
  at('D11-dns-tunnel', 'sessionSeconds', [answered({ at: begin, seconds: 60, from: 1, to: -1, port: 53 })]),
  at(
    'D11-new-resolver',
    'namePorts',
    [
      answered({ at: 10, from: 1, to: -2, port: 443 }),
      answered({ at: begin, from: 1, to: -1, port: 53, protocol: 17 }),
    ],
    'none',
  ),
  at('D13-failed-callbacks', 'refusedMin', many(5, refused)),
  at(
    'D13-failed-callbacks',
    'synPacketsMax',
    many(20, i => silent(60 * i, { to: -1, up: [8, 480] })),
    -1,
  ),
  at('D15-amplification', 'packetsMin', [
    answered({ at: begin, from: -1, to: 1, port: 53, protocol: 17, up: [1000, 60_000], down: [2000, 2_000_000] }),
  ]),
  ...['packetsMin', 'serversMin'].map(threshold =>
    at(
      'D15-amplification',
      threshold,
      many(10, i => silent(i, { from: -1 - i, to: 1, clientPort: 53, port: 40_000, protocol: 17, up: [100, 50_000] })),
    ),
  ),
  at('D16-spam', 'serversMin', mail),
  at('D18-exposed-service', 'packetsMin', [
    answered({ at: begin, from: -1, to: 1, port: 3389, up: [4, 400], down: [4, 500] }),
  ]),
]
