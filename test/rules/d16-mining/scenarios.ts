import { answered, type Flow, highPeers, many, others, type Scenario, scenariosOf } from '../flows.ts'

const d16 = scenariosOf('D16-mining')
/** An hour with a pool: all ten points. */
const held = (rest: Partial<Flow> = {}, seconds = 3600, perMinute = 12, bytes = 90): Flow => {
  const packets = Math.round((seconds * perMinute) / 60)
  return answered({
    ...{ at: 7200, seconds, from: 1, to: -1, port: 3333 },
    ...{ up: [packets, bytes * packets], down: [packets, 150 * packets], ...rest },
  })
}
/** Without the points for the pace: eight. */
const slow = (rest: Partial<Flow> = {}, seconds = 3600): Flow => held(rest, seconds, 6)
/** Connections of a minute each, together for four minutes: seven points. */
const brief = (packets: number, rest: Partial<Flow> = {}): Flow[] =>
  many(4, i => held({ at: 7200 + 120 * i, seconds: 60, up: [packets, 90 * packets], ...rest }))
const tries = (count: number): Flow[] =>
  many(count, i => ({ at: 7300 + 60 * i, from: 1, to: -1, port: 3333, up: [1, 60] }))

export const scenarios: readonly Scenario[] = [
  d16('an hour with a pool', 'high medium', [held()]),
  d16('a pool that was there before', 'medium medium', [held({ at: 60 })]),
  d16('a pool that was there a little before', 'medium medium', [held({ at: 3300 })]),
  d16('an hour with a pool on another port', 'low low', [held({ port: 48_100 })]),
  d16('another port that was there before', null, [held({ port: 48_100, at: 60 })]),
  d16('another port, at a slow pace', null, [slow({ port: 48_100 })]),
  d16('a pool at a slow pace', 'high medium', [slow()]),
  d16('a pool at a slow pace, for four minutes', null, [slow({}, 240)]),
  d16('short connections to a pool', 'high medium', brief(9)),
  d16('short connections of the size of ordinary ones', null, brief(12)),
  d16('short connections at a fast pace', 'high medium', brief(25)),
  d16('short connections at a faster pace', null, brief(40)),
  d16('short connections of few large packets', null, brief(9, { up: [9, 9 * 300] })),
  d16('short connections of few tiny packets', null, brief(9, { up: [9, 9 * 40] })),
  d16('short connections of which one in five fails', null, [...brief(9), ...tries(1)]),
  d16('a pool that often does not answer', null, [
    ...[slow({}, 400)].map(one => ({ ...one, up: [40, 40 * 300] as const })),
    ...tries(1),
  ]),
  d16('a download', null, [held({ up: [40_000, 2e6], down: [80_000, 1e8], port: 48_100 })]),
  d16('a web socket', null, [held({ port: 443 })]),
  d16('a queue', null, [held({ port: 8883 })]),
  d16('an internal pool', null, [held({ to: 2 })]),
  d16('another port that three internal hosts use', null, [held({ port: 48_100 }), ...others(-1, 48_100)]),
  d16('a pool that three internal hosts use', 'high medium', [held(), ...others(-1, 3333)]),
  d16('another port, of a host in a peer-to-peer network', null, [held({ port: 48_100 }), ...highPeers(60)]),
  d16('another port, of a host that uses some high ports', 'low low', [held({ port: 48_100 }), ...highPeers(10)]),
]
