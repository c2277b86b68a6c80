/** What the rules are known not to do. A test says so where one of them passes: then its entry can go. */
import type { View } from './stage.ts'

export interface KnownGap {
  scenario: string
  /** In which logs; in all of them where it is not given. */
  at?(view: View): boolean
  reason: string
}

const isTenMinutes = ({ interval }: View): boolean => interval === 600
const isDefault = ({ format }: View): boolean => format === 'default'
const isNotDefault = ({ format }: View): boolean => format !== 'default'
const hasFlags = ({ format }: View): boolean => format === 'flags'
const hasNoFlags = ({ format }: View): boolean => format !== 'flags'

const unwritten = (rule: string, ...scenarios: string[]): KnownGap[] =>
  scenarios.map(scenario => ({ scenario, reason: `no file looks for ${rule} yet` }))

/** Rules that no file looks for yet. */
export const unwrittenRules: readonly string[] = ['D05', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17']

export const knownGaps: readonly KnownGap[] = [
  ...unwritten('D05', 'from host to host over administrative ports'),
  ...unwritten('D06', 'a session with a listed address'),
  ...unwritten(
    'D11',
    'a tunnel in questions to a name server',
    'a tunnel of 20 MB in questions of a day',
    'a host that asks a name server of its own choice',
  ),
  ...unwritten('D12', 'a shell that calls back after a request from outside'),
  ...unwritten('D13', 'call-backs that fail again and again'),
  ...unwritten('D14', 'data gathered from hosts inside, then sent out'),
  ...unwritten(
    'D15',
    'SYN flood from many sources',
    'SYN flood from three sources',
    'amplification by a service of ours',
  ),
  ...unwritten('D16', 'spam by a host that sent no mail before', 'mining for a pool'),
  {
    scenario: 'scan by a host of ours with a public IPv6 address',
    at: isNotDefault,
    reason: 'an address that owns an interface is not taken for internal (flow-direction)',
  },
  {
    scenario: 'many users behind a NAT gateway',
    at: isDefault,
    reason: 'D01 takes ten dead pages of a day for a scan, however many answered',
  },
  {
    scenario: 'a proxy that meets some dead pages in a day',
    reason: 'D01 takes ten dead pages of a day for a scan, however many answered',
  },
  {
    scenario: 'a recursive name server of our own',
    reason: 'D01 takes ten dead name servers of a day for a scan, however many answered',
  },
  {
    scenario: 'monitoring with targets that are gone',
    reason: 'D01 knows pollers by UDP alone',
  },
  {
    scenario: 'peer-to-peer with many dead peers',
    at: isTenMinutes,
    reason: 'D08 takes records that share a window for one that lasts as long, and does not know peer-to-peer networks',
  },
  ...['SSH brute force from outside, with success', 'guesses at a database from inside'].map(scenario => ({
    scenario,
    at: isTenMinutes,
    reason: 'D02 takes a guess whose record lasts for its window for a long session',
  })),
  {
    scenario: 'checks over SSH by the monitoring',
    reason: 'the slow pass of D02 does not see the clock',
  },
  {
    scenario: 'a loop of the same request',
    reason: 'D02 does not see a clock in records that share a window',
  },
  {
    scenario: 'pages that open a database connection each',
    reason: 'D02 picks some that are alike from many that are not',
  },
  {
    scenario: 'FTP with its data connections',
    at: hasFlags,
    reason: 'D09 does not know the data connections of FTP',
  },
  {
    scenario: 'a channel out on an odd port',
    at: hasNoFlags,
    reason: 'D09 does not say that it cannot tell the server’s port without flags',
  },
]
