import type { Packet } from '../packet/packet.ts'
import { Batch } from './batch.ts'
import { Clock } from './clock.ts'
import type { ConnectionSink } from './connection-record.ts'
import { ConnectionMeter, type ConnectionTimeouts, connectionTimeouts } from './connections.ts'
import { FlowMeter, type FlowTimeouts, flowTimeouts } from './flows.ts'
import type { FlowSink } from './metered-flow.ts'

export interface MeterOptions {
  /** Who takes the flow records; none are made without. */
  flows?: FlowSink
  timeouts?: Partial<FlowTimeouts>
  /** Who takes the connections; none are made without. */
  connections?: ConnectionSink
  connectionTimeouts?: Partial<ConnectionTimeouts>
  /** Conversations that are kept at once, 16 million by default; beyond, those that would end first are ended and counted. */
  limit?: number
  /** Conversations there is room for at first. Results do not depend on it. */
  capacity?: number
  /** Microseconds that packets may be out of order before it counts as another beginning: an hour by default. */
  disorder?: number
}

export interface MeterCounts {
  packets: number
  flowRecords: number
  connections: number
  /** Flow records and connections that ended at the limit. */
  evicted: number
  evictedConnections: number
  /** How often the time of the capture stepped back. */
  clockResets: number
  /** Most conversations at once. */
  peak: number
}

/**
 * Decoded packets to flow records, to connections, or to both.
 *
 * Threads that share a capture have a meter each, with the same options. Every meter is shown every packet, in the order
 * of the capture: `add` for those of its own shard (`shardOf`), `pass` for the others, whose time is all it takes up.
 * Together they then give the records that one meter gives.
 */
export class Meter {
  private readonly clock: Clock
  private readonly batch = new Batch()
  private readonly flows: FlowMeter | null
  private readonly connections: ConnectionMeter | null
  private packets = 0

  constructor(options: MeterOptions) {
    const limit = options.limit ?? 2 ** 24
    const capacity = options.capacity ?? 2 ** 15
    this.clock = new Clock(options.disorder ?? 3600e6)
    const timeouts = { ...flowTimeouts, ...options.timeouts }
    const connections = { ...connectionTimeouts, ...options.connectionTimeouts }
    this.connections = options.connections
      ? new ConnectionMeter(options.connections, connections, capacity, limit)
      : null
    this.flows = options.flows ? new FlowMeter(options.flows, timeouts, capacity, limit) : null
  }

  /** Meters a packet. The object may be reused afterwards. */
  add(packet: Packet): void {
    this.pass(packet.time)
    this.packets++
    this.batch.add(packet, this.clock.now)
    if (this.batch.isFull) this.meterBatch()
  }

  /** Takes up the time of a packet that another shard meters. */
  pass(time: number): void {
    if (time > this.clock.now) this.clock.now = time
    else if (this.clock.stepsBack(time)) {
      this.meterBatch()
      runThrough(this.ending('clock'))
      this.clock.advance(time)
    }
  }

  /** Hands over the flow records that have ended already: else they come when room is needed. What they say does not depend on it. */
  sweep(): void {
    this.meterBatch()
    this.flows?.sweep(this.clock.now)
  }

  /** Ends whatever is open. */
  finish(): void {
    runThrough(this.finishing())
  }

  /** As `finish`, with pauses in which what has ended can be written: there may be much of it. */
  *finishing(): Generator<void> {
    this.meterBatch()
    yield* this.ending('finish')
  }

  private *ending(reason: 'clock' | 'finish'): Generator<void> {
    if (this.flows) yield* this.flows.ending(this.clock.now, reason)
    if (this.connections) yield* this.connections.ending(this.clock.now, reason)
  }

  private meterBatch(): void {
    this.flows?.add(this.batch)
    this.connections?.add(this.batch)
    this.batch.length = 0
  }

  get counts(): MeterCounts {
    return {
      packets: this.packets,
      flowRecords: this.flows?.records ?? 0,
      connections: this.connections?.connections ?? 0,
      evicted: this.flows?.evicted ?? 0,
      evictedConnections: this.connections?.evicted ?? 0,
      clockResets: this.clock.resets,
      peak: Math.max(this.flows?.table.peak ?? 0, this.connections?.table.peak ?? 0),
    }
  }
}

function runThrough(steps: Generator<void>): void {
  while (steps.next().done !== true);
}
