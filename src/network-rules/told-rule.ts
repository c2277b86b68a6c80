/** A rule of a group or an entry of an ACL as JSON and pages tell it, and as an edited answer is read back. */
export interface ToldRule {
  direction: 'ingress' | 'egress'
  /** Of a network ACL. */
  number: number | null
  action: 'allow' | 'deny'
  /** IANA's number; null: all. */
  protocol: number | null
  from_port: number | null
  to_port: number | null
  icmp_type: number | null
  icmp_code: number | null
  /** A prefix, or the id of a group or prefix list. */
  remote: string
  description: string
}
