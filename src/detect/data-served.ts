import { microsecondsOf } from '../net/time.ts'
import { sql } from '../query/sql.ts'
import { servicesAre } from './evidence.ts'
import type { Draft, Evidence, Found, FoundService } from './rule.ts'
import { isInternalSql, lowered, number, serverText } from './words.ts'

const bytesMin = 10_000_000

/** An internal server that answered a client outside with much data: it was fetched, not pushed. */
export async function dataServed(evidence: Evidence): Promise<Found> {
  const { found, left } = await evidence.services(
    sql`outcome = 'answered' AND service_port IS NOT NULL AND ${isInternalSql('server', evidence.own)} AND NOT ${isInternalSql('client', evidence.own)}
      AND bytes_to_client >= ${bytesMin} AND bytes_to_client >= 2 * bytes_to_server`,
    'bytes_to_client DESC',
  )
  const drafts: Draft[] = []
  for (const one of found) drafts.push(await draft(evidence, one))
  return { drafts, left }
}

async function draft(evidence: Evidence, { index, service }: FoundService): Promise<Draft> {
  const from = microsecondsOf(service.first_start)
  const to = microsecondsOf(service.last_end)
  return {
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
    ...(await evidence.basis(index, from, to)),
    sql: evidence.sql(service, from, to),
    services: servicesAre([index]),
  }
}
