/** What code is made of: rules of networks, alarms, flow logs. What the evidence does not tell is a variable of the code. */
import type { AclEntry, SecurityGroup } from '../network-rules/network.ts'

/** A metric that CloudWatch Logs counts in the events of a flow log, and the alarm on it. */
export interface MetricAlarm {
  what: 'metric-alarm'
  name: string
  /** Space-delimited filter pattern, in the order of fields of these logs; null where the alarm needs none, as it watches the log group itself. */
  pattern: string | null
  /** A number, or a field of the pattern: `$bytes`. */
  value: string
  statistic: 'Sum' | 'SampleCount' | 'Maximum'
  comparison:
    | 'GreaterThanThreshold'
    | 'GreaterThanOrEqualToThreshold'
    | 'LessThanThreshold'
    | 'LessThanOrEqualToThreshold'
  threshold: number
  /** Seconds. */
  period: number
  periods: number
  /** How many of them must breach the threshold; all, where that is absent. */
  datapoints?: number
  missing: 'notBreaching' | 'breaching' | 'missing'
  /** Unit of the value, as CloudWatch names it. */
  unit: 'Bytes' | 'Count'
}

/** What code is written from. */
export type Artefact =
  | {
      what: 'security-group'
      /** Only one of its directions is of the control; the other is to stay as it is. */
      direction: 'ingress' | 'egress'
      group: SecurityGroup
      /** Addresses and interfaces that it is for. */
      addresses: string[]
      interfaces: string[]
    }
  | {
      what: 'network-acl'
      ingress: AclEntry[]
      egress: AclEntry[]
      /** Ids where the evidence tells them, and the addresses that it is for. */
      subnets: string[]
      addresses: string[]
    }
  | MetricAlarm
  | {
      /** A rate-based rule of AWS WAF: requests of an address in `window` seconds. */
      what: 'rate-rule'
      name: string
      limit: number
      window: number
      /** Servers that it stands before. */
      servers: string[]
    }
  | {
      what: 'flow-log'
      /** The fields, in order, as `${field}` names them without the braces. */
      fields: string[]
      /** Seconds: 60 or 600. */
      interval: number
      traffic: 'ALL'
      /** Id of the VPC, subnet or interface where the evidence tells it. */
      resource: string | null
      resourceType: 'VPC' | 'Subnet' | 'NetworkInterface'
    }
  | { what: 'advice' }

export type CodeFormat = 'terraform' | 'cloudformation' | 'aws_cli'
export const codeFormats: readonly CodeFormat[] = ['terraform', 'cloudformation', 'aws_cli']
