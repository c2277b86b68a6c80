/** All controls for a situation, in the order in which they are told. */

import type { Dossier } from '../investigate/dossier.ts'
import type { Prefix } from '../net/prefix.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import type { AlarmTrial } from './alarm-trial.ts'
import { alarmsFor } from './alarms.ts'
import type { Missing, Recommended } from './control.ts'
import { whatWasMissing } from './missing.ts'
import type { ProtectedTraffic } from './protected.ts'
import { recommendAcl } from './recommend-acl.ts'
import { recommendEgress } from './recommend-egress.ts'
import { recommendIngress } from './recommend-ingress.ts'
import { recommendRate } from './recommend-rate.ts'
import { usesOf } from './uses.ts'

export interface RecommendOptions {
  share: number
  approvedPorts: readonly number[]
  /** The analyst's own networks beside the private ones. */
  own: readonly Prefix[]
  /** How many count records at most. */
  threads: number
  /** When the controls come into force, microseconds; null: before everything. */
  at_us: number | null
}

export interface AllRecommended {
  recommended: RecommendedControl[]
  missing: Missing[]
}

/** Alarms are tried on records, by who recommends them. */
export interface RecommendedControl extends Recommended {
  fired: AlarmTrial | null
}

export async function recommend(
  c: Case,
  index: RecordIndex,
  read: ProtectedTraffic,
  dossier: Dossier,
  { share, approvedPorts, own, threads, at_us }: RecommendOptions,
): Promise<AllRecommended> {
  const uses = usesOf(read)
  const rules = [
    ...recommendIngress(read, uses),
    ...recommendEgress(read, uses, { share }),
    ...recommendAcl(read, uses, { share }),
    ...recommendRate(read),
  ].map((one): RecommendedControl => ({ ...one, fired: null }))
  const request = { traffic: read, uses, approvedPorts, own, at_us }
  const alarms = await alarmsFor(c, index, request, threads)
  const lacking = await whatWasMissing(c, index, request, dossier)
  return {
    recommended: [
      ...rules,
      ...alarms.map(({ recommended, trial }) => ({ ...recommended, fired: trial })),
      ...lacking.recommended.map(one => ({ ...one, fired: null })),
    ],
    missing: lacking.missing,
  }
}
