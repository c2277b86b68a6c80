import type { Draft, Evidence, Found, Rule } from './rule.ts'
import { serverText, spanOf } from './words.ts'

/** The first that is known of the subject: the earliest service, and how it ended. */
export const firstContact: Rule<Record<string, never>> = { name: 'first-contact', thresholds: {}, find }

async function find(evidence: Evidence): Promise<Found> {
  const { source } = evidence
  const [what, sensor] = source === 'logs' ? ['logs', 'sensor'] : ['packets', 'capture']
  // Services are numbered in the order of their first records.
  const index = 0
  const service = evidence.service(index)
  if (service === undefined) return { drafts: [], left: 0 }
  const seen = spanOf(service)
  const span = seen === null ? null : { from_us: seen.from_us, to_us: seen.from_us }
  const { basis } = evidence.basis(index, span)
  const draft: Draft = {
    rule: firstContact.name,
    title: `First contact with ${serverText(service)}`,
    severity: 'info',
    confidence: 'high',
    technique: null,
    technique_name: null,
    summary: `The first record of the subject ${service.first_start === null ? 'has no time' : `starts at ${service.first_start}`}: ${service.client} to ${serverText(service)} (${service.outcome}). First within this evidence; earlier contact may lie outside the ${what}.`,
    counter_hypotheses: [`earlier contact before the ${what} begin, or through a ${sensor} that is not in the case`],
    first_start: service.first_start,
    last_end: service.first_start,
    basis: basis.slice(0, 3),
    basis_total: basis.length,
    sql: evidence.sql(service, span),
    services: [index],
  }
  return { drafts: [draft], left: 0 }
}
