import { answered, type Flow, many, others, type Scenario, scenariosOf } from '../flows.ts'

const scenario = scenariosOf('D11-new-resolver')
/** The host was there before. */
const before = answered({ at: 60, from: 1, to: 3, port: 8080 })
const d11 = (name: string, found: string | null, flows: readonly Flow[]): Scenario =>
  scenario(name, found, [before, ...flows])
const asks = (bytes: number, rest: Partial<Flow> = {}): Flow =>
  answered({
    ...{ at: 7200, seconds: 60, from: 1, to: -1, port: 53, protocol: 17 },
    ...{ up: [bytes / 80, bytes], down: [bytes / 80, 2 * bytes], ...rest },
  })
const { down: _, ...unanswered } = asks(8000)
const users = (count: number): Flow[] => many(count, i => asks(800, { at: 50 + i, from: 10 + i, to: 1 }))
const servers = (count: number): Flow[] => many(count, i => asks(800, { at: 50 + i, to: -10 - i }))

export const scenarios: readonly Scenario[] = [
  d11('a few queries to a server that it did not ask before', 'info low', [asks(50_000)]),
  d11('many queries to a server that it did not ask before', 'low low', [asks(400_000)]),
  d11('2 MB to a server that it did not ask before', 'medium low', [asks(2e6)]),
  d11('queries by TLS', 'low low', [asks(400_000, { port: 853, protocol: 6 })]),
  d11('many queries to two servers', 'low low', [asks(60_000), asks(60_000, { to: -2 })]),
  scenario('a host that was set up later', null, [asks(2e6)]),
  d11('a server that was asked before', null, [asks(2e6, { at: 60 })]),
  d11('a server that was asked a little before', null, [asks(2e6, { at: 3300 })]),
  d11('a server that three internal hosts ask', null, [asks(2e6), ...others(-1, 53)]),
  d11('an internal server', null, [asks(2e6, { to: 2 })]),
  d11('a server that does not answer', null, [unanswered]),
  d11('a page', null, [asks(2e6, { port: 443, protocol: 6 })]),
  d11('a resolver that three hosts ask', null, [asks(2e6), ...users(3)]),
  d11('a host that one other asks', 'medium low', [asks(2e6), ...users(1)]),
  d11('a resolver that goes from server to server', null, [asks(2e6), ...servers(60)]),
  d11('a host that asks some servers', 'medium low', [asks(2e6), ...servers(10)]),
]
