import { type Flow, guess, many, type Scenario, scenariosOf } from '../flows.ts'

const spray = scenariosOf('D02-spray')
const sprayed = (
  name: string,
  found: string | null,
  sources: number,
  each: number,
  rest: Partial<Flow> = {},
): Scenario =>
  spray(
    name,
    found,
    many(sources * each, i => guess(i, { from: -1 - (i % sources), port: 22, ...rest })),
  )
const sprayedOver = (name: string, found: string | null, seconds: number): Scenario =>
  spray(
    name,
    found,
    many(30, i => guess(i, { at: 5 * i + (seconds / 9) * (i % 10), from: -1 - (i % 10), port: 22 })),
  )
const unlike = (name: string, found: string | null, of: (i: number) => Partial<Flow>): Scenario =>
  spray(
    name,
    found,
    many(60, i => guess(i, { from: -1 - (i % 10), port: 22, ...of(Math.floor(i / 10)) })),
  )

export const scenarios: readonly Scenario[] = [
  sprayed('three guesses from each of ten sources', 'medium medium', 10, 3),
  sprayed('three guesses from each of nine sources', null, 9, 3),
  sprayed('two guesses from each of ten sources', null, 10, 2),
  sprayed('19 guesses from each of ten sources', 'medium medium', 10, 19),
  sprayed('20 guesses from each of ten sources', null, 10, 20),
  sprayed('three connections from each of ten sources, on a port where nobody logs in', null, 10, 3, { port: 8022 }),
  sprayed('three connections of 61 packets from each of ten sources', null, 10, 3, { up: [61, 8000] }),
  sprayed('three connections of six packets from each of ten sources', null, 10, 3, { up: [6, 800] }),
  sprayed('guesses that last for an interval of the log and two minutes', 'medium medium', 10, 3, { seconds: 700 }),
  sprayed('guesses that last for longer', null, 10, 3, { seconds: 740 }),
  sprayedOver('ten sources within a day', 'medium medium', 23 * 3600),
  sprayedOver('ten sources in more than a day', null, 25 * 3600),
  spray('ten sources within an hour, and another one a day later', 'medium medium', [
    ...many(30, i => guess(i, { from: -1 - (i % 10), port: 22 })),
    ...many(3, i => guess(i, { at: 25 * 3600 + 10 * i, from: -11, port: 22 })),
  ]),
  unlike('ten sources whose guesses differ in size', null, i => ({ up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  unlike('ten sources whose answers differ', null, i => ({ down: [14, 3000 * [0.7, 1, 1.3][i % 3]!] })),
  unlike('ten sources that also look whether the port is open', 'medium medium', i =>
    i % 2 === 0 ? {} : { up: [3, 2000] },
  ),
  unlike('ten sources that guess, and work', 'medium medium', i =>
    i % 2 === 0 ? {} : { up: [12, i === 1 ? 1000 : 3200] },
  ),
]
