/**
 * Writes `investigate.pcap`: an hour of the incident as `tcpdump -s 96` would have kept it at the web server.
 *
 * Like the logs it is RECONSTRUCTED, and it agrees with them: for every record that lies wholly inside the hour
 * the packets and IP bytes of its window and direction are in the file, exactly. What security groups rejected
 * never reached the host and is not in it; what flow logs leave out is.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Conversation, TCP, WINDOW_SECONDS, type WindowSlice, windowOf } from './conversation.ts'
import { DatagramFlow } from './datagrams.ts'
import type { CapturedTruth, CaptureTruth } from './ground-truth.ts'
import { ATTACKER, WEB_SERVER } from './network.ts'
import { PayloadPool } from './payload.ts'
import { type Packet, PcapFile } from './pcap-file.ts'
import type { GeneratedRecord, LogRow } from './record.ts'
import { TcpFlow } from './tcp-flow.ts'
import { arpFrames, UNLOGGED_KINDS, type UnloggedKind, unloggedConversations } from './unlogged.ts'

/** Name of the lab's capture. */
export const CAPTURE_FILE = 'investigate.pcap'

/** The hour from 2023-09-28 19:00:00 UTC by the capturing host's clock: the end of the log-in attempts and after. */
const FROM = 1695927600
const UNTIL = FROM + 3600
/** The host's clock is this far ahead of that of the flow logs. */
const CLOCK_OFFSET_MICROS = 350_000
/** Bytes kept of each packet: all headers and the first 30 bytes of what a full packet carries. */
const SNAP_LENGTH = 96
const SECOND = 1_000_000

/** A conversation that the capture shows, while it is written. */
interface Talk {
  kind: 'attacker' | 'other' | UnloggedKind
  conversation: Conversation
  flow: TcpFlow | DatagramFlow | null
}

/** Writes the capture that belongs to the logs' rows into `outDir`; the same rows and seed give the same bytes. */
export async function writeCapture(
  outDir: string,
  rows: LogRow[],
  seed: number,
  { snap_length = SNAP_LENGTH, signal }: { snap_length?: number; signal?: AbortSignal | undefined } = {},
): Promise<CaptureTruth> {
  const records = rows.filter(row => 'srcaddr' in row).filter(isSeenByHost)
  const talks = talksOf(records, seed)
  const byWindow = slicesByWindow(talks)
  const frames = arpFrames(seed, FROM, UNTIL)
  const file = await open(join(outDir, CAPTURE_FILE), 'w')
  try {
    const pcap = new PcapFile(file, snap_length, new PayloadPool(seed))
    const times: number[] = []
    let packets = 0
    // The packets of one aggregation window are made, sorted and written at a time.
    for (const [start, slices] of byWindow) {
      signal?.throwIfAborted()
      const held: Packet[] = slices.flatMap(([talk, slice]): Packet[] => flowOf(talk, seed).packets(slice))
      while (frames[0] && frames[0].time < (start + WINDOW_SECONDS) * SECOND) held.push(frames.shift()!)
      for (const packet of held.sort((a, b) => a.time - b.time)) {
        const time = packet.time + CLOCK_OFFSET_MICROS
        if (time < FROM * SECOND || time >= UNTIL * SECOND) {
          pcap.skip(packet)
          continue
        }
        if (!pcap.hasRoom()) await pcap.flush()
        pcap.write(packet, time)
        times[packets++ === 0 ? 0 : 1] = time / SECOND
      }
    }
    await pcap.flush()
    const [first_time = 0, last_time = first_time] = times
    const counts = { packets, first_time, last_time, records_inside: records.filter(isInside).length }
    return truthOf(talks, { ...counts, snap_length, bytes: pcap.size })
  } finally {
    await file.close()
  }
}

/** Whether the host's own interface sees a record's packets: a security group rejects before it. */
function isSeenByHost(record: GeneratedRecord): boolean {
  return record.sensor === WEB_SERVER && record.action === 'ACCEPT'
}

/** When a record's packets may be in the capture, by the capturing host's clock. */
function captureTimes({ start, end }: Pick<GeneratedRecord, 'start' | 'end'>): [first: number, after: number] {
  return [start * SECOND + CLOCK_OFFSET_MICROS, (end + 1) * SECOND + CLOCK_OFFSET_MICROS]
}

function isInside(record: GeneratedRecord): boolean {
  const [first, after] = captureTimes(record)
  return first >= FROM * SECOND && after <= UNTIL * SECOND
}

