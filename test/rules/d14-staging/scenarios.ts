/** Data that is gathered, and sent out: by an intruder, and by hosts whose work it is. */
import { answered, type Flow, many, type Scenario } from '../flows.ts'

const late = 20_000
/** What an internal host gets from another one. */
const got = (at: number, from: number, bytes: number, rest: Partial<Flow> = {}): Flow =>
  answered({ at, seconds: 60, from: 1, to: from, port: 445, up: [1e4, 5e5], down: [1e5, bytes], ...rest })
const gathered = (at = late, bytes = 40e6, sources = 3): Flow[] => many(sources, i => got(at + 100 * i, 2 + i, bytes))
const sent = (at = late + 1000, bytes = 80e6, rest: Partial<Flow> = {}): Flow =>
  answered({ at, seconds: 120, from: 1, to: -1, port: 443, up: [1e5, bytes], down: [1e4, 5e5], ...rest })
const d14 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D14-staging', name, found, flows },
})
const found = 'high medium'

export const scenarios: Scenario[] = [
  d14('120 MB from three hosts, and 80 MB out', found, [...gathered(), sent()]),
  d14('120 MB that three hosts bring, and 80 MB out', found, [
    ...many(3, i => answered({ at: late + 100 * i, from: 2 + i, to: 1, port: 22, up: [1e5, 40e6] })),
    sent(),
  ]),
  d14('much out in pieces', found, [...gathered(), ...many(10, i => sent(late + 1000 + 60 * i, 8e6))]),
  d14('120 MB from two hosts', null, [...gathered(late, 60e6, 2), sent()]),
  d14('120 MB from two hosts, and a little from a third', null, [
    ...gathered(late, 60e6, 2),
    got(late, 9, 1e6),
    sent(),
  ]),
  d14('120 MB from three hosts in many files', found, [...many(15, i => got(late + 60 * i, 2 + (i % 3), 8e6)), sent()]),
  d14('150 MB from three hosts in answers to requests', null, [
    ...many(300, i => got(late + i, 2 + (i % 3), 5e5)),
    sent(),
  ]),
  d14('a backup server, whose hosts brought as much before', null, [...gathered(100), ...gathered(), sent()]),
  d14('a host that one of three brought as much before', null, [got(2700, 2, 40e6), ...gathered(), sent()]),
  d14('60 MB from three hosts', null, [...gathered(late, 20e6), sent()]),
  d14('400 MB from three hosts, and 80 MB out', null, [...gathered(late, 130e6), sent()]),
  d14('80 MB out, and then 120 MB from three hosts', null, [...gathered(), sent(late - 1000)]),
  d14('a relay, that sends while it gets', null, [...many(3, i => got(late + i, 2 + i, 40e6)), sent(late + 10)]),
  d14('120 MB from three hosts, and 80 MB out hours later', found, [...gathered(), sent(late + 5 * 3600)]),
  d14('120 MB from three hosts, and 80 MB out days later', null, [...gathered(4000), sent(31 * 3600)]),
  d14('80 MB out to a peer that was there at the beginning', null, [...gathered(), sent(), sent(1000, 1000)]),
  d14('80 MB out to a peer that was there a little later', null, [...gathered(), sent(), sent(2700, 1000)]),
  d14('a store that three internal hosts use', null, [
    ...gathered(),
    sent(),
    ...many(2, i => sent(40_000 + i, 2000, { from: 8 + i })),
  ]),
  d14('80 MB in from outside', null, [...gathered(), sent(late + 1000, 1e5, { down: [1e5, 80e6] })]),
  d14('80 MB to another internal host', null, [...gathered(), sent(late + 1000, 80e6, { to: 9 })]),
]
