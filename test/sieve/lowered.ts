/** Thresholds so low that small logs have findings. */
import { caseRules } from '../../src/rules/all.ts'
import { sieves } from '../../src/sieve/sieves.ts'

/** @param from with which they begin, so that others come out. @param most of what is asked for at least. */
export function loweredThresholds(from: number, most: number): string[] {
  let n = from
  return caseRules
    .filter(({ name }) => name in sieves)
    .flatMap(({ name, thresholds }) =>
      Object.entries(thresholds).flatMap(([threshold, value]) => {
        if (typeof value !== 'number' || /share|ratio|regularity/i.test(threshold)) return []
        if (/Min$/.test(threshold)) return [`${name}.${threshold}=${1 + (n++ % most)}`]
        if (/^warmUp/.test(threshold)) return [`${name}.${threshold}=0`]
        return /^spreadMax$|^clockMax$/.test(threshold) ? [`${name}.${threshold}=9`] : []
      }),
    )
}
