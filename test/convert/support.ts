import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ConvertOptions, type ConvertReport, convert } from '../../src/convert/convert.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Packet } from '../../src/packet/packet.ts'
import { temporaryFolder } from '../cli/run.ts'
import { ask, captureOf, type MadePacket, talk } from '../handmade.ts'
import type { PlainFlow } from '../meter/flows-of.ts'
import { epoch } from '../meter/packets.ts'
import { referenceFlows } from '../meter/reference-flows.ts'
import { Section } from '../packet/blocks.ts'
import { ethernet, ipv4, ipv6, tcp, udp, vlan } from '../packet/build.ts'

export const start = 1_700_000_000

/** Connections that end in every way, questions by UDP, and one that lasts beyond timeouts and intervals. */
export function made(): MadePacket[] {
  return [
    ...talk({ at: start, client: '192.0.2.1 40000', server: '198.51.100.2 443', answer: 1400 }),
    ...talk({ at: start + 2.25, client: '192.0.2.1 40001', server: '198.51.100.2 443', ends: 'open', lasts: 900 }),
    ...talk({ at: start + 4, client: '192.0.2.9 40002', server: '198.51.100.2 23', ends: 'refused' }),
    ...talk({ at: start + 59.9, client: '192.0.2.9 40003', server: '198.51.100.2 25', ends: 'unanswered' }),
    ...talk({ at: start + 6, client: '192.0.2.1 40000', server: '198.51.100.2 443', request: 7 }),
    ...ask(start + 700, '192.0.2.1 5353', '192.0.2.53 53'),
  ]
}

/** A pcapng of what the other has not: IPv6, ICMP, a VLAN, fragments, GRE, what is no IP. */
export function odd(): Uint8Array {
  const section = new Section()
  const at = (us: number): bigint => BigInt(start) * 1_000_000n + BigInt(us)
  const frames = [
    ethernet(0x86dd, ipv6({ next: 6 }, tcp(40000, 443, 2))),
    ethernet(0x86dd, ipv6({ next: 6, src: '2001:db8::2', dst: '2001:db8::1' }, tcp(443, 40000, 18))),
    ethernet(0x86dd, ipv6({ next: 58 }, [128, 0, 0, 0, 0, 7, 0, 1])),
    ethernet(0x0800, ipv4({ protocol: 1, tos: 0xb8 }, [8, 0, 0, 0, 0, 7, 0, 1, 65, 66])),
    ethernet(0x0800, ipv4({ protocol: 1, src: '198.51.100.2', dst: '192.0.2.1' }, [3, 3, 0, 0, 0, 0, 0, 0])),
    ethernet(0x8100, vlan(101, 0x0800, ipv4({ protocol: 17 }, udp(1000, 2000, [1, 2, 3])))),
    ethernet(0x0800, ipv4({ protocol: 17, id: 7, fragment: 100 }, [1, 2, 3, 4, 5, 6, 7, 8])),
    ethernet(0x0800, ipv4({ protocol: 89 }, [2, 1, 0, 4])),
    ethernet(0x0800, ipv4({ protocol: 47 }, [0, 0, 8, 0, ...ipv4({ protocol: 17, src: '203.0.113.1' }, udp(7, 8))])),
    ethernet(0x0806, new Array<number>(28).fill(0)),
  ]
  return Uint8Array.from([
    ...section.header(),
    ...section.interface(1),
    ...frames.flatMap((frame, i) => section.enhanced(0, at(i * 250_000 + 123), frame)),
  ])
}

/** Writes the captures into a folder of their own, and gives their paths. */
export function captures(t: TestContext): { folder: string; plain: string; odd: string } {
  const folder = temporaryFolder(t)
  const plain = join(folder, 'plain.pcap')
  const other = join(folder, 'odd.pcapng')
  writeFileSync(plain, captureOf(made()))
  writeFileSync(other, odd())
  return { folder, plain, odd: other }
}

export async function converted(
  paths: string[],
  out: string,
  options: Partial<ConvertOptions> = {},
): Promise<ConvertReport> {
  return await convert({ paths, out, force: true, ...options })
}

/** A record as every format can tell it, and as the slow meter has it. */
export interface Told {
  from: string
  to: string
  protocol: number
  packets: number
  bytes: number
  first: number
  last: number
  flags: number
  tos: number
  type: number | null
  code: number | null
  vlan: number | null
  number: number
  end: string
}

export const hasPorts = (protocol: number): boolean => [6, 17, 132].includes(protocol)

/** What the slow meter makes of captures, in an order that does not depend on when a record was told. */
export function expectedFlows(paths: readonly string[]): Told[] {
  const flows: PlainFlow[] = paths.flatMap(path => {
    const packets: Packet[] = []
    const decoder = new CaptureDecoder(packet => packets.push(Object.assign(new Packet(), packet)))
    decoder.feed(readFileSync(path))
    decoder.end()
    return referenceFlows(packets, { active: 300, inactive: 60, linger: 5, disorder: 3600 })
  })
  return inOrder(
    flows.map(flow => {
      const withPorts = flow.transport && hasPorts(flow.protocol)
      const isIcmp = flow.transport && (flow.protocol === 1 || flow.protocol === 58)
      const end = (text: string): string => (withPorts ? text : `${text.split(' ')[0]} null`)
      return {
        from: end(flow.from),
        to: end(flow.to),
        protocol: flow.protocol,
        packets: flow.packets,
        bytes: flow.bytes,
        first: Math.round(flow.first * 1e6) + epoch,
        last: Math.round(flow.last * 1e6) + epoch,
        flags: flow.protocol === 6 && flow.transport ? flow.flags : 0,
        tos: flow.tos,
        type: isIcmp ? flow.type : null,
        code: isIcmp ? flow.code : null,
        vlan: flow.vlan < 0 ? null : flow.vlan,
        number: flow.number,
        end: flow.end,
      }
    }),
  )
}

export function inOrder<T extends { number?: number; from: string; to: string; first: number; last: number }>(
  rows: T[],
): T[] {
  const key = (row: T): string => `${row.first} ${row.last} ${row.from} ${row.to} ${row.number ?? 0}`
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}
