/** What the rules are known not to do. A test says so where one of them passes: then its entry can go. */
import type { View } from './stage.ts'

export interface KnownGap {
  scenario: string
  /** In which logs; in all of them where it is not given. */
  at?(view: View): boolean
  reason: string
}

const isNotDefault = ({ format }: View): boolean => format !== 'default'

const unwritten = (rule: string, ...scenarios: string[]): KnownGap[] =>
  scenarios.map(scenario => ({ scenario, reason: `no file looks for ${rule} yet` }))

/** Rules that no file looks for yet. */
export const unwrittenRules: readonly string[] = ['D10', 'D11', 'D14', 'D17']

export const knownGaps: readonly KnownGap[] = [
  ...unwritten('D06', 'a session with a listed address'),
  ...unwritten(
    'D11',
    'a tunnel in questions to a name server',
    'a tunnel of 20 MB in questions of a day',
    'a host that asks a name server of its own choice',
  ),
  ...unwritten('D14', 'data gathered from hosts inside, then sent out'),
  {
    scenario: 'scan by a host of ours with a public IPv6 address',
    at: isNotDefault,
    reason: 'an address that owns an interface is not taken for internal (flow-direction)',
  },
]
