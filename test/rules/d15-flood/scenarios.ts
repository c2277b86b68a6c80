import { answered, type Flow, many, rejected, type Scenario, scenariosOf } from '../flows.ts'

const d15 = scenariosOf('D15-flood')
/** A SYN of one of many sources, with the answer to it that comes back to nobody. */
const syn = (i: number, rest: Partial<Flow> = {}): Flow => ({
  ...{ at: 100 + i, from: -1 - i, to: 1, port: 80, up: [1, 60], down: [3, 180] },
  ...rest,
})
const { down: _, ...unanswered } = syn(0)
const blow = (rest: Partial<Flow> = {}): Flow => ({
  ...{ ...unanswered, seconds: 100, port: 5300, protocol: 17, up: [2.6e6, 1e9] },
  ...rest,
})
/** Clients that were answered, numbers below those of the sources. */
const crowd = (count: number, rest: Partial<Flow> = {}): Flow[] =>
  many(count, i => answered({ at: 100 + i, from: -2000 - i, to: 1, port: 80, ...rest }))
const heavy = (sources: number, packets: number, seconds = 600): Flow[] =>
  many(sources, i => syn(i, { seconds, up: [packets, 60 * packets], down: [1000, 60_000] }))

export const scenarios: readonly Scenario[] = [
  d15(
    'SYNs of 600 sources',
    'medium medium',
    many(600, i => syn(i)),
  ),
  d15(
    'SYNs of 400 sources',
    null,
    many(400, i => syn(i)),
  ),
  d15(
    'SYNs of 600 sources in an hour',
    null,
    many(600, i => syn(i, { at: 6 * i })),
  ),
  d15('SYNs of 600 sources, while there are some clients', 'medium medium', [...many(600, i => syn(i)), ...crowd(100)]),
  d15('a crowd, more than half of which comes through', null, [...many(550, i => syn(i)), ...crowd(700)]),
  d15('a crowd that is answered', null, crowd(600)),
  d15(
    'SYNs of 600 sources that are rejected',
    'info medium',
    many(600, i => rejected(100 + i, -1 - i, 1, 80)),
  ),
  d15(
    'a scan from 600 sources, each on a port of its own',
    null,
    many(600, i => syn(i, { port: 1000 + i })),
  ),
  d15(
    'UDP of 600 sources',
    'medium medium',
    many(600, i => ({ ...unanswered, at: 100 + i, from: -1 - i, protocol: 17 })),
  ),
  d15(
    'logs of 600 internal hosts by UDP',
    null,
    many(600, i => ({ ...unanswered, at: 100 + i, from: 10 + i, protocol: 17, port: 514 })),
  ),
  d15('a million SYNs of five sources', 'medium medium', heavy(5, 220_000)),
  d15('half a million SYNs of five sources', null, heavy(5, 100_000)),
  d15('a million SYNs of 20 sources', null, heavy(20, 60_000)),
  d15('a million SYNs in a day', null, heavy(5, 220_000, 86_400)),
  d15(
    'a million SYNs of an internal host',
    'high medium',
    many(2, i => syn(0, { at: 100 + i, from: 2, to: 1, up: [6e5, 4e7] })),
  ),
  d15('a million packets of a download', null, [
    answered({ at: 100, seconds: 600, from: -1, to: 1, port: 80, up: [1.2e6, 7e7], down: [2e6, 3e9] }),
  ]),
  d15('26,000 packets of UDP in a second', 'medium low', [blow()]),
  d15('26,000 packets of UDP in a second, between ports without a service', 'medium low', [blow({ port: 50_000 })]),
  d15('10,000 packets of UDP in a second', null, [blow({ up: [1e6, 1e9] })]),
  d15('26,000 packets of UDP in a second, to outside', 'high low', [blow({ from: 1, to: -1 })]),
  d15('many packets of UDP for a moment', null, [blow({ seconds: 1, up: [4e5, 1e8] })]),
  d15('many packets of UDP that are answered', null, [blow({ down: [2e6, 1e9] })]),
  d15('a stream between internal hosts', null, [blow({ from: 2 })]),
]
