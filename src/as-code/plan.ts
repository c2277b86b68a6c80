/** What is to be written, whatever the format: names, variables and values that AWS takes, and which part refers to which. */
import type { PortRange } from '../network-rules/network.ts'
import type { Artefact, MetricAlarm } from './artefact.ts'

/** A control, as far as its code tells of it. */
export interface CodeItem {
  id: string
  title: string
  why: string
  /** What it costs: money, work, or what it forbids. */
  cost: string
  /** What to confirm before it is put in place. */
  confirm: readonly string[]
  /** What became of the recorded flows under it, in sentences; none where it was not tried. */
  tried: readonly string[]
  artefact: Artefact
}

/** Where the evidence is from; null: not told. */
export interface CodeContext {
  region: string | null
  account: string | null
  vpc: string | null
}

/** What the reader of the code fills in, or leaves as the evidence tells it. */
export interface Variable {
  /** Words in lower case: `vpc_id`. Formats write it in their own way. */
  name: string
  about: string
  /** The evidence's; null: not told. */
  value: string | null
  /** `text`: must not be empty; `optional`: may be; `flag`: no unless said; `action`: `count` or `block`. */
  kind: 'text' | 'optional' | 'flag' | 'action'
}

/** A text of the code, a variable, or the id of what the code itself makes. */
export type Value = string | Variable | { made: string }

export interface PlannedRule {
  key: string
  /** As EC2 names it: `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all. */
  protocol: string
  /** Ports, or type and code of ICMP, of which -1 is any; null where the protocol has neither. */
  range: PortRange | null
  remote: { kind: 'ipv4' | 'ipv6'; cidr: string } | { kind: 'prefix-list' | 'group'; id: Value }
  description: string
}

export interface PlannedEntry {
  key: string
  egress: boolean
  number: number
  action: 'allow' | 'deny'
  /** -1: all. */
  protocol: number
  ports: PortRange | null
  /** -1: any. */
  icmp: { type: number; code: number } | null
  cidr: string
  ipv6: boolean
}

/** A part that something must be put on by hand, or by a variable that says so. */
export interface Attached {
  /** True only once someone decided it; null where the format cannot do it. */
  attach: Variable | null
  targets: Variable[]
  /** Ids and addresses. */
  told: string[]
}

interface Of {
  item: CodeItem
  /** Begins the names of all that belongs to the part: `c1`. */
  key: string
}

export interface GroupPart extends Of, Attached {
  what: 'security-group'
  name: string
  description: string
  vpc: Variable
  direction: 'ingress' | 'egress'
  rules: PlannedRule[]
}

export interface AclPart extends Of, Attached {
  what: 'network-acl'
  name: string
  vpc: Variable
  entries: PlannedEntry[]
}

export interface AlarmPart extends Of {
  what: 'metric-alarm'
  alarm: MetricAlarm
  name: string
  description: string
  logGroup: Variable
  namespace: string
  metric: string
  /** Null: the alarm watches a metric that AWS counts itself. */
  filter: { name: string; pattern: string; value: string } | null
  threshold: string
  topic: Variable
}

export interface RatePart extends Of {
  what: 'rate-rule'
  name: string
  limit: number
  window: number
  action: Variable
  /** ARN of the load balancer or API; empty: the web ACL stands before nothing. */
  target: Variable
  servers: string[]
}

export interface FlowLogPart extends Of {
  what: 'flow-log'
  name: string
  format: string
  interval: number
  resource: Variable
  resourceType: 'VPC' | 'Subnet' | 'NetworkInterface'
  bucket: Variable
}

export type Part = GroupPart | AclPart | AlarmPart | RatePart | FlowLogPart

export interface Plan {
  region: Variable | null
  account: Variable | null
  variables: readonly Variable[]
  parts: Part[]
  /** Items that are not code. */
  advice: CodeItem[]
}
