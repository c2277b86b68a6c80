// Streams of random packets: few conversations and long gaps, so that every rule of the meters is met often.
import type { Packet } from '../../src/packet/packet.ts'
import { type PacketFields, packet } from './packets.ts'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const addresses = ['192.0.2.1', '192.0.2.2', '198.51.100.200', '203.0.113.255', '2001:db8::1', '2001:db8:ffff::2']
const ports = [0, 22, 443, 50000, 65535]

/** `disorder`: how often a packet lies before the one before it. */
export function randomPackets(seed: number, count: number, disorder: number): Packet[] {
  const random = randomNumbers(seed)
  const below = (n: number) => Math.floor(random() * n)
  const choose = <T>(list: readonly T[]): T => list[below(list.length)]!
  const packets: Packet[] = []
  let at = 0
  for (let number = 1; number <= count; number++) {
    at += choose([0, 0.001, 0.1, 1, 1, 5, 20, 61])
    const late = random() < disorder ? choose([0.5, 3, 70, 5000]) : 0
    const v6 = random() < 0.2
    const [from, to] = [
      choose(addresses.slice(v6 ? 4 : 0, v6 ? 6 : 4)),
      choose(addresses.slice(v6 ? 4 : 0, v6 ? 6 : 4)),
    ]
    const protocol = choose([6, 6, 6, 17, v6 ? 58 : 1, 47, 132])
    const fields: PacketFields = {
      number,
      at: at - late,
      from: `${from} ${choose(ports)}`,
      to: `${to} ${choose(ports)}`,
      protocol,
      bytes: 40 + below(1400),
      payload: below(3) * 100,
      flags: choose(['S', 'SA', 'A', 'PA', 'FA', 'R', 'RA', 'SF', 'FR']),
      seq: below(4) * 1000,
      ack: below(4) * 1000,
      window: choose([0, 100]),
      type: choose(v6 ? [128, 129, 1, 135, 136] : [8, 0, 3, 11, 13, 14]),
      code: below(3),
      id: below(2),
      tos: below(2) * 8,
      vlan: choose([-1, 0, 7]),
      tunnel: below(2),
      tunnelId: choose([-1, 5]),
      fragment: random() < 0.1 ? choose([1, 2, 3] as const) : 0,
    }
    packets.push(packet(fields))
  }
  return packets
}
