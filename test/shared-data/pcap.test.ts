// Captures of other projects: their packets counted, and their flows beside those of tshark 4.0 (see SOURCES.md beside the captures).
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Decoder, tunnelsMax } from '../../src/packet/decode.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { sharedDir, skipWithout } from '../repo.ts'

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'pcap')
const there = skipWithout(folder)
const inFolder = (...names: string[]) => join(folder ?? '', ...names)

function bytesOf(path: string): Uint8Array {
  const bytes = readFileSync(path)
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

function readCapture(path: string, depth: number, onPacket: (packet: Packet) => void) {
  const capture = new CaptureDecoder(onPacket, new Decoder(depth))
  const bytes = bytesOf(path)
  for (let at = 0; at < bytes.length; at += 65_536) capture.feed(bytes.subarray(at, at + 65_536))
  capture.end()
  return capture
}

test('every capture has as many packets and bytes as it should', there, t => {
  const [, ...lines] = readFileSync(inFolder('INDEX.csv'), 'utf8').trim().split('\n')
  const wrong: string[] = []
  let captures = 0
  for (const line of lines) {
    const [path, format, , packets, wireBytes] = line.split(',')
    if (!existsSync(inFolder(path!))) continue
    captures++
    const { accounts, reader } = readCapture(inFolder(path!), tunnelsMax, () => {})
    const isCapture = !format!.startsWith('?')
    const found = [accounts.packets, accounts.wireBytes, reader.damage === null]
    const expected = [Number(packets), wireBytes === '' ? accounts.wireBytes : Number(wireBytes), isCapture]
    if (String(found) !== String(expected)) wrong.push(`${path}: ${found}, not ${expected}`)
  }
  t.diagnostic(`${captures} captures`)
  assert.deepEqual(wrong, [])
})

/** Packets and IP bytes by protocol, addresses, and ports or type and code. Fragments but the first have no ports: tshark gives them none. */
type Flows = Map<string, [packets: number, bytes: number]>

function add(flows: Flows, key: readonly (string | number)[], packets: number, bytes: number): void {
  if (packets === 0) return
  const name = key.join(' ')
  const [oldPackets, oldBytes] = flows.get(name) ?? [0, 0]
  flows.set(name, [oldPackets + packets, oldBytes + bytes])
}

const half = (high: number, low: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

function ends(packet: Packet): [src: string, dst: string] {
  return [
    formatAddress(half(packet.src0, packet.src1), half(packet.src2, packet.src3)),
    formatAddress(half(packet.dst0, packet.dst1), half(packet.dst2, packet.dst3)),
  ]
}

function ourFlows(path: string): Flows {
  const flows: Flows = new Map()
  readCapture(path, 0, packet => {
    const isIcmp = packet.protocol === 1 || packet.protocol === 58
    const ports = isIcmp ? [packet.icmpType, packet.icmpCode] : [packet.srcPort, packet.dstPort]
    add(flows, [packet.protocol, ...ends(packet), ...(packet.fragment >= 2 ? [0, 0] : ports)], 1, packet.ipBytes)
  })
  return flows
}

const canonical = (text: string) => {
  const address = parseAddress(text)
  return address === null ? text : formatAddress(address.hi, address.lo)
}

function tsharkFlows(set: string): Map<string, Flows> {
  const files = new Map<string, Flows>()
  const text = gunzipSync(readFileSync(inFolder(set, 'reference-tshark-flows.csv.gz'))).toString()
  for (const line of text.trim().split('\n').slice(1)) {
    const [file, protocol, a, b, aPort, bPort, , , packets, , bytes, , packetsBack, , bytesBack] = line.split(',')
    const flows = files.get(file!) ?? new Map()
    files.set(file!, flows)
    const [src, dst] = [canonical(a!), canonical(b!)]
    add(flows, [protocol!, src, dst, aPort || 0, bPort || 0], Number(packets), Number(bytes))
    add(flows, [protocol!, dst, src, bPort || 0, aPort || 0], Number(packetsBack), Number(bytesBack))
  }
  return files
}

/** Why flows of a capture are not those of tshark, and how many are not. A flow whose key differs counts twice: here and there. */
const differences: { why: string; captures: Record<string, number> }[] = [
  {
    why: 'link type not known here (802.11, radiotap, token ring, PKTAP, Juniper): counted by that reason',
    captures: {
      'arkime/80211http.pcap': 2,
      'zeek/Traces/radiotap.pcap': 3,
      'wireshark/tools/dftestfiles/tftp.pcap': 1,
      'tcpdump/LINKTYPE_PKTAP.pcap': 1,
      'tcpdump/LINKTYPE_USER2_PKTAP.pcap': 1,
      'tcpdump/bgp-aigp.pcap': 1,
    },
  },
  {
    why: 'protocol behind IPv6 extension headers (AH, routing, hop-by-hop), where the reference has the header itself',
    captures: {
      'libpcap/ipv6_ah_modes.pcap': 3,
      'tcpdump/OSPFv3_with_AH.pcap': 8,
      'tcpdump/ospf-signed-integer-ubsan.pcap': 2,
      'tcpdump/ipv6-next-header-oobr-2.pcap': 2,
      'tcpdump/ipv6-srh-tlv-hmac.pcap': 2,
      'tcpdump/ipv6-srh-tlv-pad1-padn-5-trunc.pcap': 2,
      'tcpdump/ipv6-srh-tlv-pad1-padn-5.pcap': 2,
    },
  },
  {
    why: 'IPv6 payload length 0: the length on the wire or of the jumbo option, where the reference has 40 bytes and no ports',
    captures: {
      'tcpdump/bigtcp-ipv6.pcap': 2,
      'tcpdump/bigtcp-ipv6-geneve-ipv6.pcap': 2,
      'tcpdump/ipv6-too-long-jumbo.pcap': 2,
      'tcpdump/ipv6_jumbogram_invalid_length.pcap': 1,
    },
  },
  {
    why: 'IPv4 in IPv6: the reference mixes the outer addresses with the inner ports',
    captures: { 'ndpi/pcap/4in6tunnel.pcap': 4 },
  },
  {
    why: 'ICMP of two bytes: they are type and code here, nothing in the reference',
    captures: { 'tcpdump/icmp-icmp_print-oobr-2.pcap': 2 },
  },
]

test('flows are those of tshark, but for differences that have a name', there, t => {
  const found: Record<string, number> = {}
  let compared = 0
  for (const set of readdirSync(folder!)) {
    if (!existsSync(inFolder(set, 'reference-tshark-flows.csv.gz'))) continue
    for (const [file, theirs] of tsharkFlows(set)) {
      if (!existsSync(inFolder(set, file))) continue
      const flows = ourFlows(inFolder(set, file))
      const keys = new Set([...flows.keys(), ...theirs.keys()])
      compared += keys.size
      const differing = [...keys].filter(key => String(flows.get(key)) !== String(theirs.get(key)))
      if (differing.length > 0) found[`${set}/${file}`] = differing.length
    }
  }
  const expected = Object.assign({}, ...differences.map(({ captures }) => captures))
  assert.deepEqual(found, expected)
  for (const { why, captures } of differences) {
    const counts = Object.values(captures)
    t.diagnostic(`${why}: ${counts.reduce((a, b) => a + b, 0)} flows in ${counts.length} captures`)
  }
  t.diagnostic(`${compared} flows compared`)
})

/** Captures of tunnels, and Zeek's log of them. */
const tunnelled: Record<string, string> = {
  'core.erspanI': 'erspanI.pcap',
  'core.erspanIII': 'erspanIII.pcap',
  'core.tunnels.geneve-many-options': 'tunnels/geneve-many-options.pcap',
  'core.tunnels.teredo': 'tunnels/Teredo.pcap',
  'core.tunnels.gre-over-udp': 'tunnels/gre-over-udp-4754.pcap',
  'core.tunnels.gre': 'tunnels/gre-sample.pcap',
  'core.tunnels.gre-in-gre': 'tunnels/gre-within-gre.pcap',
  'core.tunnels.vxlan': 'tunnels/vxlan.pcap',
}

/** What Zeek says was in tunnels, by protocol, addresses and, but for ICMP, ports. */
function zeekFlows(baseline: string): Flows {
  const text = readFileSync(inFolder('zeek', 'Baseline', baseline, 'conn.log'), 'utf8')
  const lines = text.split('\n').map(line => line.split('\t'))
  const names = lines.find(([first]) => first === '#fields')!.slice(1)
  const flows: Flows = new Map()
  for (const line of lines.filter(([first]) => first !== '' && !first!.startsWith('#'))) {
    const field = (name: string) => line[names.indexOf(name)]!
    if (field('tunnel_parents') === '-') continue
    const [src, dst] = [canonical(field('id.orig_h')), canonical(field('id.resp_h'))]
    const ports = field('proto') === 'icmp' ? [0, 0] : [field('id.orig_p'), field('id.resp_p')]
    const protocol = field('ip_proto')
    add(flows, [protocol, src, dst, ...ports], Number(field('orig_pkts')), Number(field('orig_ip_bytes')))
    add(flows, [protocol, dst, src, ...ports.toReversed()], Number(field('resp_pkts')), Number(field('resp_ip_bytes')))
  }
  return flows
}

for (const [baseline, trace] of Object.entries(tunnelled)) {
  test(`what Zeek finds in tunnels is found: ${trace}`, there, () => {
    const flows: Flows = new Map()
    readCapture(inFolder('zeek', 'Traces', trace), tunnelsMax, packet => {
      // Empty packets (59, no next header) keep Teredo's way open; Zeek does not log them.
      if (packet.tunnel === 0 || packet.protocol === 59) return
      add(flows, [packet.protocol, ...ends(packet), packet.srcPort, packet.dstPort], 1, packet.ipBytes)
    })
    assert.deepEqual(new Map([...flows].sort()), new Map([...zeekFlows(baseline)].sort()))
  })
}
