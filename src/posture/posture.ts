/** What AWS says of the flow logs, groups and network ACLs that are in force. Names are those of the JSON document. */

/** A place that was asked: an account, as one role sees it, and a region. Counts are null where AWS did not tell. */
export interface PosturePlace {
  account: string | null
  region: string
  /** ARN of the role that was taken on for it. */
  role: string | null
  vpcs: number | null
  subnets: number | null
  interfaces: number | null
  flow_logs: number | null
  security_groups: number | null
  network_acls: number | null
}

export const coverStates = ['without', 'failing', 'partial', 'unknown', 'good'] as const

/**
 * `without`: no flow log records it. `failing`: one should, and nothing of it is delivered. `partial`: it is recorded, and not all that is needed.
 * `unknown`: AWS did not tell. `good`: all traffic, every minute, with all fields.
 */
export type CoverState = (typeof coverStates)[number]

export const resourceKinds = ['vpc', 'subnet', 'interface'] as const
export type ResourceKind = (typeof resourceKinds)[number]

/** A VPC, subnet or interface, and what is recorded of it. */
export interface CoveredResource {
  what: ResourceKind
  id: string
  /** Its tag `Name`; of an interface its description. */
  name: string | null
  account: string | null
  region: string
  vpc: string | null
  subnet: string | null
  state: CoverState
  /** Reasons for the state, in words. */
  why: string[]
  /** Ids of the flow logs that record it: its own, its subnet's, its VPC's. */
  flow_logs: string[]
  /** What of its traffic they record; null: nothing, or not known. */
  traffic: 'ALL' | 'ACCEPT' | 'REJECT' | null
  /** Longest aggregation of what they record, seconds. */
  interval: number | null
  /** Fields that no record of its accepted, or of its rejected, traffic has. */
  lacks: string[]
  /** Interfaces within. */
  interfaces: number | null
  /** Whether all of this is the same for what it lies in. */
  as_around: boolean
}

export interface PostureFlowLog {
  id: string
  account: string | null
  region: string
  resource: string
  traffic: string
  /** Seconds. */
  interval: number
  /** As AWS spells them, in their order. */
  fields: string[]
  destination_type: string | null
  destination: string | null
  /** `in-part`: CloudWatch Logs throttles it, and some of its records are lost. */
  delivers: 'yes' | 'no' | 'in-part' | 'not-told'
  /** AWS's word for why it does not, or not all of it. */
  error: string | null
  /** What it cannot tell, in words; of one of a Transit Gateway, whose fields are others, only whether it delivers. */
  faults: string[]
}

/** What AWS did not tell, so that nothing is said of it. */
export interface PostureUnknown {
  account: string | null
  /** Null: which regions there are is not told. */
  region: string | null
  /** `flow logs`; `everything`, where a role could not be taken on. */
  what: string
  /** The action to allow, where that is the reason. */
  right: string | null
  problem: string
}

export type StateCounts = Record<CoverState, number> & { total: number }

export interface Posture {
  asked_at: string
  places: PosturePlace[]
  /** Of what was told. */
  resources: Record<ResourceKind, StateCounts>
  /** Those that are not `good`: what is not as what it lies in first. */
  gaps: CoveredResource[]
  gaps_total: number
  flow_logs: PostureFlowLog[]
  flow_logs_total: number
  unknown: PostureUnknown[]
}
