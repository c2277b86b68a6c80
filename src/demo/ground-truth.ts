import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Conversation, Leg } from './conversation.ts'
import { ATTACKER } from './network.ts'

/** What the generator wrote, counted from its plan. Times are Unix seconds. */
export interface GroundTruth {
  seed: number
  files: number
  /** All lines, headers included: header_lines + records + no_data + skip_data. */
  lines: number
  header_lines: number
  /** Flow records alone, neither NODATA nor SKIPDATA. */
  records: number
  no_data: number
  skip_data: number
  /** Earliest start and latest end of any flow record. */
  first_start: number
  last_end: number
  /** Size of all log files, unpacked and packed. */
  raw_bytes: number
  packed_bytes: number
  attacker: AttackerTruth
  sensors: SensorTruth[]
  /** The packet capture; only where one was written. */
  capture?: CaptureTruth
  /** Counts of each file; only where there are few files. */
  per_file?: FileTruth[]
}

/** The attacker's part. `bytes_from` counts what the attacker sent, `bytes_to` what it received. */
export interface AttackerTruth {
  address: string
  records: number
  first_start: number
  last_start: number
  last_end: number
  bytes_from: number
  bytes_to: number
  services: ServiceTruth[]
}

/** One service that the attacker used or offered; `client` opened the connections. */
export interface ServiceTruth {
  server: string
  port: number
  protocol: number
  client: string
  connections: number
  records: number
  bytes_to_server: number
  bytes_to_client: number
  packets_to_server: number
  packets_to_client: number
  first_start: number
  last_end: number
}

/** One logged interface and the rows it wrote. */
export interface SensorTruth {
  interface_id: string
  instance_id: string
  address: string
  role: string
  records: number
  no_data: number
}

/** The packet capture, counted while it was written. */
export interface CaptureTruth {
  file: string
  /** Size of the file. */
  bytes: number
  packets: number
  /** Time of the first and the last packet by the host's clock, Unix seconds to the microsecond. */
  first_time: number
  last_time: number
  /** The span that was captured, [from, until) by the host's clock. */
  from: number
  until: number
  /** Address of the host that captured. */
  host: string
  /** How far the host's clock is ahead of that of the flow logs. */
  clock_offset_seconds: number
  snap_length: number
  /** Flow records of which every packet is in the capture, if the logs and it agree. */
  records_inside: number
  /** The attacker's conversations by the port that was connected to. */
  attacker: ({ port: number } & CapturedTruth)[]
  /** What else flow logs recorded. */
  others: CapturedTruth
  /** Packets of each kind that flow logs never hold. */
  unlogged: { arp: number; dhcp: number; dns: number; ntp: number; imds: number }
}

/** What the capture shows of some conversations, the ones cut at its edges too. */
export interface CapturedTruth {
  conversations: number
  packets: number
  ip_bytes: number
}

/** One log file and its lines. */
export interface FileTruth {
  name: string
  lines: number
  records: number
  no_data: number
}

/** Sums up the attacker's conversations. */
export function attackerTruth(conversations: Conversation[]): AttackerTruth {
  const services = new Map<string, ServiceTruth>()
  const truth: AttackerTruth = {
    address: ATTACKER,
    records: 0,
    first_start: Number.MAX_SAFE_INTEGER,
    last_start: 0,
    last_end: 0,
    bytes_from: 0,
    bytes_to: 0,
    services: [],
  }
  for (const conversation of conversations) {
    const service = serviceOf(services, conversation)
    service.connections++
    for (const window of conversation.windows) {
      for (const toServer of [true, false]) {
        const leg = toServer ? window.to_server : window.to_client
        if (!leg) continue
        const sender = toServer ? conversation.client : conversation.server
        addLeg(truth, service, leg, toServer, sender === ATTACKER)
      }
    }
  }
  truth.services = [...services.values()].sort((a, b) => a.port - b.port)
  return truth
}

function addLeg(truth: AttackerTruth, service: ServiceTruth, leg: Leg, toServer: boolean, fromAttacker: boolean): void {
  truth.records++
  truth.first_start = Math.min(truth.first_start, leg.start)
  truth.last_start = Math.max(truth.last_start, leg.start)
  truth.last_end = Math.max(truth.last_end, leg.end)
  truth[fromAttacker ? 'bytes_from' : 'bytes_to'] += leg.bytes
  service.records++
  service.first_start = Math.min(service.first_start, leg.start)
  service.last_end = Math.max(service.last_end, leg.end)
  service[toServer ? 'bytes_to_server' : 'bytes_to_client'] += leg.bytes
  service[toServer ? 'packets_to_server' : 'packets_to_client'] += leg.packets
}

function serviceOf(services: Map<string, ServiceTruth>, conversation: Conversation): ServiceTruth {
  const { server, server_port: port, protocol, client } = conversation
  const key = `${server}:${port}/${protocol} ${client}`
  let service = services.get(key)
  if (!service) {
    const none = { bytes_to_server: 0, bytes_to_client: 0, packets_to_server: 0, packets_to_client: 0 }
    const ends = { server, port, protocol, client }
    service = { ...ends, connections: 0, records: 0, ...none, first_start: Number.MAX_SAFE_INTEGER, last_end: 0 }
    services.set(key, service)
  }
  return service
}

/** Writes `ground-truth.json` and `README.txt` beside the log folder. */
export async function writeTruth(outDir: string, truth: GroundTruth, about: string): Promise<void> {
  await writeFile(join(outDir, 'ground-truth.json'), `${JSON.stringify(truth, null, 2)}\n`)
  await writeFile(join(outDir, 'README.txt'), about)
}
