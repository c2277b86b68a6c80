/**
 * Which groups of optional fields a flow has: bits of `NfcapdFlow.has`. The fields of a group that is absent are 0.
 * Names in brackets are nfdump's (nfxV3.h).
 */
export const has = {
  /** Interfaces, masks, direction (EXflowMisc). */
  misc: 1 << 0,
  /** Counters of the way back, number of aggregated flows (EXcntFlow). */
  counters: 1 << 1,
  vlan: 1 << 2,
  as: 1 << 3,
  nextHop: 1 << 4,
  bgpNextHop: 1 << 5,
  /** The exporter's address (EXipReceived). */
  router: 1 << 6,
  mac: 1 << 7,
  mpls: 1 << 8,
  adjacentAs: 1 << 9,
  latency: 1 << 10,
  sampler: 1 << 11,
  /** An event of a firewall (EXnselCommon). */
  firewall: 1 << 12,
  /** Addresses after translation (EXnatXlateIPv4, -IPv6). */
  translated: 1 << 13,
  translatedPorts: 1 << 14,
  /** An event of a NAT (EXnatCommon). */
  nat: 1 << 15,
  portBlock: 1 << 16,
  vrf: 1 << 17,
  tunnel: 1 << 18,
  /** TTL, fragment flags (EXipInfo). */
  ip: 1 << 19,
} as const

/**
 * One flow record of an nfcapd file, for reading and for writing. A reader fills one object again and again; nobody keeps it.
 *
 * Addresses are four 32-bit words, most significant first, IPv4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2). Counters of 64 bits are in
 * two halves. Times are microseconds since the epoch; files hold milliseconds.
 */
export class NfcapdFlow {
  /** In its file, from 1, every record counted: also those that are no flow. */
  number = 0
  /** 0: the record has no addresses, as some events. */
  version: 0 | 4 | 6 = 4
  src0 = 0
  src1 = 0
  src2 = 0
  src3 = 0
  dst0 = 0
  dst1 = 0
  dst2 = 0
  dst3 = 0
  protocol = 0
  /** 0 in ICMP; `dstPort` has type · 256 + code there, as in NetFlow: `icmpType` and `icmpCode` take it apart. */
  srcPort = 0
  dstPort = 0
  /** All eight bits. */
  tcpFlags = 0
  tos = 0
  /** NetFlow field 89; 0 unknown. */
  forwardingStatus = 0
  /** -1: later than a number of microseconds can say (the year 2255), which no clock says. */
  first = 0
  last = 0
  /** When the collector had it; 0 unknown. */
  received = 0
  packetsLow = 0
  packetsHigh = 0
  bytesLow = 0
  bytesHigh = 0

  /** A firewall's or NAT's event: what it counts and when may be missing. */
  event = false
  /** The exporter saw a sample of the packets; nfcapd has scaled the counters if it knew the rate. */
  sampled = false
  /** Addresses are not the true ones. */
  anonymised = false
  /** Number of the exporter in this file, and its engine. */
  exporter = 0
  engineType = 0
  engineId = 0

  /** Which of the following there are: see `has`. */
  has = 0
  input = 0
  output = 0
  srcMask = 0
  dstMask = 0
  /** 0 ingress, 1 egress. */
  direction = 0
  dstTos = 0
  biFlowDirection = 0
  flowEndReason = 0

  /** Flows that were aggregated into this one; 0 of a flow as it came. */
  flowsLow = 0
  flowsHigh = 0
  outPacketsLow = 0
  outPacketsHigh = 0
  outBytesLow = 0
  outBytesHigh = 0

  srcVlan = 0
  dstVlan = 0
  srcAs = 0
  dstAs = 0
  nextAdjacentAs = 0
  previousAdjacentAs = 0
  nextHop0 = 0
  nextHop1 = 0
  nextHop2 = 0
  nextHop3 = 0
  bgpNextHop0 = 0
  bgpNextHop1 = 0
  bgpNextHop2 = 0
  bgpNextHop3 = 0
  router0 = 0
  router1 = 0
  router2 = 0
  router3 = 0

  /** MAC addresses: upper 16 and lower 32 bits. */
  inSrcMacHigh = 0
  inSrcMacLow = 0
  outDstMacHigh = 0
  outDstMacLow = 0
  inDstMacHigh = 0
  inDstMacLow = 0
  outSrcMacHigh = 0
  outSrcMacLow = 0
  /** Label stack, top first: label, traffic class and bottom bit in the lower 24 bits. */
  readonly mpls = new Uint32Array(10)
  /** Microseconds. */
  clientDelay = 0
  serverDelay = 0
  applicationLatency = 0
  samplerLow = 0
  samplerHigh = 0

