import { microsecondsOf } from '../net/time.ts'
import type { Draft, Evidence } from './rule.ts'
import { isInternalText, lowered, number, serverText } from './words.ts'

const bytesMin = 10_000_000

/** An internal server that answered a client outside with much data: it was fetched, not pushed. */
export async function dataServed(evidence: Evidence): Promise<Draft[]> {
  const drafts: Draft[] = []
  for (const [index, service] of evidence.services.entries()) {
    if (service.outcome !== 'answered' || service.port === null) continue
    if (!isInternalText(service.server, evidence.own) || isInternalText(service.client, evidence.own)) continue
    const out = Number(service.bytes_to_client)
    if (out < bytesMin || out < 2 * Number(service.bytes_to_server)) continue
    drafts.push({
      rule: 'data-served',
      title: `Data served in answers from ${serverText(service)}`,
      severity: 'medium',
      confidence: lowered('high', service),
      technique: 'T1213',
      technique_name: 'Data from Information Repositories',
      summary: `${serverText(service)} answered ${service.client} with ${number(service.bytes_to_client)} bytes in ${number(service.connections)} connections, for ${number(service.bytes_to_server)} bytes of requests: the client fetched it, the server did not push it.`,
      counter_hypotheses: [
        'ordinary pages, images or downloads that the server offers to anyone',
        'a search engine or an archive that reads the site',
      ],
      first_start: service.first_start,
      last_end: service.last_end,
      ...(await evidence.basis(index, microsecondsOf(service.first_start), microsecondsOf(service.last_end))),
      sql: evidence.sql(index, microsecondsOf(service.first_start), microsecondsOf(service.last_end)),
      services: [index],
    })
  }
  return drafts
}
