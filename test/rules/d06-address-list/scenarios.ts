import { answered, type Flow, many, rejected, type Scenario, scenariosOf } from '../flows.ts'

type Lists = NonNullable<Scenario['lists']>

const scenario = scenariosOf('D06-address-list')
const d06 = (name: string, found: string | null, flows: readonly Flow[], lists: Lists): Scenario => ({
  ...scenario(name, found, flows),
  lists,
})
const out = (rest: Partial<Flow> = {}): Flow => answered({ at: 7200, from: 1, to: -1, port: 443, ...rest })
const inward = (rest: Partial<Flow> = {}): Flow => answered({ at: 7200, from: -1, to: 1, port: 22, ...rest })
const little = { up: [2, 100], down: [1, 60] } as const
const { down: _, ...unanswered } = out()
const of = (rest: Partial<Lists[number]> = {}): Lists => [{ host: -1, list: 'feodo', ...rest }]
const days = (count: number): number => 7200 - count * 86_400

export const scenarios: readonly Scenario[] = [
  d06('a listed host that an internal host speaks to', 'high high', [out()], of()),
  d06('a host that no list names', null, [out()], of({ host: -2 })),
  d06('a listed host that says little', 'medium high', [out(little)], of()),
  d06('a listed host that does not answer', 'medium high', [unanswered], of()),
  d06('an entry that became valid later', null, [out()], of({ from: 7300 })),
  d06('an entry that was valid until then', null, [out()], of({ until: 7100 })),
  d06(
    'an entry that was valid for one of two connections',
    'medium high',
    [out(little), out({ at: 9000 })],
    of({ until: 8000 }),
  ),
  d06('a list that was 40 days old', 'medium high', [out()], of({ dated: days(40) })),
  d06('a list that was ten days old', 'high high', [out()], of({ dated: days(10) })),
  d06('an old list and a new one', 'high high', [out()], [...of({ dated: days(40) }), ...of({ list: 'new' })]),
  d06('a list that does not say when it was made', 'high medium', [out()], of({ dated: null })),
  d06(
    'a listed scanner that is rejected everywhere',
    'info high',
    many(5, i => rejected(7200 + i, -1, 1 + i, 22)),
    of(),
  ),
  d06('a listed host that works here', 'high high', [inward()], of()),
  d06('a listed host that looks here', 'low high', [inward(little)], of()),
  d06('a listed host that asks for a page', 'low high', [inward({ port: 443 })], of()),
  d06('a listed internal host', null, [out({ to: 2 })], of({ host: 2 })),
  d06('a guard of Tor that an internal host speaks to', 'high high', [out()], of({ list: 'tor-guards' })),
  d06('an exit of Tor that an internal host speaks to', 'medium high', [out()], of({ list: 'tor-exits' })),
  d06('an exit of Tor that speaks to an internal host', 'high high', [inward()], of({ list: 'tor-exits' })),
  d06('a guard of Tor that speaks to an internal host', 'medium high', [inward()], of({ list: 'tor-guards' })),
]
