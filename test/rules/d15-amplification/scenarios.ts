import { type Flow, many, type Scenario, scenariosOf } from '../flows.ts'

const d15 = scenariosOf('D15-amplification')
/** Requests of the time in the name of somebody outside, ten connections of 150 packets each. */
const asked = (rest: Partial<Flow> = {}, every = 60): Flow[] =>
  many(10, i => ({
    ...{ at: 100 + every * i, from: -1, to: 1, port: 123, protocol: 17 },
    ...{ up: [150, 150 * 70], down: [600, 150 * 1800], ...rest },
  }))
/** An answer of one of many servers that nobody asked; the side that has not sent anything is no record. */
const unasked = (i: number, rest: Partial<Flow> = {}): Flow => ({
  ...{ at: 100 + 20 * i, from: -1 - i, to: 1, port: 53_000, clientPort: 53, protocol: 17 },
  ...{ up: [200, 200 * 1400], ...rest },
})

export const scenarios: readonly Scenario[] = [
  d15('an internal server that answers far more than it is asked', 'high medium', asked()),
  d15('the same at a port that is not abused', null, asked({ port: 443 })),
  d15('the same for an internal host', null, asked({ from: 2 })),
  d15('a few hundred requests', null, asked().slice(4)),
  d15('as many requests in hours', null, asked({}, 600)),
  d15('answers of ordinary length', null, asked({ up: [150, 150 * 70], down: [150, 150 * 800] })),
  d15('long answers to long requests', null, asked({ up: [150, 150 * 350], down: [600, 150 * 1800] })),
  d15(
    'requests that are long, and answers that are longer',
    null,
    asked({ up: [150, 150 * 350], down: [6000, 150 * 8000] }),
  ),
  d15('answers that are not so much longer', null, asked({ up: [150, 150 * 290], down: [600, 150 * 1200] })),
  d15(
    'answers of eleven servers that nobody asked',
    'medium medium',
    many(11, i => unasked(i)),
  ),
  d15(
    'answers of eleven servers to as many ports',
    'medium low',
    many(11, i => unasked(i, { port: 53_000 + i })),
  ),
  d15(
    'answers of nine servers',
    null,
    many(9, i => unasked(i)),
  ),
  d15(
    'few answers of eleven servers',
    null,
    many(11, i => unasked(i, { up: [50, 50 * 1400] })),
  ),
  d15(
    'answers of eleven servers in a day',
    null,
    many(11, i => unasked(i, { at: 3600 * i })),
  ),
]
