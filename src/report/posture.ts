/** What AWS says of the flow logs that are in force, as a page. */
import { recommendedFields } from '../controls/flow-log.ts'
import type { CoveredResource, Posture, PostureFlowLog, PosturePlace, PostureUnknown } from '../posture/posture.ts'
import {
  alarm,
  type Block,
  code,
  good,
  heading,
  limited,
  line,
  list,
  paragraph,
  strong,
  type Text,
  table,
  title,
  warning,
} from './block.ts'
import { countText, integerText, timeText } from './numbers.ts'

const rowsAtMost = 20
const unknownAtMost = 10

const kinds = { vpc: 'VPC', subnet: 'subnet', interface: 'interface' } as const
const stateWords = {
  without: 'no flow log',
  failing: 'not delivered',
  partial: 'recorded in part',
  unknown: 'not known',
  good: 'recorded',
} as const

/** @param all whether every row is shown. */
export function posturePage(posture: Posture, all: boolean): Block[] {
  const { places, gaps, gaps_total, flow_logs, flow_logs_total, unknown } = posture
  const most = all ? Number.POSITIVE_INFINITY : rowsAtMost
  const own = gaps.filter(({ as_around }) => !as_around)
  const faulty = flow_logs.filter(({ faults }) => faults.length > 0)
  return [
    title(strong('What is recorded, as AWS says')),
    paragraph(line`Asked at ${timeText(posture.asked_at)}.`),
    paragraph(postureVerdict(posture)),
    ...unknownBlocks(unknown, all),
    list(places.map(placeText)),
    ...(own.length === 0
      ? []
      : [
          heading('Not recorded, or not all of it'),
          resourcesTable(own, most),
          ...moreBlocks(own.length, gaps, gaps_total, most),
        ]),
    ...(faulty.length === 0
      ? []
      : [heading('What the flow logs cannot tell'), ...logBlocks(faulty, most, flow_logs_total - flow_logs.length)]),
    ...adviceBlocks(gaps),
  ]
}

/** How many of each kind are recorded. */
function postureVerdict({ resources, unknown }: Posture): Text {
  const parts = (['vpc', 'subnet', 'interface'] as const).flatMap(kind => {
    const { total, good: fine } = resources[kind]
    return total === 0 ? [] : [`${integerText(fine)} of ${countText(total, kinds[kind])}`]
  })
  if (parts.length === 0)
    return unknown.length > 0 ? alarm('Nothing is known.') : 'There is no VPC, subnet or interface where was asked.'
  const areAllGood = (['vpc', 'subnet', 'interface'] as const).every(
    kind => resources[kind].good === resources[kind].total,
  )
  const text = `Recorded with all traffic, every minute and all fields: ${parts.join(', ')}.`
  if (!areAllGood) return alarm(text)
  return unknown.length > 0 ? line`${text} That is not all: see what is not known.` : good(text)
}

function unknownBlocks(unknown: readonly PostureUnknown[], all: boolean): Block[] {
  if (unknown.length === 0) return []
  const rights = [...new Set(unknown.flatMap(({ right }) => right ?? []))]
  const items = unknown.map(
    (one): Text =>
      line`${one.what} of ${whereText(one)}: ${one.problem}${one.right === null ? '' : ` (allow ${one.right})`}.`,
  )
  return [
    warning(
      `Not known, and so not said to be in order: ${countText(unknown.length, 'answer')} that AWS did not give.${rights.length === 0 ? '' : ` To allow: ${rights.join(', ')}.`}`,
    ),
    list(
      all ? items : limited<Text>(items, unknownAtMost, left => `… and ${integerText(left)} more: --all lists them.`),
    ),
  ]
}

function whereText({ account, region }: { account: string | null; region: string | null }): string {
  return `${account ?? 'an account not told'}, ${region ?? 'all regions'}`
}

function placeText(place: PosturePlace): Text {
  const count = (number: number | null, what: string): string =>
    number === null ? `${what}s not told` : countText(number, what)
  const counts = [
    ...[count(place.vpcs, 'VPC'), count(place.subnets, 'subnet'), count(place.interfaces, 'interface')],
    ...[count(place.flow_logs, 'flow log'), count(place.security_groups, 'security group')],
    count(place.network_acls, 'network ACL'),
  ]
  return line`${strong(whereText(place))}: ${counts.join(', ')}.`
}

function resourcesTable(gaps: readonly CoveredResource[], most: number): Block {
  const rows = gaps.slice(0, most).map(one => ({
    cells: [
      kinds[one.what],
      one.name === null ? one.id : `${one.id} (${one.name})`,
      whereText(one),
      one.interfaces === null ? '' : integerText(one.interfaces),
      one.state === 'without' || one.state === 'failing' ? alarm(stateWords[one.state]) : stateWords[one.state],
      one.why.join('; '),
    ],
  }))
  const columns = [
    ...[{ title: '' }, { title: 'id' }, { title: 'where', drops: 2 }],
    ...[{ title: 'interfaces', align: 'right' as const, drops: 1 }, { title: 'state' }, { title: 'why', hangs: true }],
  ]
  return table(columns, rows)
}

function moreBlocks(own: number, gaps: readonly CoveredResource[], total: number, most: number): Block[] {
  const left = own - Math.min(own, most)
  const within = gaps.length - own
  const items: Text[] = [
    ...(left === 0 ? [] : [`… and ${integerText(left)} more: --all lists them.`]),
    ...(within === 0
      ? []
      : [
          `${countText(within, 'subnet or interface', 'subnets and interfaces')} within are as what they lie in: --json lists them.`,
        ]),
    ...(total === gaps.length ? [] : [`${integerText(total - gaps.length)} more are in no list.`]),
  ]
  return items.length === 0 ? [] : [list(items)]
}

function logBlocks(logs: readonly PostureFlowLog[], most: number, unlisted: number): Block[] {
  const items = logs.map((one): Text => {
    const to = one.destination === null ? '' : ` to ${one.destination}`
    return line`${strong(one.id)} of ${one.resource} (${whereText(one)}${to}): ${one.faults.join('; ')}.`
  })
  return [
    list(limited<Text>(items, most, left => `… and ${integerText(left)} more: --all lists them.`)),
    ...(unlisted === 0 ? [] : [paragraph(`${integerText(unlisted)} more flow logs are in no list.`)]),
  ]
}

/** The flow log that tells all, for the first VPC that lacks one. */
function adviceBlocks(gaps: readonly CoveredResource[]): Block[] {
  const vpc = gaps.find(({ what, state }) => what === 'vpc' && (state === 'without' || state === 'partial'))
  if (vpc === undefined) return []
  const format = recommendedFields.map(field => `\${${field}}`).join(' ')
  return [
    heading('Next'),
    paragraph(
      'A flow log that tells all, once for each VPC; one that is there cannot be changed, but deleted when the new one delivers:',
    ),
    code(
      [
        `aws ec2 create-flow-logs --region ${vpc.region} --resource-type VPC --resource-ids ${vpc.id} \\`,
        `  --traffic-type ALL --max-aggregation-interval 60 \\`,
        `  --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET \\`,
        `  --log-format '${format}'`,
      ].join('\n'),
    ),
  ]
}
