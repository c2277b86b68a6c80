import { parseAddress } from '../../src/net/address.ts'
import { has, type NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { wide } from './support.ts'

/** What both sides are made comparable to: numbers as decimal text, addresses as 128 bits in hexadecimal. */
export type Comparable = Record<string, string>

/** A flow as `nfdump -o raw` (1.7.1) prints it: the same names, and values as `comparable` makes them. */
export function expectedRaw(flow: NfcapdFlow): Comparable {
  const raw: Comparable = {
    'engine type': `${flow.engineType}`,
    'engine ID': `${flow.engineId}`,
    'export sysid': `${flow.exporter}`,
    first: `${flow.first / 1000}`,
    last: `${flow.last / 1000}`,
    'received at': `${flow.received / 1000}`,
    proto: `${flow.protocol}`,
    // Whatever the record has, nfdump prints them of TCP only.
    'tcp flags': `${flow.protocol === 6 ? flow.tcpFlags : 0}`,
    'in packets': `${wide(flow.packetsLow, flow.packetsHigh)}`,
    'in bytes': `${wide(flow.bytesLow, flow.bytesHigh)}`,
    sampled: `${flow.sampled}`,
  }
  if (flow.isIcmp) raw['ICMP'] = `${flow.icmpType}.${flow.icmpCode}`
  else {
    raw['src port'] = `${flow.srcPort}`
    raw['dst port'] = `${flow.dstPort}`
    raw['src tos'] = `${flow.tos}`
  }
  if (flow.version !== 0) {
    raw['src addr'] = hex(flow.src0, flow.src1, flow.src2, flow.src3)
    raw['dst addr'] = hex(flow.dst0, flow.dst1, flow.dst2, flow.dst3)
  }
  addMisc(raw, flow)
  addRouting(raw, flow)
  addLink(raw, flow)
  return raw
}

function addMisc(raw: Comparable, flow: NfcapdFlow): void {
  if (flow.has & has.misc) {
    raw['input'] = `${flow.input}`
    raw['output'] = `${flow.output}`
    raw['src mask'] = `${flow.srcMask}`
    raw['dst mask'] = `${flow.dstMask}`
    raw['fwd status'] = `${flow.forwardingStatus}`
    // nfdump 1.7.1 prints the source's under this name, too; its other formats have the right one.
    raw['dst tos'] = `${flow.tos}`
    raw['direction'] = `${flow.direction}`
    raw['biFlow Dir'] = `${flow.biFlowDirection}`
    raw['end reason'] = `${flow.flowEndReason}`
  }
  if (flow.has & has.counters) {
    raw['out packets'] = `${wide(flow.outPacketsLow, flow.outPacketsHigh)}`
    raw['out bytes'] = `${wide(flow.outBytesLow, flow.outBytesHigh)}`
    // nfdump counts a flow without a number as one.
    raw['aggr flows'] = `${wide(flow.flowsLow, flow.flowsHigh) || 1n}`
  }
}

function addRouting(raw: Comparable, flow: NfcapdFlow): void {
  if (flow.has & has.vlan) {
    raw['src vlan'] = `${flow.srcVlan}`
    raw['dst vlan'] = `${flow.dstVlan}`
  }
  if (flow.has & has.as) {
    raw['src as'] = `${flow.srcAs}`
    raw['dst as'] = `${flow.dstAs}`
  }
  if (flow.has & has.bgpNextHop) {
    raw['bgp next hop'] = hex(flow.bgpNextHop0, flow.bgpNextHop1, flow.bgpNextHop2, flow.bgpNextHop3)
  }
  if (flow.has & has.nextHop) raw['ip next hop'] = hex(flow.nextHop0, flow.nextHop1, flow.nextHop2, flow.nextHop3)
  if (flow.has & has.router) raw['ip exporter'] = hex(flow.router0, flow.router1, flow.router2, flow.router3)
  if (flow.has & has.adjacentAs) {
    raw['bgp next as'] = `${flow.nextAdjacentAs}`
    raw['bgp prev as'] = `${flow.previousAdjacentAs}`
  }
}

function addLink(raw: Comparable, flow: NfcapdFlow): void {
  if (flow.has & has.mpls) {
    // Printed up to the first label of zeros.
    for (let i = 0; i < 10 && flow.mpls[i] !== 0; i++) {
      const label = flow.mpls[i]!
      raw[`MPLS Lbl ${i + 1}`] = `${label >>> 4}-${(label >>> 1) & 7}-${label & 1}`
    }
  }
  if (flow.has & has.mac) {
    raw['in src mac'] = mac(flow.inSrcMacHigh, flow.inSrcMacLow)
    raw['out dst mac'] = mac(flow.outDstMacHigh, flow.outDstMacLow)
    raw['in dst mac'] = mac(flow.inDstMacHigh, flow.inDstMacLow)
    raw['out src mac'] = mac(flow.outSrcMacHigh, flow.outSrcMacLow)
  }
  if (flow.has & has.latency) {
    raw['cli latency'] = milliseconds(flow.clientDelay)
    raw['srv latency'] = milliseconds(flow.serverDelay)
    raw['app latency'] = milliseconds(flow.applicationLatency)
  }
}

/** What nfdump printed of a record, in the same form; names that `expectedRaw` does not know are left out. */
export function comparable(printed: Map<string, string>, known: Comparable): Comparable {
  const raw: Comparable = { sampled: `${!/Unsampled/.test(printed.get('Flags') ?? '')}` }
  for (const [spaced, value] of printed) {
    const name = spaced.replace(/\s+/g, ' ')
    if (!(name in known) && !alwaysCompared.has(name)) continue
    raw[name] = plain(name, value)
  }
  return raw
}

/** Names that must not be printed if the flow has no such fields. */
const alwaysCompared = new Set([
  'src addr',
  'src port',
  'ICMP',
  'input',
  'out packets',
  'src vlan',
  'src as',
  'in src mac',
])

function plain(name: string, value: string): string {
  if (/ addr$| hop$|^ip exporter$/.test(name)) return hexOf(value)
  if (/^tcp flags$|^biFlow Dir$|^end reason$/.test(name)) return `${Number(value.split(' ')[0])}`
  if (/^MPLS|mac$/.test(name)) return value
  if (/latency$/.test(name)) return value.replace(/ .*$/, '')
  return value.split(' ')[0]!
}

function hexOf(text: string): string {
  const address = parseAddress(text)
  return address === null ? `? ${text}` : (address.hi * 2n ** 64n + address.lo).toString(16)
}

function hex(a: number, b: number, c: number, d: number): string {
  return ((BigInt(a) << 96n) + (BigInt(b) << 64n) + (BigInt(c) << 32n) + BigInt(d)).toString(16)
}

function mac(high: number, low: number): string {
  const digits = high.toString(16).padStart(4, '0') + low.toString(16).padStart(8, '0')
  return digits.replace(/..(?=.)/g, '$&:')
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(3)
}
