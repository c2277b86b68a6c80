/** Sessions from host to host: of an intruder who goes on, and of those who only seem to. */
import { answered, type Flow, many, type Scenario } from '../flows.ts'

/** When the sessions begin: long after what is usual was seen. */
const late = 10_000
const session = (at: number, from: number, to: number, rest: Partial<Flow> = {}): Flow =>
  answered({ at, seconds: 300, from, to, port: 22, up: [60, 6000], down: [60, 9000], ...rest })
/** In from outside, and on. */
const hops = (at = late, wait = 100): Flow[] => [session(at, -1, 1), session(at + wait, 1, 2)]
const d05 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D05-hop-chain', name, found, flows },
})
const found = 'low low'

export const scenarios: Scenario[] = [
  d05('a session in and one out', found, hops()),
  d05('a session in', null, [session(late, -1, 1)]),
  d05('a session out', null, [session(late, 1, 2)]),
  d05('a session out that began before', null, [session(late, 1, 2), session(late + 50, -1, 1)]),
  d05('one out nine minutes after the end of the other', found, hops(late, 840)),
  d05('one out a quarter of an hour after the end of the other', null, hops(late, 1200)),
  d05('three, one after the other', 'high low', [...hops(), session(late + 200, 2, 3)]),
  d05('one back to where the first came from', null, [session(late, 3, 1), session(late + 100, 1, 3)]),
  d05('a guess, and a session', null, [session(late, -1, 1, { up: [15, 1500] }), session(late + 100, 1, 2)]),
  d05('a page, and a session', null, [session(late, -1, 1, { port: 443 }), session(late + 100, 1, 2)]),
  d05('a session in as usual, and one out that is new', 'info low', [
    session(100, -1, 1),
    session(late, -1, 1),
    session(late + 100, 1, 2),
  ]),
  d05('hops of the beginning', null, hops(1000)),
  d05('hops of the beginning, a little later', null, hops(2700)),
  d05('a jump host that three use', null, [...hops(), session(late + 50, 3, 1), session(late + 60, 4, 1)]),
  d05('a host that two use', found, [...hops(), session(late + 3000, 3, 1)]),
  d05('a repository that three use', null, [...hops(), ...many(2, i => session(late + 3000, 3 + i, 2))]),
  d05('a jump host by what it did at the beginning', null, [...many(3, i => session(100 + i, 1, 10 + i)), ...hops()]),
  d05('a host that went to two at the beginning', found, [...many(2, i => session(100 + i, 1, 10 + i)), ...hops()]),
]
