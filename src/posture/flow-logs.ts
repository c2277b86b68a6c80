/** What flow logs can tell: each for itself, and several of one resource together. */
import type { AwsFlowLog } from '../aws/network.ts'
import { lackingFields } from '../controls/flow-log.ts'
import type { CoverState, PostureFlowLog } from './posture.ts'

/** Where AWS names no format, and no interval (EC2 API Reference, CreateFlowLogs). */
const defaultFields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const defaultInterval = 600
/** Seconds of the shorter of the two that there are. */
const wantedInterval = 60

const actions = ['ACCEPT', 'REJECT'] as const
type Action = (typeof actions)[number]

export interface Place {
  account: string | null
  region: string
}

export function flowLogOf(told: AwsFlowLog, { account, region }: Place): PostureFlowLog {
  const error = told.DeliverLogsErrorMessage || null
  const isActive = told.FlowLogStatus === undefined || told.FlowLogStatus === 'ACTIVE'
  const log: PostureFlowLog = {
    ...{ id: told.FlowLogId ?? '', account, region, resource: told.ResourceId ?? '' },
    ...{ traffic: told.TrafficType ?? 'not told', interval: told.MaxAggregationInterval ?? defaultInterval },
    fields: fieldsOf(told.LogFormat),
    destination_type: told.LogDestinationType ?? null,
    destination: told.LogDestination ?? told.LogGroupName ?? null,
    delivers: deliveryOf(told, error, isActive),
    error: error ?? (isActive ? null : `its status is ${told.FlowLogStatus}`),
    faults: [],
  }
  return { ...log, faults: faultsOf(log) }
}

/** CloudWatch Logs throttles some interfaces: the others, and other times, are delivered (EC2 API Reference, FlowLog, DeliverLogsErrorMessage). */
const throttled = /^rate limited/i

function deliveryOf(
  { DeliverLogsStatus: status }: AwsFlowLog,
  error: string | null,
  isActive: boolean,
): PostureFlowLog['delivers'] {
  if (isActive && error !== null && throttled.test(error)) return 'in-part'
  if (status === 'FAILED' || error !== null || !isActive) return 'no'
  return status === 'SUCCESS' ? 'yes' : 'not-told'
}

/** `${version} ${account-id} …` */
function fieldsOf(format: string | undefined): string[] {
  const text = format || defaultFields
  return text.includes('${')
    ? [...text.matchAll(/\$\{([\w-]+)\}/g)].map(([, field]) => field!)
    : text.trim().split(/\s+/)
}

/** Those of Transit Gateways have fields of their own. */
function isOfVpc({ resource }: Pick<PostureFlowLog, 'resource'>): boolean {
  return /^(vpc|subnet|eni)-/.test(resource)
}

function faultsOf(log: PostureFlowLog): string[] {
  const delivery = deliveryFault(log)
  const own = isOfVpc(log) ? recordedFaults(recordedBy([log])) : []
  return [...(delivery === null ? [] : [delivery]), ...own]
}

function deliveryFault({ delivers, error }: PostureFlowLog): string | null {
  const why = error === null ? '' : ` (${error})`
  if (delivers === 'no') return `it is not delivered${why}`
  if (delivers === 'in-part') return `it is delivered in part${why}`
  return delivers === 'yes' ? null : 'whether it is delivered is not told yet'
}

/** What several flow logs of one resource record together. */
export interface Recorded {
  traffic: 'ALL' | Action | null
  interval: number | null
  lacks: string[]
}

/** Of accepted and of rejected traffic each the best of what records it. */
export function recordedBy(logs: readonly PostureFlowLog[]): Recorded {
  const sides = actions.flatMap(action => {
    const some = logs.filter(({ traffic }) => traffic === action || traffic === 'ALL')
    if (some.length === 0) return []
    // One record has the fields of one log: two of them do not make a good one.
    const [best] = some.toSorted((a, b) => missingOf(a) - missingOf(b) || a.interval - b.interval)
    return [{ action, interval: best!.interval, lacks: lackingFields(best!.fields).flatMap(one => one.fields) }]
  })
  if (sides.length === 0) return { traffic: null, interval: null, lacks: [] }
  return {
    traffic: sides.length === actions.length ? 'ALL' : sides[0]!.action,
    interval: Math.max(...sides.map(one => one.interval)),
    lacks: [...new Set(sides.flatMap(({ lacks }) => lacks))],
  }
}

function missingOf({ fields }: PostureFlowLog): number {
  return lackingFields(fields).flatMap(one => one.fields).length
}

/** In words. */
function recordedFaults({ traffic, interval, lacks }: Recorded): string[] {
  const missing = new Set(lacks)
  const untold = lackingFields([])
    .map(({ fields, tells }) => ({ fields: fields.filter(field => missing.has(field)), tells }))
    .filter(({ fields }) => fields.length > 0)
  return [
    ...(traffic === null ? ['which traffic is recorded is not told'] : []),
    ...(traffic === 'ACCEPT' ? ['what is refused is not recorded'] : []),
    ...(traffic === 'REJECT' ? ['what is let through is not recorded'] : []),
    ...untold.map(({ fields, tells }) => `without ${fields.join(', ')} it does not tell ${tells}`),
    ...(interval !== null && interval > wantedInterval
      ? [`records of up to ${interval / 60} minutes, but of instances on Nitro, which are recorded every minute`]
      : []),
  ]
}

export interface Cover extends Recorded {
  state: CoverState
  why: string[]
  flow_logs: string[]
}

/** What the flow logs of a resource, of which there is one at least, come to. */
export function coverBy(logs: readonly PostureFlowLog[]): Cover {
  const ids = logs.map(({ id }) => id)
  const failing = logs.filter(({ delivers }) => delivers === 'no')
  const others = logs.filter(({ delivers }) => delivers !== 'no')
  const failures = failing.map(log => `${log.id}: ${deliveryFault(log)}`)
  const recorded = recordedBy(others)
  if (others.length === 0) return { ...recorded, state: 'failing', why: failures, flow_logs: ids }
  const faults = recordedFaults(recorded)
  if (faults.length > 0) return { ...recorded, state: 'partial', why: [...faults, ...failures], flow_logs: ids }
  const sure = others.filter(({ delivers }) => delivers === 'yes')
  if (recordsAll(sure)) return { ...recorded, state: 'good', why: failures, flow_logs: ids }
  const whole = others.filter(({ delivers }) => delivers !== 'in-part')
  const doubts = others.filter(({ delivers }) => delivers !== 'yes').map(log => `${log.id}: ${deliveryFault(log)}`)
  return {
    ...recorded,
    // One that is not told of may deliver all.
    state: recordsAll(whole) ? 'unknown' : 'partial',
    why: [...doubts, ...failures],
    flow_logs: ids,
  }
}

function recordsAll(logs: readonly PostureFlowLog[]): boolean {
  return logs.length > 0 && recordedFaults(recordedBy(logs)).length === 0
}
