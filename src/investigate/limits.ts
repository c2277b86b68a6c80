import type { Case } from '../store/case.ts'

/** What VPC flow logs never contain (AWS, "Flow log limitations"). */
export const notLogged: string[] = [
  'DNS queries to the Amazon resolver (those to other resolvers are logged)',
  'the instance metadata service 169.254.169.254 and the time service 169.254.169.123',
  'DHCP, ARP and Windows licence activation',
  'traffic to the reserved address of the VPC router, and between an endpoint interface and a network load balancer',
  'mirrored traffic, at its source',
  'anything inside a packet: flow records hold no content, no names, no URLs, no user names',
]

const ofPackets = [
  'what did not pass where the packets were captured, and what the capture filter left out',
  'whether a firewall let an unanswered packet through: a capture has no action',
  'the other names of an address that is translated on the way (NAT gateway, load balancer)',
  'content: packets are counted, not read',
]

/** What the fields of this case's logs leave open. */
export function cannotTell(c: Case): string[] {
  if (c.source === 'packets') return ofPackets
  const lacks = (name: string): boolean => !c.columns.has(name)
  const limits: string[] = []
  if (lacks('tcp_flags'))
    limits.push('no tcp-flags: who opened a connection, and whether it was refused, is judged by ports and peers')
  if (lacks('pkt_srcaddr') && lacks('pkt_dstaddr'))
    limits.push('no pkt-srcaddr or pkt-dstaddr: true ends behind NAT gateways, load balancers and pods are not seen')
  if (lacks('action')) limits.push('no action: whether traffic was let through is not recorded')
  if (lacks('flow_direction')) limits.push('no flow-direction: ingress and egress at the interface are not told apart')
  if (lacks('instance_id')) limits.push('no instance-id: interfaces of instances and of gateways are not told apart')
  return limits
}