  eventTime = 0
  connection = 0
  firewallEvent = 0
  firewallExtendedEvent = 0
  natEvent = 0
  natPool = 0
  translatedSrc0 = 0
  translatedSrc1 = 0
  translatedSrc2 = 0
  translatedSrc3 = 0
  translatedDst0 = 0
  translatedDst1 = 0
  translatedDst2 = 0
  translatedDst3 = 0
  translatedSrcPort = 0
  translatedDstPort = 0
  blockStart = 0
  blockEnd = 0
  blockStep = 0
  blockSize = 0
  ingressVrf = 0
  egressVrf = 0

  tunnelProtocol = 0
  tunnelSrc0 = 0
  tunnelSrc1 = 0
  tunnelSrc2 = 0
  tunnelSrc3 = 0
  tunnelDst0 = 0
  tunnelDst1 = 0
  tunnelDst2 = 0
  tunnelDst3 = 0
  /** 0x20 more fragments, 0x40 do not fragment. */
  fragmentFlags = 0
  ttlMin = 0
  ttlMax = 0

  get isIcmp(): boolean {
    return this.protocol === 1 || this.protocol === 58
  }

  get countsBothWays(): boolean {
    return (this.outPacketsLow | this.outPacketsHigh | this.outBytesLow | this.outBytesHigh) !== 0
  }

  get icmpType(): number {
    return this.isIcmp ? this.dstPort >>> 8 : 0
  }

  get icmpCode(): number {
    return this.isIcmp ? this.dstPort & 0xff : 0
  }

  /** Makes optional fields 0 again. */
  clearOptional(): void {
    if (this.has === 0) return
    this.clearRouting()
    this.clearCounters()
    this.clearLink()
    this.clearEvents()
    this.clearTunnel()
    this.has = 0
  }

  private clearCounters(): void {
    this.input = this.output = 0
    this.srcMask = this.dstMask = this.direction = this.dstTos = 0
    this.biFlowDirection = this.flowEndReason = 0
    this.flowsLow = this.flowsHigh = 0
    this.outPacketsLow = this.outPacketsHigh = 0
    this.outBytesLow = this.outBytesHigh = 0
    this.fragmentFlags = this.ttlMin = this.ttlMax = 0
  }

  private clearRouting(): void {
    this.srcVlan = this.dstVlan = 0
    this.srcAs = this.dstAs = this.nextAdjacentAs = this.previousAdjacentAs = 0
    this.nextHop0 = this.nextHop1 = this.nextHop2 = this.nextHop3 = 0
    this.bgpNextHop0 = this.bgpNextHop1 = this.bgpNextHop2 = this.bgpNextHop3 = 0
    this.router0 = this.router1 = this.router2 = this.router3 = 0
  }

  private clearLink(): void {
    this.inSrcMacHigh = this.inSrcMacLow = this.outDstMacHigh = this.outDstMacLow = 0
    this.inDstMacHigh = this.inDstMacLow = this.outSrcMacHigh = this.outSrcMacLow = 0
    if (this.has & has.mpls) this.mpls.fill(0)
    this.clientDelay = this.serverDelay = this.applicationLatency = 0
    this.samplerLow = this.samplerHigh = 0
  }

  private clearEvents(): void {
    this.eventTime = this.connection = this.firewallEvent = this.firewallExtendedEvent = 0
    this.natEvent = this.natPool = 0
    this.translatedSrc0 = this.translatedSrc1 = this.translatedSrc2 = this.translatedSrc3 = 0
    this.translatedDst0 = this.translatedDst1 = this.translatedDst2 = this.translatedDst3 = 0
    this.translatedSrcPort = this.translatedDstPort = 0
    this.blockStart = this.blockEnd = this.blockStep = this.blockSize = 0
    this.ingressVrf = this.egressVrf = 0
  }

  private clearTunnel(): void {
    this.tunnelProtocol = 0
    this.tunnelSrc0 = this.tunnelSrc1 = this.tunnelSrc2 = this.tunnelSrc3 = 0
    this.tunnelDst0 = this.tunnelDst1 = this.tunnelDst2 = this.tunnelDst3 = 0
  }
}
