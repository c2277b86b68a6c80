import { answered, type Flow, many, rejected, type Scenario, scenariosOf } from '../flows.ts'

const d07 = scenariosOf('D07-rejected-then-accepted')
const flip = (wait: number, bytes = 5000, from = -1, after = 0): Flow[] => [
  ...many(3, i => rejected(after + i, from, 1, 8081)),
  answered({ at: after + 2 + wait, from, to: 1, port: 8081, up: [20, bytes], down: [20, bytes] }),
]

export const scenarios: readonly Scenario[] = [
  d07('a client that is let through after three rejections', 'medium medium', flip(600)),
  d07('a client that is let through after two', null, flip(600).slice(1)),
  d07('a client that is let through hours later', 'low medium', flip(3 * 3600)),
  d07('a client that is let through a day later', null, flip(25 * 3600)),
  d07('a client that gets much', 'high medium', flip(600, 12_000)),
  d07(
    'three clients at once',
    'info medium',
    many(3, i => flip(600, 5000, -1 - i, 350 * i)),
  ),
  d07('a client that was let through before', null, [
    answered({ at: 0, from: -1, to: 1, port: 8081 }),
    ...flip(600).map(one => ({ ...one, at: one.at + 60 })),
  ]),
  d07(
    'two clients at once, and one later',
    'medium medium',
    many(3, i => flip(600, 5000, -1 - i, 400 * i)),
  ),
]
