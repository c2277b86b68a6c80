/** What of the dossier controls answer, by the ids that its page gives. */
import type { CaseFinding } from '../detect/detect.ts'
import type { Dossier } from '../investigate/dossier.ts'
import type { AnsweredFinding, AnsweredService } from './control.ts'

/** What `detect` calls the same: of the same technique, time and hosts, if it has one such finding. */
export function answeredFinding(
  { id, rule, title, severity, confidence, technique, first_start, last_end }: Dossier['findings'][number],
  services: readonly Pick<Dossier['services'][number], 'client' | 'server' | 'findings'>[],
  detected: {
    findings: readonly Pick<CaseFinding, 'id' | 'technique' | 'first_start' | 'last_end' | 'subject' | 'peers'>[]
  } | null,
): AnsweredFinding {
  const own = services.filter(one => one.findings.includes(id))
  const hosts = new Set(own.flatMap(({ client, server }) => [client, server]))
  const same = (detected?.findings ?? []).filter(
    one =>
      one.technique === technique &&
      one.first_start === first_start &&
      one.last_end === last_end &&
      [...one.subject, ...one.peers].every(host => hosts.has(host)),
  )
  const detect_id = same.length === 1 ? same[0]!.id : null
  return { id, rule, title, severity, confidence, first_start, last_end, detect_id }
}

/** Those that a finding speaks of: what the others are, the dossier tells. */
export function answeredServices({ services }: Pick<Dossier, 'services'>): AnsweredService[] {
  return services.flatMap(({ client, server, port, protocol, outcome, connections, findings }, i) =>
    findings.length === 0 ? [] : [{ id: `S${i + 1}`, client, server, port, protocol, outcome, connections, findings }],
  )
}
