/**
 * Plans the attacker's conversations of a scaled data set and deals their records out to its files.
 * A thread of its own, so that the memory this takes is free again when the files are written.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import type { Conversation } from './conversation.ts'
import { type AttackerTruth, attackerTruth } from './ground-truth.ts'
import { planIncident } from './incident.ts'
import { ATTACKER, BIN_SECONDS, WEB_SERVER } from './network.ts'
import { recordsAt } from './record.ts'
import { filesOfBin, planScale, type ScalePlan } from './scale-plan.ts'

/** What says which data set is meant. */
export interface ScaleTask {
  folder: string
  seed: number
  records: number
  files: number
}

/** The attacker's totals, and the attacker's records in each file as rows of numbers. */
export interface IncidentPlan {
  attacker: AttackerTruth
  by_file: Float64Array<ArrayBuffer>[]
}

/** Deals the records out in turn to the files of the five minutes that their ends lie in. */
function dealOut(plan: ScalePlan, conversations: Conversation[]): IncidentPlan['by_file'] {
  const rows: number[][] = Array.from({ length: plan.files }, () => [])
  let turn = 0
  for (const conversation of conversations) {
    for (const record of recordsAt(WEB_SERVER, conversation)) {
      const { srcaddr, srcport, dstport, bytes, packets, tcp_flags, start, end } = record
      const { first, count } = filesOfBin(plan, Math.floor((end - plan.first_second) / BIN_SECONDS))
      const from = srcaddr === ATTACKER ? 1 : 0
      rows[first + (turn++ % count)]!.push(from, srcport, dstport, bytes, packets, tcp_flags, start, end)
    }
  }
  return rows.map(values => Float64Array.from(values))
}

if (!isMainThread) {
  const { seed, records, files } = workerData as ScaleTask
  const plan = planScale(seed, records, files)
  const conversations = planIncident(seed, plan.incident)
  const by_file = dealOut(plan, conversations)
  const message: IncidentPlan = { attacker: attackerTruth(conversations), by_file }
  parentPort?.postMessage(
    message,
    by_file.map(rows => rows.buffer),
  )
}
