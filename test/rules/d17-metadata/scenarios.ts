import { answered, type Flow, many, type Scenario, scenariosOf } from '../flows.ts'

const d17 = scenariosOf('D17-metadata')
const ask = (at: number): Flow => answered({ at, from: 1, to: 0, port: 80, up: [6, 400], down: [5, 900] })
/** The machine was there before. */
const before = (at: number): Flow => answered({ at, from: 1, to: 2, port: 8080 })
const contact = (at: number, to = -1): Flow => answered({ at, from: 1, to, port: 443 })
const burst = (count: number, every = 2): Flow[] => many(count, i => ask(9000 + every * i))

export const scenarios: readonly Scenario[] = [
  d17('many questions at once, and a new host outside', 'medium medium', [before(100), ...burst(25), contact(9060)]),
  d17('a few questions, and a new host outside', null, [before(100), ...burst(15), contact(9060)]),
  d17('many questions in some time, and a new host outside', null, [before(100), ...burst(25, 20), contact(9060)]),
  d17('many questions at once', null, [before(100), ...burst(25)]),
  d17('many questions at once, and a new host outside later', null, [before(100), ...burst(25), contact(9200)]),
  d17('many questions at once, and a host outside that was known', null, [
    before(100),
    contact(200),
    ...burst(25),
    contact(9060),
  ]),
  d17('a machine that starts', null, [before(8950), ...burst(25), contact(9060)]),
  d17('a machine that started ten minutes before', 'medium medium', [before(8400), ...burst(25), contact(9060)]),
  d17('a program that renews its credentials every hour', null, [
    before(100),
    ...many(20, i => ask(3600 * i + 1000)),
    ...many(20, i => contact(3600 * i + 1030, -1 - i)),
  ]),
  d17('many questions early in the evidence, and a host outside', null, [
    before(0),
    ...many(25, i => ask(3250 + 2 * i)),
    contact(3310),
  ]),
]
