import { answered, type Flow, guess, many, type Scenario, scenariosOf } from '../flows.ts'

const d02 = scenariosOf('D02-brute-force')
const guessed = many(30, i => guess(i))
const success = (rest: Partial<Flow>): Flow =>
  answered({ ...{ at: 1900, seconds: 65, from: -1, to: 1, port: 22, up: [20, 2200] }, ...rest })
const varied = many(30, i => guess(i, { up: [[9, 12, 15][i % 3]!, 2000] }))
const lead = (i: number, at: number, spread = 0.03): Flow =>
  guess(0, { at, port: 443, up: [12, 2000 * (1 + (i % 3 === 0 ? 0 : i % 3 === 1 ? spread : -spread))] })
const unevenly = (i: number): number => 5 * i + [0, 4, 1][i % 3]!

export const scenarios: readonly Scenario[] = [
  d02('30 connections that are alike', 'medium medium', guessed),
  d02('29 connections', null, guessed.slice(1)),
  d02(
    '40 connections in 40 minutes',
    null,
    many(40, i => guess(i, {}, 60)),
  ),
  d02(
    'guesses among connections in which nothing was said',
    'medium medium',
    many(61, i => guess(i, { at: 5 * i, ...(i % 2 === 1 ? {} : { up: [3, 2000] }) })),
  ),
  d02(
    'connections of 61 packets',
    null,
    many(30, i => guess(i, { up: [61, 8000] })),
  ),
  d02(
    'connections of six packets',
    null,
    many(30, i => guess(i, { up: [6, 800] })),
  ),
  d02(
    'connections that differ in size',
    null,
    many(40, i => guess(i, { up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  ),
  d02(
    'connections whose answers differ',
    null,
    many(40, i => guess(i, { down: [14, 3000 * [0.7, 1, 1.3][i % 3]!] })),
  ),
  d02(
    'connections that last for an interval of the log and two minutes',
    'medium medium',
    many(30, i => guess(i, { seconds: 700 })),
  ),
  d02(
    'connections that last for longer',
    null,
    many(30, i => guess(i, { seconds: 740 })),
  ),
  d02('guesses among others', 'medium medium', [
    ...many(40, i => guess(i)),
    ...many(40, i => guess(i, { at: 10 * i + 5, up: [12, i % 2 === 0 ? 1000 : 3200] })),
  ]),
  d02('guesses, and browsing for hours after them', 'medium medium', [
    ...many(200, i => guess(i, { at: 2 * i })),
    ...many(900, i => guess(i, { at: 2000 + 22 * i, up: [12, 2000 * [0.8, 1, 1.2][i % 3]!] })),
  ]),
  d02('guesses and a session', 'high high', [...guessed, success({})]),
  d02('guesses and a session too late', 'medium medium', [...guessed, success({ at: 2200 })]),
  d02('guesses and a shorter session', 'medium medium', [...guessed, success({ seconds: 50 })]),
  d02('guesses and a transfer', 'high high', [...guessed, success({ seconds: 20, up: [20, 7000] })]),
  d02('guesses and a smaller transfer', 'medium medium', [...guessed, success({ seconds: 20, up: [20, 4000] })]),
  d02('guesses and one that only waits', 'medium medium', [...guessed, success({ up: [15, 2200] })]),
  d02('guesses of several lengths and a session', 'high high', [...varied, success({ up: [25, 2200] })]),
  d02('guesses of several lengths and one like them', 'medium medium', [...varied, success({ up: [19, 2200] })]),
  d02(
    '20 guesses in a day',
    'medium medium',
    many(20, i => guess(i, { port: 22 }, 4000)),
  ),
  d02(
    '19 guesses in a day',
    null,
    many(19, i => guess(i, { port: 22 }, 4000)),
  ),
  d02(
    '20 guesses in more than a day',
    null,
    many(20, i => guess(i, { port: 22 }, 4600)),
  ),
  d02(
    '30 requests that are alike',
    null,
    many(30, i => lead(i, unevenly(i))),
  ),
  d02(
    '100 requests that are alike',
    'low low',
    many(100, i => lead(i, unevenly(i))),
  ),
  d02(
    '60 requests that are alike',
    null,
    many(60, i => lead(i, unevenly(i))),
  ),
  d02(
    '100 requests that differ',
    null,
    many(100, i => lead(i, unevenly(i), 0.08)),
  ),
  d02(
    '100 requests by the clock',
    null,
    many(100, i => lead(i, 5 * i)),
  ),
  d02(
    '100 requests of an internal host to the internet',
    'info low',
    many(100, i => ({ ...lead(i, unevenly(i)), from: 1, to: -1 })),
  ),
  d02(
    '40 that are alike among 400 that are not',
    null,
    many(400, i => guess(i, { at: 2 * i, up: [12, 500 * 2 ** ((i % 60) / 10)] })),
  ),
  d02(
    'checks of a host inside, by the clock',
    null,
    many(24, i => guess(i, { from: 2, port: 22 }, 3600)),
  ),
  d02(
    'guesses of a host inside, slow and not by the clock',
    'high medium',
    many(24, i => guess(i, { at: 3600 * i + 1000 * [0, 1, 3, 2][i % 4]!, from: 2, port: 22 })),
  ),
  d02(
    '101 requests nearly by the clock',
    null,
    many(101, i => lead(i, Math.floor(8.5 * i))),
  ),
]
