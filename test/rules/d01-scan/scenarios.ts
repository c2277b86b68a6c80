import { answered, type Flow, many, rejected, type Scenario, scenariosOf } from '../flows.ts'

const d01 = scenariosOf('D01-scan')
const syn = (i: number, rest: Partial<Flow>): Flow => ({
  at: 10 * i,
  from: 1,
  to: -1 - i,
  port: 445,
  up: [1, 60],
  ...rest,
})
const udp = (i: number, port: number, at = i): Flow => ({ at, from: 1, to: -1 - i, port, protocol: 17, up: [1, 60] })
const fromOutside = many(10, i => rejected(10 * i, -1, 1, 1000 + i))

export const scenarios: readonly Scenario[] = [
  d01(
    'ten hosts within a quarter of an hour',
    'high high',
    many(10, i => rejected(89 * i, 1, -1 - i, 445)),
  ),
  d01(
    'nine hosts',
    null,
    many(9, i => rejected(89 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts in a little more',
    'medium medium',
    many(10, i => rejected(101 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts within a day',
    'medium medium',
    many(10, i => rejected(9500 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten hosts in a little more than a day',
    null,
    many(10, i => rejected(9700 * i, 1, -1 - i, 445)),
  ),
  d01(
    'ten ports of a host',
    'high high',
    many(10, i => rejected(10 * i, 1, -1, 1000 + i)),
  ),
  d01(
    'five hosts on five ports',
    'high high',
    many(25, i => rejected(10 * i, 1, -1 - (i % 5), 1000 + Math.floor(i / 5))),
  ),
  d01(
    'six hosts on four ports',
    null,
    many(24, i => rejected(10 * i, 1, -1 - (i % 6), 1000 + Math.floor(i / 6))),
  ),
  d01(
    '25 dead peers with a port each',
    null,
    many(25, i => rejected(10 * i, 1, -1 - i, 1000 + i)),
  ),
  d01(
    'a host that is tried again and again',
    null,
    many(50, i => rejected(10 * i, 1, -1, 445)),
  ),
  d01(
    'three packets that the client breaks off',
    'high high',
    many(10, i => syn(i, { up: [3, 582], flags: [6, 0] })),
  ),
  d01(
    'connections whose answers are not recorded',
    null,
    many(10, i => syn(i, { up: [20, 12_000], flags: [3, 0] })),
  ),
  d01(
    'SYNs repeated seven times',
    'high high',
    many(10, i => syn(i, { up: [8, 480] })),
  ),
  d01(
    'SYNs repeated more often',
    null,
    many(10, i => syn(i, { up: [9, 540] })),
  ),
  d01(
    'packets with something in them',
    null,
    many(10, i => syn(i, { up: [8, 800] })),
  ),
  d01(
    'UDP to ten hosts',
    'high medium',
    many(10, i => udp(i, 30_000)),
  ),
  d01(
    'UDP to ports that are opened for answers',
    null,
    many(10, i => udp(i, 33_000)),
  ),
  d01(
    'a poller with dead targets',
    null,
    many(40, i => udp(i % 10, 161, 20 * i)),
  ),
  d01(
    'monitoring with dead targets',
    null,
    many(40, i => syn(i % 10, { at: 20 * i })),
  ),
  d01(
    'a scan that tries each host four times',
    'high high',
    many(40, i => syn(i >> 2, { at: 50 * (i >> 2) + 10 * (i % 4) })),
  ),
  d01('a proxy with some dead pages', null, [
    ...many(10, i => rejected(400 * i, 1, -1 - i, 443)),
    ...many(30, i => answered({ at: 120 * i, from: 1, to: -100 - i, port: 443 })),
  ]),
  d01('a scan that some hosts answer', 'medium medium', [
    ...many(10, i => rejected(400 * i, 1, -1 - i, 443)),
    ...many(5, i => answered({ at: 700 * i, from: 1, to: -100 - i, port: 443 })),
  ]),
  d01('a scan on which many open ports are looked at', 'medium medium', [
    ...many(10, i => rejected(400 * i, 1, -1 - i, 443)),
    ...many(30, i => answered({ at: 120 * i, from: 1, to: -100 - i, port: 443, up: [2, 100] })),
  ]),
  d01('a scan beside many pages that were read before', 'medium medium', [
    ...many(10, i => rejected(10_000 + 400 * i, 1, -1 - i, 443)),
    ...many(30, i => answered({ at: 120 * i, from: 1, to: -100 - i, port: 443 })),
  ]),
  d01('UDP to ten hosts, one of them again', 'high medium', [
    ...many(10, i => udp(i, 161)),
    ...many(3, i => udp(0, 161, 100 * (i + 1))),
  ]),
  d01('a scanner outside that found a page', 'info high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 80 }),
  ]),
  d01('a scanner outside that found a service', 'medium high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 22, up: [4, 300] }),
  ]),
  d01('a scanner outside that saw a banner', 'info high', [
    ...fromOutside,
    answered({ at: 200, from: -1, to: 1, port: 22, up: [3, 200] }),
  ]),
]
