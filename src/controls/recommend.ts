/** All controls for a situation, in the order in which they are told. */
import type { Case } from '../store/case.ts'
import type { Missing, Recommended } from './control.ts'
import type { Situation } from './situation.ts'

export interface RecommendOptions {
  share: number
  approvedPorts: readonly number[]
}

export interface AllRecommended {
  recommended: Recommended[]
  missing: Missing[]
  not_decidable: string[]
}

export async function recommend(c: Case, situation: Situation, options: RecommendOptions): Promise<AllRecommended> {
  void [c, situation, options]
  return { recommended: [], missing: [], not_decidable: [] }
}
