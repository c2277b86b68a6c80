// Metering alone: packets of a generated stream, already decoded, to flow records.
//
//   node bench/meter.mjs [--packets 10000000] [--flows 3000000] [--span 600] [--window 0.1]
//
// --span: seconds of the capture. --window: share of the conversations that are at work at the same time.
import { parseArgs } from 'node:util'
import { Meter } from '../dist/meter/meter.js'
import { Packet } from '../dist/packet/packet.js'

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    flows: { type: 'string', default: '3000000' },
    span: { type: 'string', default: '600' },
    window: { type: 'string', default: '0.1' },
    connections: { type: 'boolean', default: false },
    'no-flows': { type: 'boolean', default: false },
  },
})
const packets = Number(values.packets)
const conversations = Math.round(Number(values.flows) / 2)
const atWork = Math.max(1, Math.round(conversations * Number(values.window)))
const step = (Number(values.span) * 1e6) / packets

// xorshift: the same stream in every run.
let state = 88172645
function random() {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return state >>> 0
}
const choice = new Uint32Array(packets)
for (let i = 0; i < packets; i++) {
  const from = Math.floor((i / packets) * (conversations - atWork))
  choice[i] = (from + (random() % atWork)) * 2 + (random() & 1)
}

/** CPU seconds: what others do on the machine counts for less. */
function seconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const packet = new Packet()
packet.src2 = packet.dst2 = 0xffff
packet.hasTransport = true
let sum = 0
function run(take) {
  const started = seconds()
  for (let i = 0; i < packets; i++) {
    const c = choice[i] >>> 1
    const down = choice[i] & 1
    const client = 0x0a000000 + (Math.imul(c, 0x9e3779b1) >>> 14)
    const server = 0xc0000000 + (Math.imul(c, 0x85ebca6b) >>> 12)
    const port = 1024 + ((Math.imul(c, 0x27d4eb2f) >>> 16) % 64000)
    packet.number = i + 1
    packet.time = 1.7e15 + Math.floor(i * step)
    packet.src3 = down ? server : client
    packet.dst3 = down ? client : server
    packet.srcPort = down ? 443 : port
    packet.dstPort = down ? port : 443
    packet.protocol = c & 7 ? 6 : 17
    packet.ipBytes = 40 + (i & 1023)
    packet.payload = i & 1023
    packet.tcpFlags = 16
    packet.tcpSeq = i
    packet.tcpAck = i
    packet.tcpWindow = 1000
    take(packet)
  }
  return seconds() - started
}

const idle = run(p => {
  sum += p.src3 + p.dst3
})
let records = 0
let counted = 0
let ended = 0
const meter = new Meter({
  ...(!values['no-flows'] && {
    flows: record => {
      records++
      counted += record.packets
    },
  }),
  ...(values.connections && {
    connections: connection => {
      ended++
      sum += connection.origPackets
    },
  }),
})
const metering = run(p => meter.add(p))
const started = seconds()
meter.finish()
const finishing = seconds() - started
const memory = Math.round(process.memoryUsage.rss() / 2 ** 20)
const word = n => n.toLocaleString('en-US')
process.stdout.write(
  `${word(packets)} packets, ${word(records)} records, ${word(ended)} connections: ${(metering - idle + finishing).toFixed(2)} CPU s ` +
    `(making packets ${idle.toFixed(2)} s, records at the end ${finishing.toFixed(2)} s), ${memory} MB, ${JSON.stringify(meter.counts)}\n`,
)
if (sum === 0 || (records > 0 && counted !== packets)) throw new Error(`${counted} packets in the records`)
