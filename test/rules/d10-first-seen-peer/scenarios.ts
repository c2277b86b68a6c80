/** Peers that are new: those of whom another rule tells, and those that are only new. */
import { answered, type Flow, many, type Scenario } from '../flows.ts'

const late = 10_000
/** What D09 tells of. */
const odd = (rest: Partial<Flow> = {}): Flow =>
  answered({ at: late, from: 1, to: -1, port: 48_888, up: [20, 6000], down: [20, 6000], ...rest })
/** What D04 tells of. */
const sent: Flow = { ...odd(), at: late + 60, up: [1e5, 150e6], down: [1e4, 5e6] }
const d10 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D10-first-seen-peer', name, found, flows },
})

export const scenarios: Scenario[] = [
  d10('a new peer on an odd port', 'info medium', [odd()]),
  d10('a new peer on an odd port that got much', 'low medium', [odd(), sent]),
  d10('a new peer of whom no rule tells', null, [odd({ port: 443 })]),
  d10(
    'many new peers of whom no rule tells',
    null,
    many(40, i => answered({ at: late + i, from: 1, to: -1 - i, port: 443 })),
  ),
  d10('a peer that was there at the beginning', null, [odd({ at: 1000 })]),
  d10('a peer that was there a little later', null, [odd({ at: 2700 })]),
  d10('a peer that two internal hosts use', null, [odd(), answered({ at: late + 9, from: 2, to: -1, port: 443 })]),
  d10('a session of somebody outside', null, [
    answered({ at: late, seconds: 600, from: -1, to: 1, port: 22, up: [300, 24_000], down: [300, 45_000] }),
  ]),
]
