import { sql } from '../query/sql.ts'
import type { Confidence, Severity } from '../rules/finding.ts'
import { number } from '../rules/words.ts'
import {
  type Draft,
  type Evidence,
  type Found,
  type FoundService,
  type Rule,
  roleConfidenceMin,
  type ServiceView,
} from './rule.ts'
import { boundText, isInternalSql, lowered, serverText, spanOf } from './words.ts'

/** (out - in) / (out + in): 1 is all out, 0 balanced (producer/consumer ratio, Bullard and Gerth 2014). */
const thresholds = {
  /** Bytes out. */
  bytesMin: 1_000_000,
  /** From here on it is sure: 100 MB in one connection (Slips), in whatever time here. */
  bytesHigh: 100_000_000,
  /** Producer/consumer ratio: three quarters of the bytes go out. */
  ratioMin: 0.5,
  /** Published for a new peer. */
  ratioHigh: 0.8,
  roleConfidenceMin,
}

/** An internal host that connected outward and sent much more than it got, to a port that is no approved service. */
export const dataPushedOut: Rule<typeof thresholds> = { name: 'data-pushed-out', thresholds, find }

async function find(evidence: Evidence, limits: typeof thresholds): Promise<Found> {
  const { found, left } = await evidence.services(
    sql`outcome = 'answered' AND standard IS NOT TRUE AND service_port IS NOT NULL
      AND ${isInternalSql('client', evidence.own)} AND NOT ${isInternalSql('server', evidence.own)} AND bytes_to_server >= ${limits.bytesMin}
      AND (bytes_to_server - bytes_to_client) >= ${limits.ratioMin} * (bytes_to_server + bytes_to_client)`,
    'bytes_to_server DESC',
  )
  return { drafts: found.map(one => draft(evidence, one, limits)), left }
}

function producerRatio(service: ServiceView): number {
  const out = Number(service.bytes_to_server)
  const back = Number(service.bytes_to_client)
  return out + back === 0 ? 0 : (out - back) / (out + back)
}

function draft(evidence: Evidence, { index, service }: FoundService, limits: typeof thresholds): Draft {
  const ratio = producerRatio(service)
  const span = spanOf(service)
  const large = Number(service.bytes_to_server) >= limits.bytesHigh && ratio >= limits.ratioHigh
  const severity: Severity = large ? 'high' : 'medium'
  const confidence: Confidence = large ? 'high' : 'medium'
  const named = service.name
    ? `registered at IANA as ${service.name}, but not among the approved ports`
    : 'not registered at IANA'
  return {
    rule: dataPushedOut.name,
    title: `Data pushed out to non-standard port ${service.port} of ${service.server}`,
    severity,
    confidence: lowered(confidence, service, limits.roleConfidenceMin),
    technique: 'T1048',
    technique_name: 'Exfiltration Over Alternative Protocol',
    summary: `${service.client} connected out to ${serverText(service)} ${number(service.connections)} ${service.connections === 1 ? 'time' : 'times'} and sent ${number(service.bytes_to_server)} bytes while it got ${number(service.bytes_to_client)} (producer/consumer ratio ${ratio.toFixed(2)}).${boundText(service)} The port is ${named}.`,
    counter_hypotheses: [
      'a backup, log shipping or replication to a known partner on this port',
      'an upload by a user',
      'volume alone does not prove what was in it',
    ],
    first_start: service.first_start,
    last_end: service.last_end,
    ...evidence.basis(index, span),
    sql: evidence.sql(service, span),
    services: [index],
  }
}
