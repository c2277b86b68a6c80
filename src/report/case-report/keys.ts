/** A name of a finding that stays the same when evidence is added: `F5` may then be another one. */
import type { CaseFinding } from '../../detect/detect.ts'
import type { Dossier, Finding } from '../../investigate/dossier.ts'
import { protocolText } from '../../net/protocols.ts'
import { endpointText } from '../names.ts'

/** The key, and when the finding began, which tells those apart that share one. */
export interface FindingKey {
  key: string
  first_start: string | null
}

/** More services or hosts than these may become more with more evidence: they are no part of a key. */
const namedMax = 3

/** Rule, subjects, and the few services that it speaks of. */
export function dossierKey({ subject, services }: Pick<Dossier, 'subject' | 'services'>, finding: Finding): FindingKey {
  const own = services.filter(service => service.findings.includes(finding.id))
  const ends = distinct(
    own.map(({ client, server, port, protocol }) =>
      `${client} to ${endpointText(server, port)} ${protocolText(protocol)}`.trimEnd(),
    ),
  )
  return keyOf(finding, subject, finding.services_total > own.length ? [] : ends)
}

/** Rule, subjects and peers. */
export function caseKey(finding: CaseFinding): FindingKey {
  return keyOf(finding, finding.subject, finding.peers_total > namedMax ? [] : distinct(finding.peers))
}

function keyOf(
  { rule, first_start }: Pick<Finding, 'rule' | 'first_start'>,
  subject: readonly string[],
  others: readonly string[],
): FindingKey {
  const who = subject.length > namedMax ? [] : distinct(subject)
  const whom = others.length === 0 || others.length > namedMax ? [] : [others.join(', ')]
  return { key: [rule, ...(who.length === 0 ? [] : [who.join(', ')]), ...whom].join(' | '), first_start }
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}
