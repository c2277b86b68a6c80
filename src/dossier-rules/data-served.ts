import { sql } from '../query/sql.ts'
import { number } from '../rules/words.ts'
import { type Draft, type Evidence, type Found, type FoundService, type Rule, roleConfidenceMin } from './rule.ts'
import { boundText, isInternalSql, lowered, serverText, spanOf } from './words.ts'

const thresholds = {
  /** Bytes in answers: below, pages and images are everyday. */
  bytesMin: 10_000_000,
  /** Times the bytes of the requests: what was fetched outweighs what was asked. */
  answerTimes: 2,
  roleConfidenceMin,
}

/** An internal server that answered a client outside with much data: it was fetched, not pushed. */
export const dataServed: Rule<typeof thresholds> = { name: 'data-served', thresholds, find }

async function find(evidence: Evidence, limits: typeof thresholds): Promise<Found> {
  const { found, left } = await evidence.services(
    sql`outcome = 'answered' AND service_port IS NOT NULL AND ${isInternalSql('server', evidence.own)} AND NOT ${isInternalSql('client', evidence.own)}
      AND bytes_to_client >= ${limits.bytesMin} AND bytes_to_client >= ${limits.answerTimes} * bytes_to_server`,
    'bytes_to_client DESC',
  )
  return { drafts: found.map(one => draft(evidence, one, limits)), left }
}

function draft(evidence: Evidence, { index, service }: FoundService, limits: typeof thresholds): Draft {
  const span = spanOf(service)
  return {
    rule: dataServed.name,
    title: `Data served in answers from ${serverText(service)}`,
    severity: 'medium',
    confidence: lowered('high', service, limits.roleConfidenceMin),
    technique: null,
    technique_name: null,
    summary: `${serverText(service)} answered ${service.client} with ${number(service.bytes_to_client)} bytes in ${number(service.connections)} connections, for ${number(service.bytes_to_server)} bytes of requests: the client fetched it, the server did not push it.${boundText(service)}`,
    counter_hypotheses: [
      'ordinary pages, images or downloads that the server offers to anyone',
      'a search engine or an archive that reads the site',
    ],
    first_start: service.first_start,
    last_end: service.last_end,
    ...evidence.basis(index, span),
    sql: evidence.sql(service, span),
    services: [index],
  }
}