/** Every conversation that may have a packet in the capture. */
function talksOf(records: GeneratedRecord[], seed: number): Talk[] {
  const logged = conversationsOf(records).map((conversation): Talk => {
    const isAttack = conversation.client === ATTACKER || conversation.server === ATTACKER
    return { kind: isAttack ? 'attacker' : 'other', conversation, flow: null }
  })
  const unlogged = unloggedConversations(seed, FROM, UNTIL)
  return [...logged, ...unlogged.map(([kind, conversation]): Talk => ({ kind, conversation, flow: null }))]
}

/** Puts the records together again that one conversation left, one after the other, at the interface. */
function conversationsOf(records: GeneratedRecord[]): Conversation[] {
  const made: Conversation[] = []
  for (const record of records) {
    const window_start = windowOf(WEB_SERVER, record.start)
    let last = made.at(-1)
    let slice = last?.windows.at(-1)
    const direction = last && directionIn(last, record)
    const isAnother = direction && slice?.window_start === window_start && slice[direction] !== null
    if (!last || !direction || isAnother) {
      const { srcaddr, srcport, dstaddr, dstport, protocol, start, end } = record
      const ends = { client: srcaddr, client_port: srcport, server: dstaddr, server_port: dstport }
      made.push((last = { ...ends, protocol, start, end, windows: [] }))
      slice = undefined
    }
    last.end = record.end
    if (slice?.window_start !== window_start) {
      last.windows.push((slice = { window_start, to_server: null, to_client: null }))
    }
    slice[directionIn(last, record)!] = record
  }
  return made
}

function directionIn(conversation: Conversation, record: GeneratedRecord): 'to_server' | 'to_client' | undefined {
  const { client, client_port, server, server_port, protocol } = conversation
  const { srcaddr, srcport, dstaddr, dstport } = record
  if (record.protocol !== protocol) return undefined
  const isThis = (a: string, aPort: number, b: string, bPort: number): boolean =>
    a === srcaddr && aPort === srcport && b === dstaddr && bPort === dstport
  if (isThis(client, client_port, server, server_port)) return 'to_server'
  return isThis(server, server_port, client, client_port) ? 'to_client' : undefined
}

/** What each aggregation window holds of each conversation, in order of time; empty windows too. */
function slicesByWindow(talks: Talk[]): Map<number, [Talk, WindowSlice][]> {
  const windows = new Map<number, [Talk, WindowSlice][]>()
  for (let start = windowOf(WEB_SERVER, FROM - 1); start < UNTIL; start += WINDOW_SECONDS) windows.set(start, [])
  for (const talk of talks) {
    for (const slice of talk.conversation.windows) windows.get(slice.window_start)?.push([talk, slice])
  }
  return windows
}

function flowOf(talk: Talk, seed: number): TcpFlow | DatagramFlow {
  const { conversation } = talk
  talk.flow ??= conversation.protocol === TCP ? new TcpFlow(conversation, seed) : new DatagramFlow(conversation, seed)
  return talk.flow
}

type Counts = Pick<CaptureTruth, 'packets' | 'first_time' | 'last_time' | 'records_inside' | 'snap_length' | 'bytes'>

function truthOf(talks: Talk[], counts: Counts): CaptureTruth {
  const shownOf = (isMeant: (talk: Talk) => boolean): CapturedTruth => {
    const truth = { conversations: 0, packets: 0, ip_bytes: 0 }
    for (const talk of talks) {
      const shown = talk.flow?.shown
      if (!shown?.packets || !isMeant(talk)) continue
      truth.conversations++
      truth.packets += shown.packets
      truth.ip_bytes += shown.ip_bytes
    }
    return truth
  }
  const attacks = talks.filter(talk => talk.kind === 'attacker' && talk.flow)
  const ports = [...new Set(attacks.map(talk => talk.conversation.server_port))].sort((a, b) => a - b)
  const [dhcp, dns, ntp, imds] = UNLOGGED_KINDS.map(kind => shownOf(talk => talk.kind === kind).packets)
  const arp = counts.packets - shownOf(() => true).packets
  return {
    file: CAPTURE_FILE,
    ...counts,
    host: WEB_SERVER.address,
    clock_offset_seconds: CLOCK_OFFSET_MICROS / SECOND,
    from: FROM,
    until: UNTIL,
    attacker: ports.map(port => ({
      port,
      ...shownOf(talk => talk.kind === 'attacker' && talk.conversation.server_port === port),
    })),
    others: shownOf(talk => talk.kind === 'other'),
    unlogged: { arp, dhcp: dhcp!, dns: dns!, ntp: ntp!, imds: imds! },
  }
}
