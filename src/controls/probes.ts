/** Probes among what a control breaks: nobody misses them. */
import { type CaseConnections, mark, outcome } from '../conversations/connections.ts'
import { TCP } from '../net/protocols.ts'
import type { Trial } from './control.ts'

/** A handshake takes two packets of the client, and data or its end at least one more, so that a session has four or more. */
const packetsMost = 3
const lasting_us = 60_000_000

/**
 * Connections of addresses outside, each of at most 3 packets of the client and 60 s, of TCP or without an answer; of clients of which no longer one
 * is among those that are added. Where packets, time or the client are not known for sure it is no probe.
 */
export class Probes {
  private readonly isInternal: Uint8Array
  private readonly sum = { connections: 0, peers: 0, packets_most: 0 }
  private client = -1
  private run = { connections: 0, packets: 0, isProbing: true }

  /** @param isInternal by host. */
  constructor(isInternal: Uint8Array) {
    this.isInternal = isInternal
  }

  /** Those of a client one after the other. */
  add(all: CaseConnections, i: number): void {
    if (all.client[i] !== this.client) this.endRun()
    this.client = all.client[i]!
    const { run } = this
    run.connections++
    run.packets = Math.max(run.packets, all.packetsUp[i]!)
    run.isProbing &&= this.isProbe(all, i)
  }

  endRun(): void {
    const { connections, packets, isProbing } = this.run
    if (connections > 0 && isProbing) {
      this.sum.connections += connections
      this.sum.peers++
      this.sum.packets_most = Math.max(this.sum.packets_most, packets)
    }
    this.client = -1
    this.run = { connections: 0, packets: 0, isProbing: true }
  }

  get told(): Trial['innocent']['probes'] {
    return { ...this.sum }
  }

  private isProbe(all: CaseConnections, i: number): boolean {
    const packets = all.packetsUp[i]!
    if (this.isInternal[all.client[i]!] === 1 || (all.marks[i]! & (mark.unknownRole | mark.atLeast)) !== 0) return false
    if (all.protocol[i] !== TCP && all.outcome[i] === outcome.answered) return false
    return packets > 0 && packets <= packetsMost && all.end_us[i]! - all.start_us[i]! <= lasting_us
  }
}
