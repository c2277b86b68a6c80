// A slow second implementation of the rules for flow records: Maps and objects, no table, no sweep, no batch.
import type { Packet } from '../../src/packet/packet.ts'
import { addressText, type PlainFlow } from './flows-of.ts'
import { epoch } from './packets.ts'

interface Half {
  flow: PlainFlow
  isn: number | null
}

interface Talk {
  halves: Map<string, Half>
  fins: Set<string>
  closed: boolean
  deadline: number
}

const answers: Record<number, [number, number][]> = {
  1: [
    [8, 0],
    [13, 14],
    [15, 16],
    [10, 9],
    [17, 18],
  ],
  58: [
    [128, 129],
    [130, 131],
    [133, 134],
    [135, 136],
    [139, 140],
    [144, 145],
  ],
}

export interface ReferenceTimes {
  active: number
  inactive: number
  linger: number
  disorder: number
}

/** All in seconds, but packets in microseconds. */
export function referenceFlows(packets: readonly Packet[], times: ReferenceTimes): PlainFlow[] {
  const out: PlainFlow[] = []
  let talks = new Map<string, Talk>()
  let clock = Number.NEGATIVE_INFINITY
  const finish = (talk: Talk, why: string) => {
    for (const { flow } of talk.halves.values()) out.push({ ...flow, end: why })
    talk.halves.clear()
  }
  const finishAll = (why: string) => {
    for (const talk of talks.values()) finish(talk, clock > talk.deadline ? (talk.closed ? 'closed' : 'idle') : why)
    talks = new Map()
  }
  for (const p of packets) {
    const at = (p.time - epoch) / 1e6
    if (at < clock - times.disorder) {
      finishAll('clock')
      clock = at
    }
    clock = Math.max(clock, at)
    const key = keyOf(p)
    let talk = talks.get(key)
    if (talk && clock > talk.deadline) {
      finish(talk, talk.closed ? 'closed' : 'idle')
      talk = undefined
    }
    const side = sideOf(p)
    const tcp = p.protocol === 6 && p.hasTransport ? p.tcpFlags : 0
    if (talk?.closed && tcp & 2 && talk.halves.get(side)?.isn !== p.tcpSeq) {
      finish(talk, 'reuse')
      talk = undefined
    }
    talk ??= { halves: new Map(), fins: new Set(), closed: false, deadline: 0 }
    talks.set(key, talk)
    let half = talk.halves.get(side)
    if (half) {
      const why =
        Math.abs(at - half.flow.last) > times.inactive ? 'idle' : at >= half.flow.first + times.active ? 'active' : ''
      if (why !== '') {
        out.push({ ...half.flow, end: why })
        half = undefined
      }
    }
    half ??= { flow: newFlow(p, at), isn: tcp & 2 ? p.tcpSeq : null }
    talk.halves.set(side, half)
    half.flow.packets++
    half.flow.bytes += p.ipBytes
    half.flow.flags |= tcp
    half.flow.first = Math.min(half.flow.first, at)
    half.flow.last = Math.max(half.flow.last, at)
    if (talk.closed) continue
    talk.deadline = clock + times.inactive
    if (tcp & 1) talk.fins.add(side)
    if (tcp & 4 || talk.fins.size === 2) {
      talk.closed = true
      talk.deadline = clock + times.linger
    }
  }
  finishAll('finish')
  return out
}

const known = (p: Packet) => p.hasTransport || p.fragment === 2
const sourceOf = (p: Packet) => addressText(p.src0, p.src1, p.src2, p.src3)
const destinationOf = (p: Packet) => addressText(p.dst0, p.dst1, p.dst2, p.dst3)

function keyOf(p: Packet): string {
  let ends = [sourceOf(p), destinationOf(p)]
  if (p.protocol === 1 || p.protocol === 58) {
    if (!known(p)) return `${p.protocol} ? ${ends.sort()}`
    const pair = answers[p.protocol]!.find(one => one.includes(p.icmpType))
    if (!pair) return `${p.protocol} ${p.icmpType}.${p.icmpCode} ${ends}`
    const other = pair[0] === p.icmpType ? pair[1] : pair[0]
    ends = [`${ends[0]} ${p.icmpType}`, `${ends[1]} ${other}`]
    return `${p.protocol} ${p.icmpId} ${ends.sort()}`
  }
  if (![6, 17, 132].includes(p.protocol)) return `${p.protocol} ${ends.sort()}`
  if (!known(p)) return `${p.protocol} ? ${ends.sort()}`
  return `${p.protocol} ${[`${ends[0]} ${p.srcPort}`, `${ends[1]} ${p.dstPort}`].sort()}`
}

function sideOf(p: Packet): string {
  return `${sourceOf(p)} ${p.protocol === 1 || p.protocol === 58 ? p.icmpType : p.srcPort}`
}

function newFlow(p: Packet, at: number): PlainFlow {
  return {
    from: `${sourceOf(p)} ${p.srcPort}`,
    to: `${destinationOf(p)} ${p.dstPort}`,
    protocol: p.protocol,
    packets: 0,
    bytes: 0,
    first: at,
    last: at,
    number: p.number,
    flags: 0,
    tos: p.tos,
    type: p.icmpType,
    code: p.icmpCode,
    id: p.icmpId,
    transport: known(p),
    vlan: p.vlan,
    tunnel: p.tunnel,
    tunnelId: p.tunnelId,
    end: '',
  }
}
