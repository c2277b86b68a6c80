/** All controls for a situation, in the order in which they are told. */
import type { Case } from '../store/case.ts'
import type { Missing, Recommended } from './control.ts'
import type { ProtectedTraffic } from './protected.ts'
import { recommendAcl } from './recommend-acl.ts'
import { recommendEgress } from './recommend-egress.ts'
import { recommendIngress } from './recommend-ingress.ts'
import { recommendRate } from './recommend-rate.ts'
import { usesOf } from './uses.ts'

export interface RecommendOptions {
  share: number
  approvedPorts: readonly number[]
}

export interface AllRecommended {
  recommended: Recommended[]
  missing: Missing[]
  not_decidable: string[]
}

export async function recommend(
  c: Case,
  traffic: ProtectedTraffic,
  { share }: RecommendOptions,
): Promise<AllRecommended> {
  const uses = usesOf(traffic)
  void c
  return {
    recommended: [
      ...recommendIngress(traffic, uses),
      ...recommendEgress(traffic, uses, { share }),
      ...recommendAcl(traffic, uses, { share }),
      ...recommendRate(traffic),
    ],
    missing: [],
    not_decidable: [],
  }
}
