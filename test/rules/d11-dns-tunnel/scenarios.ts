import { answered, type Flow, many, type Scenario, scenariosOf } from '../flows.ts'

const d11 = scenariosOf('D11-dns-tunnel')
/** Queries from a port of their own: their number, their size (of IPv4; IPv6 has 20 bytes more). */
const asks = (queries: number, bytes: number, rest: Partial<Flow> = {}): Flow =>
  answered({
    ...{ at: 100, from: 1, to: -1, port: 53, protocol: 17 },
    ...{ up: [queries, queries * (bytes + 20)], down: [queries, queries * 200], ...rest },
  })
const many650 = (bytes: number, rest: Partial<Flow> = {}, every = 0.8): Flow[] =>
  many(650, i => asks(1, bytes, { at: 100 + Math.floor(every * i), ...rest }))
const day = (bytes: number, size: number, every = 400): Flow[] =>
  many(200, i => asks(Math.round(bytes / 200 / (size + 20) / 10), size, { at: 100 + every * i })).flatMap(one =>
    many(10, i => ({ ...one, at: one.at + 30 * i })),
  )
const session = (seconds: number, rest: Partial<Flow> = {}): Flow =>
  answered({ at: 100, seconds, from: 1, to: -1, port: 53, ...rest })
const users = (count: number): Flow[] => many(count, i => asks(1, 60, { at: 50 + i, from: 10 + i, to: 1 }))
const servers = (count: number): Flow[] => many(count, i => asks(1, 60, { at: 50 + i, to: -10 - i }))

export const scenarios: readonly Scenario[] = [
  d11('650 long queries within ten minutes', 'medium medium', many650(130)),
  d11('550 long queries', null, many650(130).slice(100)),
  d11('650 long queries in an hour', null, many650(130, {}, 5)),
  d11('650 ordinary queries', null, many650(70)),
  d11('650 long queries to an internal server', 'medium medium', many650(200, { to: 2 })),
  d11('650 queries with the search list of a cluster', null, many650(110, { to: 2 })),
  d11('120 long queries from one port', 'medium low', [asks(120, 130, { seconds: 60 })]),
  d11('80 long queries from one port', null, [asks(80, 130, { seconds: 60 })]),
  d11('300 ordinary queries from one port', null, [asks(300, 70, { seconds: 60 })]),
  d11('6 MB of long queries in a day', 'medium medium', day(6e6, 130)),
  d11('4 MB of long queries in a day', null, day(4e6, 130)),
  d11('6 MB of ordinary queries in a day', null, day(6e6, 70)),
  d11('5.5 MB of long queries in more than a day', null, day(5.5e6, 130, 500)),
  d11('a session of ten minutes by TCP', 'low low', [session(600)]),
  d11('a session of 70 seconds by TCP', 'low low', [session(70)]),
  d11('a long answer by TCP', null, [session(10)]),
  d11('a transfer from an internal server', null, [session(600, { to: 2 })]),
  d11('a resolver that three hosts ask', null, [...many650(130), ...users(3)]),
  d11('a host that one other asks', 'medium medium', [...many650(130), ...users(1)]),
  d11('a resolver that goes from server to server', null, [...many650(130), ...servers(60)]),
  d11('a host that asks some servers', 'medium medium', [...many650(130), ...servers(10)]),
]
