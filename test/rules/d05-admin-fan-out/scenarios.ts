/** A host that begins to administer others: an intruder, and those whose work it is. */
import { answered, type Flow, many, type Scenario } from '../flows.ts'

/** When new sessions begin: long after what is usual was seen. */
const late = 10_000
const sessions = (count: number, at: number, every = 60, rest: Partial<Flow> = {}): Flow[] =>
  many(count, i => answered({ at: at + every * i, from: 1, to: 2 + i, port: 22, ...rest }))
const d05 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D05-admin-fan-out', name, found, flows },
})
const found = 'high medium'
/** Hosts that are known from the beginning. */
const known = (count: number): Flow[] => many(count, i => answered({ at: 10 + i, from: 1, to: 100 + i, port: 22 }))
/** Visits to each of eight hosts. */
const visits = (times: number, every: number, hosts = 8): Flow[] =>
  many(times, n => sessions(hosts, late + every * (n + 1), 5))

export const scenarios: Scenario[] = [
  d05('eight hosts that are new to it', found, sessions(8, late)),
  d05('seven hosts', null, sessions(7, late)),
  d05('eight hosts by their databases', 'medium medium', sessions(8, late, 60, { port: 5432 })),
  d05('eight hosts by their pages', null, sessions(8, late, 60, { port: 80 })),
  d05('eight hosts in more than an hour', null, sessions(8, late, 600)),
  d05('eight hosts from the beginning on', null, sessions(8, 1000)),
  d05('eight hosts from the beginning on, a little later', null, sessions(8, 2700)),
  d05('a look at eight hosts', null, sessions(8, late, 60, { up: [3, 200] })),
  d05(
    'eight hosts outside',
    null,
    many(8, i => answered({ at: late + i, from: 1, to: -1 - i, port: 22 })),
  ),
  d05('a jump host that goes to eight more hosts', null, [...known(3), ...sessions(8, late)]),
  d05('a host that went to one before', found, [...known(1), ...sessions(8, late)]),
  d05('what keeps settings, and comes again and again', 'info medium', [...sessions(8, late, 5), ...visits(3, 1800)]),
  d05('several sessions with each', found, [...sessions(8, late, 5), ...visits(4, 100)]),
  d05('one of eight again and again', found, [...sessions(8, late, 5), ...visits(5, 1800, 1)]),
  d05(
    'nodes of a cluster that call one of them',
    null,
    many(30, i => answered({ at: late + i, from: 2 + i, to: 1, port: 6443 })),
  ),
]
