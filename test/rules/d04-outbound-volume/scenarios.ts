import { type Flow, others, type Scenario, scenariosOf } from '../flows.ts'

const d04 = scenariosOf('D04-outbound-volume')
/** The evidence begins with the scenarios of other rules; an hour later a peer is new. */
const sent = (out: number, back: number, at = 7200): Flow => ({
  at,
  seconds: 60,
  from: 1,
  to: -1,
  port: 8889,
  up: [1e5, out],
  down: [1e4, back],
})

export const scenarios: readonly Scenario[] = [
  d04('150 MB to a new peer', 'high medium', [sent(150e6, 5e6)]),
  d04('50 MB', null, [sent(50e6, 1e6)]),
  d04('150 MB both ways', null, [sent(150e6, 50e6)]),
  d04('600 MB', 'high high', [sent(600e6, 5e6)]),
  d04('a peer that three internal hosts use', null, [sent(150e6, 5e6), ...others(-1, 8889)]),
  d04('a peer that was there before', null, [sent(150e6, 5e6, 1800)]),
  d04('a peer that was there a little before', null, [sent(150e6, 5e6, 3300)]),
]
