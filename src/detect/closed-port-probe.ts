import { microsecondsOf } from '../net/time.ts'
import type { Basis } from './finding.ts'
import type { Draft, Evidence } from './rule.ts'
import { number, serverText } from './words.ts'

/** Distinct targets that did not answer, from which on a client probes: below, retries and mistakes look the same. */
const targetsMin = 3
/** From here on a scan by any published threshold (NCSA simple-scan: 25 hosts; Zeek: 15 ports; ours: 10 distinct failed targets). */
const targetsSure = 10

/** A client that tried services which were refused, unanswered or rejected. */
export async function closedPortProbe(evidence: Evidence): Promise<Draft[]> {
  const byClient = new Map<string, number[]>()
  for (const [i, service] of evidence.services.entries()) {
    if (service.outcome === 'answered' || service.subject_role === 'server' || service.port === null) continue
    byClient.set(service.client, [...(byClient.get(service.client) ?? []), i])
  }
  const drafts: Draft[] = []
  for (const [client, indexes] of byClient)
    if (indexes.length >= targetsMin) drafts.push(await draft(evidence, client, indexes))
  return drafts
}

async function draft(evidence: Evidence, client: string, indexes: number[]): Promise<Draft> {
  const tried = indexes.map(i => evidence.services[i]!)
  const count = (outcome: string): number => tried.filter(service => service.outcome === outcome).length
  const hosts = new Set(tried.map(service => service.server)).size
  const ports = new Set(tried.map(service => `${service.port}/${service.protocol}`)).size
  const first = tried.reduce((a, b) => (microsecondsOf(a.first_start) <= microsecondsOf(b.first_start) ? a : b))
  const last = tried.reduce((a, b) => (microsecondsOf(a.last_end) >= microsecondsOf(b.last_end) ? a : b))
  const basis: Basis[] = []
  let total = 0
  for (const i of indexes.slice(0, 12)) {
    const one = await evidence.basis(i, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    basis.push(...one.basis.slice(0, 1))
  }
  for (const service of tried) total += service.records
  return {
    rule: 'closed-port-probe',
    title: `Probe of ${number(indexes.length)} services that did not answer`,
    severity: indexes.length >= targetsSure ? 'medium' : 'low',
    confidence: indexes.length >= targetsSure ? 'high' : 'medium',
    technique: 'T1046',
    technique_name: 'Network Service Discovery',
    summary: `${client} tried ${number(ports)} ports on ${number(hosts)} hosts without an answer: ${number(count('rejected'))} rejected by the rules, ${number(count('refused'))} refused by the host, ${number(count('unanswered'))} unanswered; the first was ${serverText(first)}.`,
    counter_hypotheses: [
      'a monitoring or inventory scanner',
      'a client with a wrong address or port',
      'answers that a sensor outside the case recorded',
    ],
    first_start: first.first_start,
    last_end: last.last_end,
    basis,
    basis_total: total,
    sql: evidence.sql(indexes[0]!, microsecondsOf(first.first_start), microsecondsOf(last.last_end)),
    services: indexes,
  }
}
