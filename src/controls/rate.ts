/** A rule that stops clients that come too often, tried on connections in place of requests, which no flow record shows. */
import type { CaseConnections } from '../conversations/connections.ts'
import { type Judge, passes, stopped } from './judge.ts'
import type { ProtectedTraffic } from './protected.ts'
import { clientsOver, type RateQuestion } from './recommend-rate.ts'

export class RateJudge implements Judge {
  readonly reasons: readonly string[] = []
  /** By piece: its connections that came over the limit. */
  private readonly over = new Map<CaseConnections, number[]>()
  private readonly from_us: number

  /** @param at_us when it comes into force; null: before everything. What came before counts in its first window. */
  constructor(traffic: ProtectedTraffic, question: RateQuestion & { limit: number }, at_us: number | null) {
    this.from_us = at_us ?? Number.NEGATIVE_INFINITY
    for (const client of clientsOver(traffic, question)) {
      for (const { piece, connection } of client.over) {
        const { connections } = traffic.pieces[piece]!
        const some = this.over.get(connections)
        if (some === undefined) this.over.set(connections, [connection])
        else some.push(connection)
      }
    }
  }

  judge(all: CaseConnections, into: Uint32Array): void {
    into.fill(passes)
    for (const i of this.over.get(all) ?? []) if (all.start_us[i]! >= this.from_us) into[i] = stopped
  }
}
