/** Rules as JSON and pages tell them. */
import type { Artefact } from '../as-code/artefact.ts'
import type { AclEntry, GroupRule, Remote, Traffic } from '../network-rules/network.ts'
import type { ToldRule } from './control.ts'

export function toldRules(artefact: Artefact): ToldRule[] {
  if (artefact.what === 'security-group') {
    const { direction, group } = artefact
    return group[direction].map(rule => groupRule(direction, rule))
  }
  if (artefact.what !== 'network-acl') return []
  return (['ingress', 'egress'] as const).flatMap(direction =>
    [...artefact[direction]].sort((a, b) => a.number - b.number).map(entry => aclEntry(direction, entry)),
  )
}

function groupRule(direction: ToldRule['direction'], rule: GroupRule): ToldRule {
  return {
    ...{ direction, number: null, action: 'allow', ...trafficOf(rule) },
    ...{ remote: remoteText(rule.remote), description: rule.description },
  }
}

function aclEntry(direction: ToldRule['direction'], entry: AclEntry): ToldRule {
  const { number, action, prefix } = entry
  return { direction, number, action, ...trafficOf(entry), remote: prefix.text, description: '' }
}

function trafficOf({
  protocol,
  ports,
  icmp,
}: Traffic): Pick<ToldRule, 'protocol' | 'from_port' | 'to_port' | 'icmp_type' | 'icmp_code'> {
  return {
    ...{ protocol, from_port: ports?.from ?? null, to_port: ports?.to ?? null },
    ...{ icmp_type: icmp?.type ?? null, icmp_code: icmp?.code ?? null },
  }
}

function remoteText(remote: Remote): string {
  if (remote.kind === 'prefix') return remote.prefix.text
  return remote.kind === 'group' ? remote.group : remote.list
}
