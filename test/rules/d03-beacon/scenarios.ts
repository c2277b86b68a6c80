import { answered, type Flow, highPeers, many, others, type Scenario, scenariosOf } from '../flows.ts'

const d03 = scenariosOf('D03-beacon')
/** Other traffic shows that the starts are good to the second. */
const toTheSecond = many(80, i => answered({ at: i, from: 1, to: 2, port: 80 }))
const beats = (count: number, every: number, jitter = 0, rest: Partial<Flow> = {}): Flow[] => {
  // Of three intervals one is the usual, one longer, one shorter: their median absolute deviation is the jitter.
  let at = 1000
  return many(count, i => {
    at += Math.round(every * (1 + [0, jitter, -jitter][i % 3]!))
    return answered({ at, from: 1, to: -1, port: 4444, ...rest })
  })
}
const regular = (...of: Parameters<typeof beats>): Flow[] => [...toTheSecond, ...beats(...of)]

export const scenarios: readonly Scenario[] = [
  d03('20 connections five minutes apart', 'medium medium', regular(20, 300, 0.1)),
  d03('ten connections', 'medium medium', regular(10, 300, 0.1)),
  d03('nine connections', null, regular(9, 300, 0.1)),
  d03('25 connections that are less regular', 'medium medium', regular(25, 300, 0.25)),
  d03('15 connections that are less regular', null, regular(15, 300, 0.25)),
  d03('25 connections at will', null, regular(25, 300, 0.5)),
  d03('25 connections that are less regular, five intervals of the log apart', 'medium medium', beats(25, 3000, 0.25)),
  d03('25 connections that are less regular, four intervals of the log apart', null, beats(25, 2400, 0.25)),
  d03('15 connections 20 s apart', null, regular(15, 20)),
  d03('15 connections 100 s apart', 'medium medium', regular(15, 100)),
  d03('20 connections 3 s apart', null, regular(20, 3)),
  d03('25 connections 4 s apart', 'medium medium', regular(25, 4)),
  d03('40 connections 2 s apart', null, regular(40, 2, 0, { seconds: 0 })),
  d03('connections that last for most of the time', null, regular(20, 300, 0, { seconds: 180 })),
  d03('connections that last for a tenth of the time', 'medium medium', regular(20, 300, 0, { seconds: 30 })),
  d03('a peer that three internal hosts use', null, [...regular(20, 300), ...others(-1, 4444)]),
  d03('a peer of a peer-to-peer network', null, [...regular(20, 300), ...highPeers(60)]),
  d03('a host that uses some high ports', 'medium medium', [...regular(20, 300), ...highPeers(10)]),
  d03('a page that is asked for', 'low low', regular(20, 300, 0, { port: 443 })),
  d03('a page that is asked for a few times', 'info low', regular(12, 300, 0, { port: 443 })),
  d03('the time', null, regular(20, 300, 0, { port: 123, protocol: 17 })),
]
