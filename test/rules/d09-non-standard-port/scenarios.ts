import { answered, type Flow, highPeers, many, others, type Scenario, scenariosOf } from '../flows.ts'

const d09 = scenariosOf('D09-non-standard-port')
const odd = (rest: Partial<Flow> = {}): Flow =>
  answered({ at: 100, from: 1, to: -1, port: 48_888, up: [20, 6000], down: [20, 6000], ...rest })
const little = many(3, i => odd({ at: 100 + i, up: [4, 100], down: [4, 100] }))

export const scenarios: readonly Scenario[] = [
  d09('12 kB on a port without a service', 'low medium', [odd()]),
  d09('5 kB', null, [odd({ up: [20, 2500], down: [20, 2500] })]),
  d09('three small connections', 'low medium', little),
  d09('one small connection', null, little.slice(2)),
  d09('a registered port', null, [odd({ port: 8443 })]),
  d09('a peer that three internal hosts use', null, [odd(), ...others(-1, 48_888)]),
  d09('a host in a peer-to-peer network', null, [odd(), ...highPeers(60)]),
  d09('a host that uses some high ports', 'low medium', [
    odd(),
    ...many(10, i => answered({ at: 7 * i, from: 1, to: -100 - i, port: 8443 })),
  ]),
  d09('files of FTP', null, [odd(), answered({ at: 60, from: 1, to: -1, port: 21 })]),
  d09('an FTP server that does not answer, and another port', 'low medium', [
    odd(),
    { at: 60, from: 1, to: -1, port: 21, up: [1, 60] },
  ]),
  d09('ends of whom nobody knows who called', null, [odd({ flags: [0, 0], port: 48_889 })]),
]
