/** Calls that nobody answers: of malware whose master is gone, and of programs that have other reasons. */
import { answered, type Flow, highPeers, many, rejected, type Scenario } from '../flows.ts'

/** A RST comes back. */
const refused = (at: number, rest: Partial<Flow> = {}): Flow => ({
  ...{ at, seconds: 0, from: 1, to: -1, port: 4444, up: [1, 60], down: [1, 40], flags: [2, 4] },
  ...rest,
})
/** Nothing comes back. */
const silent = (at: number, rest: Partial<Flow> = {}): Flow => ({
  ...{ at, seconds: 0, from: 1, to: -1, port: 4444, up: [1, 60] },
  ...rest,
})
const calls = (count: number, every: number, rest: Partial<Flow> = {}): Flow[] =>
  many(count, i => silent(every * i, rest))
/** Other internal hosts that call the same host once. */
const ours = (count: number): Flow[] => many(count, i => silent(5 * i, { from: 2 + i }))
/** Other hosts that answer the client on its port. */
const living = (count: number, port = 4444): Flow[] =>
  many(count, i => answered({ at: 7 * i, from: 1, to: -2 - i, port }))
const d13 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D13-failed-callbacks', name, found, flows },
})
const found = 'medium medium'

export const scenarios: Scenario[] = [
  d13('20 calls within half an hour', found, calls(20, 90)),
  d13('19 calls', null, calls(19, 90)),
  d13(
    '20 calls that a rule of the firewall rejects',
    found,
    many(20, i => rejected(90 * i, 1, -1, 4444)),
  ),
  d13('100 calls in a day', null, calls(100, 800)),
  d13(
    'five calls that are refused',
    found,
    many(5, i => refused(140 * i)),
  ),
  d13(
    'four calls that are refused',
    null,
    many(4, i => refused(140 * i)),
  ),
  d13(
    'eight calls that are refused in an hour',
    null,
    many(8, i => refused(450 * i)),
  ),
  d13(
    'TCP that tries three times',
    null,
    many(12, i => refused(2 * (i % 3) + 150 * Math.floor(i / 3), { clientPort: 50_000 + Math.floor(i / 3) })),
  ),
  d13(
    'a source port that is used again a minute later',
    found,
    many(6, i => refused(60 * i, { clientPort: 50_000 })),
  ),
  d13('a peer that answered on another port', null, [
    ...calls(20, 90),
    answered({ at: 50, from: 1, to: -1, port: 443 }),
  ]),
  d13('an internal host that is gone', null, calls(20, 90, { to: 2 })),
  d13('ten internal hosts that call in vain', 'info medium', [...calls(20, 90), ...ours(9)]),
  d13('nine internal hosts that call in vain', found, [...calls(20, 90), ...ours(8)]),
  d13('a monitor, one of whose targets is gone', 'info medium', [...calls(20, 90), ...living(10)]),
  d13('a host that is answered by a few', found, [...calls(20, 90), ...living(9)]),
  d13('a host that is answered by many on another port', found, [...calls(20, 90), ...living(12, 443)]),
  d13('a dead peer of a peer-to-peer network', null, [...calls(20, 90), ...highPeers(60)]),
  d13('a host that uses some high ports', found, [...calls(20, 90), ...highPeers(10)]),
  d13('a page that is gone', 'low medium', calls(20, 90, { port: 443 })),
  d13('SYNs with their repetitions', found, calls(20, 90, { up: [7, 420] })),
  d13('SYNs with more data than they have', null, calls(20, 90, { up: [7, 700] })),
  d13('many packets without an answer', null, calls(20, 90, { up: [20, 1200] })),
  d13('two packets with data and no answer', found, calls(20, 90, { up: [2, 300] })),
  d13('datagrams that nobody answers', null, calls(20, 90, { protocol: 17 })),
]
