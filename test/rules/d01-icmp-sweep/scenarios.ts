import { answered, type Flow, many, type Scenario, scenariosOf } from '../flows.ts'

const sweeping = scenariosOf('D01-icmp-sweep')
const echo = (i: number, every: number): Flow => ({
  at: every * i,
  seconds: 0,
  from: 1,
  to: 100 + i,
  port: 0,
  protocol: 58,
  up: [1, 84],
})

export const scenarios: readonly Scenario[] = [
  sweeping(
    'ICMP to ten hosts within a minute',
    'medium low',
    many(10, i => echo(i, 6)),
  ),
  sweeping(
    'ICMP to ten hosts in a little more',
    null,
    many(10, i => echo(i, 7)),
  ),
  sweeping(
    'ICMP to nine hosts',
    null,
    many(9, i => echo(i, 6)),
  ),
  sweeping(
    'ICMP between hosts that speak otherwise too',
    null,
    many(10, i => [echo(i, 6), answered({ at: 500 + i, from: 1, to: 100 + i, port: 80 })]),
  ),
]
