import type { Case } from '../store/case.ts'
import { bothWaysOf } from '../store/entries.ts'
import { pulledWords } from '../store/pulled.ts'

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
  'what did not pass where the packets were captured or metered, and what a filter left out',
  'whether a firewall let an unanswered packet through: packets have no action',
  'the other names of an address that is translated on the way (NAT gateway, load balancer)',
  'content: packets are counted, not read',
]

function ofNfcapd(c: Case): string[] {
  const files = c.evidence.filter(file => file.nfcapd !== null)
  if (files.length === 0) return []
  const sampled = files.reduce((sum, file) => sum + file.nfcapd!.sampled, 0)
  return [
    'nfcapd: how connections went in detail: a flow record has the flags of all its packets together',
    ...(sampled > 0
      ? [`nfcapd: ${sampled} flow records were sampled: their counts are estimates of the exporter`]
      : []),
    ...(bothWaysOf(c) > 0
      ? [
          `nfcapd: ${bothWaysOf(c)} flow records count the way back too (out_packets, out_bytes): it is in no figure of this page`,
        ]
      : []),
  ]
}

/** Of a case that was pulled from an engine: the times of which nothing was. */
export function cutByPull({ pulled }: Pick<Case, 'pulled'>): string[] {
  if (pulled === null) return []
  const { from, to } = pulled.note
  const times = [...(from === null ? [] : [`before ${from}`]), ...(to === null ? [] : [`from ${to} on`])]
  return times.length === 0
    ? []
    : [
        `what happened ${times.join(' and ')}: records of that time were not pulled, and connections that reach into it are cut`,
      ]
}

/** Of a case that was pulled from an engine, and is looked at as a whole: whose records are not there. */
export function notPulled({ pulled }: Pick<Case, 'pulled'>): string[] {
  return pulled === null
    ? []
    : [`other records of the table than what was pulled: the case holds ${pulledWords(pulled.note)}, and no others`]
}

/** What the fields of this case's logs leave open. */
export function cannotTell(c: Case): string[] {
  if (c.source === 'packets') return [...ofNfcapd(c), ...ofPackets]
  const lacks = (name: string): boolean => !c.columns.has(name)
  const limits: string[] = []
  if (lacks('tcp_flags'))
    limits.push('no tcp-flags: who opened a connection, and whether it was refused, is judged by ports and peers')
  if (lacks('pkt_srcaddr') && lacks('pkt_dstaddr'))
    limits.push('no pkt-srcaddr or pkt-dstaddr: true ends behind NAT gateways, load balancers and pods are not seen')
  if (lacks('action')) limits.push('no action: whether traffic was let through is not recorded')
  if (lacks('flow_direction'))
    limits.push('no flow-direction: ingress and egress at the interface cannot be distinguished')
  if (lacks('instance_id'))
    limits.push('no instance-id: interfaces of instances and of gateways cannot be distinguished')
  return limits
}
