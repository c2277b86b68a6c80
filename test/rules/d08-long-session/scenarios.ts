import { answered, type Flow, highPeers, others, type Scenario, scenariosOf } from '../flows.ts'

const d08 = scenariosOf('D08-long-session')
const session = (seconds: number, perMinute: number, rest: Partial<Flow> = {}): Flow => {
  const packets = Math.round((seconds * perMinute) / 60)
  return answered({
    at: 100,
    seconds,
    from: 1,
    to: -1,
    port: 4446,
    up: [packets, 80 * packets],
    down: [packets, 150 * packets],
    ...rest,
  })
}
const inward = { from: -1, to: 1, port: 22 }

export const scenarios: readonly Scenario[] = [
  d08('somebody who works by SSH from outside', 'info medium', [session(1200, 30, inward)]),
  d08('a command by SSH from outside', null, [session(60, 30, inward)]),
  d08('a command that seems to last for an interval of the log', null, [session(660, 30, inward)]),
  d08('half an hour at the pace of a person', 'low medium', [session(1800, 10)]),
  d08('20 minutes', null, [session(1200, 10)]),
  d08('half an hour at a slow pace', 'low medium', [session(1800, 5)]),
  d08('half an hour of keep-alives', null, [session(1800, 0.5)]),
  d08('half an hour at the pace of a machine', null, [session(1800, 100)]),
  d08('half an hour of uploading', null, [session(1800, 10, { up: [300, 150_000] })]),
  d08('half an hour of downloading', null, [session(1800, 10, { down: [300, 300_000] })]),
  d08('a connection of more than eight hours', 'low medium', [session(30_000, 600)]),
  d08('a connection of an hour', null, [session(4000, 600)]),
  d08('half an hour with a page', null, [session(1800, 10, { port: 443 })]),
  d08('a host in a peer-to-peer network', null, [session(1800, 10), ...highPeers(60)]),
  d08('a host that uses some high ports', 'low medium', [session(1800, 10), ...highPeers(10)]),
  d08('a peer that three internal hosts use', null, [session(1800, 10), ...others(-1, 4446)]),
]
