/** The flow log that would have told more: its fields, and what each would have decided. */
import { countText } from '../net/counts.ts'
import { TextKeys } from '../record-index/text-keys.ts'
import type { Case } from '../store/case.ts'
import type { Recommended } from './control.ts'
import type { LogFormat } from './log-formats.ts'

/** Fields as AWS spells them, in its order, with what they tell that no other does. */
const tellingFields: readonly (readonly [fields: readonly string[], tells: string])[] = [
  [['version', 'account-id', 'interface-id'], 'who recorded it'],
  [['srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol'], 'who spoke to whom'],
  [['packets', 'bytes', 'start', 'end'], 'how much, and when'],
  [['action'], 'whether it was let through'],
  [['log-status'], 'whether an interface was silent, or records were dropped'],
  [['vpc-id', 'subnet-id'], 'which network ACL it passed'],
  [['instance-id'], 'which instance, and that an interface is no gateway’s'],
  [['tcp-flags'], 'who opened a connection, and whether it was refused'],
  [['pkt-srcaddr', 'pkt-dstaddr'], 'the true ends behind NAT gateways, load balancers and pods'],
  [['region'], 'in which region it was'],
  [['pkt-src-aws-service', 'pkt-dst-aws-service'], 'whether the other end is a service of AWS, such as S3'],
  [['flow-direction', 'traffic-path'], 'whether it came or went, and by which way it left'],
  [['reject-reason'], 'whether a rule, or the block of public access, refused it'],
]

/** The format that is recommended where there is none. */
export const recommendedFields: readonly string[] = tellingFields.flatMap(([fields]) => fields)

/** Fields that a format lacks, and what they would have told. */
export function lackingFields(fields: readonly string[]): { fields: string[]; tells: string }[] {
  const has = new Set(fields)
  return tellingFields.flatMap(([some, tells]) => {
    const lacking = some.filter(field => !has.has(field))
    return lacking.length === 0 ? [] : [{ fields: lacking, tells }]
  })
}

/** What of the logs is to be otherwise. */
export interface LogState {
  /** Null: the evidence has no VPC flow log. */
  format: LogFormat | null
  /** Aggregation interval, seconds. */
  interval: number
  /** Of flow logs all of whose records have one action. */
  oneSided: number
  /** Internal addresses whose interfaces wrote no log. */
  unseen: number
  /** Id of the VPC, where all logs are of one. */
  vpc: string | null
}

/** The flow log to make, or null where the logs are as they should be. */
export function flowLog({ format, interval, oneSided, unseen, vpc }: LogState): Recommended | null {
  const lacking = format === null ? [] : lackingFields(format.fields)
  const reasons = [
    ...(format === null ? ['the evidence has no VPC flow log'] : []),
    ...(lacking.length === 0
      ? []
      : [
          `it lacks ${lacking.map(({ fields, tells }) => `${fields.join(' and ')}, which would have told ${tells}`).join('; ')}`,
        ]),
    ...(interval > 60 ? [`records of up to ${interval} s tell a time to ${interval / 60} minutes only`] : []),
    ...(oneSided > 0 ? [`${countText(oneSided, 'flow log')} recorded one action alone`] : []),
    ...(unseen > 0
      ? [
          `${countText(unseen, 'internal address', 'internal addresses')} sent traffic, and no log is of their interfaces`,
        ]
      : []),
  ]
  if (reasons.length === 0) return null
  // What is there keeps its place: patterns and tables that go by it still fit.
  const fields = [
    ...(format?.fields ?? []),
    ...(format === null ? recommendedFields : lacking.flatMap(one => one.fields)),
  ]
  return {
    kind: 'flow-log',
    title: 'A flow log of the whole VPC, with all traffic, every minute, and the fields that were missing',
    answers: [],
    why: `${reasons.map(one => `${one[0]!.toUpperCase()}${one.slice(1)}.`).join(' ')}`,
    cost: `More lines and longer ones: a line for each flow and minute, of ${fields.length} fields instead of ${format?.fields.length ?? 0}. A flow log cannot be changed: make the new one, then delete the old one, and what reads it by the place of its fields sees ${format === null ? 'them' : 'the new ones after the old ones'}.`,
    confirm: [
      vpc === null
        ? 'Name the VPC: the evidence does not tell one. Each VPC and each region needs its own.'
        : 'Each other VPC and each other region needs its own.',
      'Interfaces of instances on Nitro are recorded every minute in any case.',
    ],
    artefact: { what: 'flow-log', fields, interval: 60, traffic: 'ALL', resource: vpc, resourceType: 'VPC' },
  }
}

/** The one VPC of the records; null where there are several, or none is told. */
export async function vpcOf(c: Pick<Case, 'columns' | 'db'>): Promise<string | null> {
  if (!c.columns.has('vpc_id')) return null
  const { texts } = await TextKeys.of(c.db, 'flows', 'vpc_id')
  const known = texts.filter(text => text !== null)
  return known.length === 1 ? known[0]! : null
}
