/** The dossier as JSON that a script can hold: of long lists the items that weigh most, and how many there are. */

import type { Correlation, Dossier, Finding, Outcome, PortRow, ServiceKey } from '../investigate/dossier.ts'
import { severities } from '../rules/finding.ts'

/** Items of each list, unless all are asked for. */
export const listedMax = 1000

interface Extent {
  total: number
  shown: number
}

/** The lists that may be cut, with how much of each is shown. */
export interface DossierJson extends Dossier {
  listed: Record<'services' | 'ports' | 'findings' | 'correlation' | 'coverage' | Outcome, Extent>
}

const outcomes = ['answered', 'refused', 'unanswered', 'rejected'] as const

/** @param most items of each list; services are as many as the dossier has. */
export function dossierJson(d: Dossier, most = listedMax): DossierJson {
  const ports = heaviestPorts(d, most)
  const findings = gravest(d.findings, most)
  const left = new Map(d.findings_other.map(({ rule, count }) => [rule, count]))
  const kept = new Set(findings.map(finding => finding.id))
  for (const { id, rule } of d.findings) if (!kept.has(id)) left.set(rule, (left.get(rule) ?? 0) + 1)
  const correlation = d.correlation.slice(0, most)
  const coverage = d.coverage.slice(0, most)
  const surface = surfaceOf(d, most)
  const findingsTotal = findings.length + [...left.values()].reduce((sum, count) => sum + count, 0)
  return {
    ...d,
    listed: {
      services: { total: d.services.length + d.services_other.count, shown: d.services.length },
      ports: { total: d.ports.length, shown: ports.length },
      findings: { total: findingsTotal, shown: findings.length },
      correlation: { total: connectionsOf(d.correlation_summary), shown: correlation.length },
      coverage: { total: d.coverage.length + d.not_listed.coverage, shown: coverage.length },
      ...surface.extents,
    },
    ports,
    findings,
    findings_other: [...left].map(([rule, count]) => ({ rule, count })),
    correlation,
    correlation_summary: d.correlation_summary && { ...d.correlation_summary, listed: correlation.length },
    coverage,
    not_listed: { ...d.not_listed, coverage: d.not_listed.coverage + d.coverage.length - coverage.length },
    attack_surface: { ...d.attack_surface, ...surface.keys, not_listed: surface.left },
    work: d.work.filter(({ figure }) => !/^F\d+: /.test(figure) || kept.has(figure.slice(0, figure.indexOf(':')))),
  }
}

/** Ports of listed services, then those with the most bytes; in their order. */
function heaviestPorts({ ports, services }: Dossier, most: number): PortRow[] {
  if (ports.length <= most) return ports
  const known = new Set(services.map(service => `${service.port}/${service.protocol}`))
  const weight = ({ as_source, as_destination }: PortRow): number =>
    Number(as_source.bytes) + Number(as_destination.bytes)
  const isKnown = (row: PortRow): number => (known.has(`${row.port}/${row.protocol}`) ? 1 : 0)
  const chosen = [...ports].sort((a, b) => isKnown(b) - isKnown(a) || weight(b) - weight(a)).slice(0, most)
  return chosen.sort((a, b) => a.protocol - b.protocol || a.port - b.port)
}

/** The most severe, in their order. */
function gravest(findings: readonly Finding[], most: number): Finding[] {
  if (findings.length <= most) return [...findings]
  const place = new Map(findings.map((finding, i) => [finding, i]))
  const rank = ({ severity }: Finding): number => severities.indexOf(severity)
  const chosen = [...findings].sort((a, b) => rank(b) - rank(a)).slice(0, most)
  return chosen.sort((a, b) => place.get(a)! - place.get(b)!)
}

function surfaceOf({ attack_surface: all }: Dossier, most: number) {
  const keys = {} as Record<Outcome, ServiceKey[]>
  const left = {} as Record<Outcome, number>
  const extents = {} as Record<Outcome, Extent>
  for (const outcome of outcomes) {
    keys[outcome] = all[outcome].slice(0, most)
    const total = all[outcome].length + all.not_listed[outcome]
    left[outcome] = total - keys[outcome].length
    extents[outcome] = { total, shown: keys[outcome].length }
  }
  return { keys, left, extents }
}

function connectionsOf(found: Correlation | null): number {
  return found === null ? 0 : found.full + found.time + found.log_only + found.capture_only
}
