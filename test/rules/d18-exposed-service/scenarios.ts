import { answered, type Scenario, scenariosOf } from '../flows.ts'

const d18 = scenariosOf('D18-exposed-service')

export const scenarios: readonly Scenario[] = [
  d18('a database that somebody outside speaks to', 'medium high', [
    answered({ at: 100, from: -1, to: 1, port: 5432 }),
  ]),
  d18('a database that somebody outside looks at', null, [
    answered({ at: 100, from: -1, to: 1, port: 5432, up: [3, 200], down: [3, 200] }),
  ]),
  d18('a page', null, [answered({ at: 100, from: -1, to: 1, port: 443 })]),
  d18('a database that an internal host uses', null, [answered({ at: 100, from: 2, to: 1, port: 5432 })]),
]
