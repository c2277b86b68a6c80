/** What the rules are known not to do. A test says so where one of them passes: then its entry can go. */
import type { View } from './stage.ts'

export interface KnownGap {
  scenario: string
  /** In which logs; in all of them where it is not given. */
  at?(view: View): boolean
  reason: string
}

const isNotDefault = ({ format }: View): boolean => format !== 'default'

export const knownGaps: readonly KnownGap[] = [
  {
    scenario: 'scan by an internal host with a public IPv6 address',
    at: isNotDefault,
    reason: 'an address that owns an interface is not taken for internal (flow-direction)',
  },
]
