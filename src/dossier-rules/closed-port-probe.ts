import { utcSeconds } from '../net/time.ts'
import { sql } from '../query/sql.ts'
import { number } from '../rules/words.ts'
import { type Draft, type Evidence, type Found, findingsMax, type Rule, type ServiceView } from './rule.ts'
import { serverText, spanOf } from './words.ts'

const thresholds = {
  /** Distinct targets that did not answer: below, retries and mistakes look the same. */
  targetsMin: 3,
  /** Targets of a scan by any published threshold (NCSA simple-scan: 25 hosts; Zeek: 15 ports; ours: 10 distinct failed targets). */
  targetsSure: 10,
}
/** Targets of a finding whose first lines are named. */
const linesMax = 12

const tried = sql`outcome <> 'answered' AND subject_role <> 'server' AND service_port IS NOT NULL`

interface Probe {
  client_hi: bigint
  client_lo: bigint
  targets: number
  hosts: number
  ports: number
  rejected: number
  refused: number
  unanswered: number
  records: number
  /** Numbers of services: that of the first record, and those that are named. */
  first: number
  named: number[]
  /** Null where no record has a time. */
  last_us: number | null
}

/** A client that tried services which were refused, unanswered or rejected. */
export const closedPortProbe: Rule<typeof thresholds> = { name: 'closed-port-probe', thresholds, find }

async function find(evidence: Evidence, { targetsMin, targetsSure }: typeof thresholds): Promise<Found> {
  const rows = await evidence.run(sql`WITH probe AS (
      SELECT client_hi, client_lo, count(*) AS targets, count(DISTINCT (server_hi, server_lo)) AS hosts,
        count(DISTINCT (service_port, protocol)) AS ports, count(*) FILTER (outcome = 'rejected') AS rejected,
        count(*) FILTER (outcome = 'refused') AS refused, count(*) FILTER (outcome = 'unanswered') AS unanswered, sum(records) AS records,
        min(service) AS first, max(last_us) AS last_us
      FROM service WHERE ${tried} GROUP BY client_hi, client_lo HAVING count(*) >= ${targetsMin}),
    weighed AS (SELECT *, count(*) OVER () AS probes FROM probe ORDER BY targets DESC, first LIMIT ${findingsMax})
    SELECT weighed.*, min(service.service, ${linesMax}) AS named
    FROM weighed JOIN service USING (client_hi, client_lo) WHERE ${tried} GROUP BY ALL ORDER BY first`)
  const drafts = rows.map(row => {
    const probe = probeOf(row)
    return draft(evidence, probe, evidence.service(probe.first)!, targetsSure)
  })
  return { drafts, left: Number(rows[0]?.['probes'] ?? 0) - drafts.length }
}

function probeOf(row: Record<string, unknown>): Probe {
  const count = (name: string): number => Number(row[name])
  return {
    client_hi: BigInt(row['client_hi'] as number | bigint),
    client_lo: BigInt(row['client_lo'] as number | bigint),
    targets: count('targets'),
    hosts: count('hosts'),
    ports: count('ports'),
    rejected: count('rejected'),
    refused: count('refused'),
    unanswered: count('unanswered'),
    records: count('records'),
    first: count('first'),
    named: (row['named'] as { items: readonly unknown[] }).items.map(Number),
    last_us: row['last_us'] === null ? null : count('last_us'),
  }
}

function draft(evidence: Evidence, probe: Probe, first: ServiceView, targetsSure: number): Draft {
  const { targets, client_hi, client_lo, last_us } = probe
  const span = spanOf(first)
  return {
    rule: closedPortProbe.name,
    title: `Probe of ${number(targets)} services that did not answer`,
    severity: targets >= targetsSure ? 'medium' : 'low',
    confidence: targets >= targetsSure ? 'high' : 'medium',
    technique: 'T1046',
    technique_name: 'Network Service Discovery',
    summary: `${first.client} tried ${number(probe.ports)} ports on ${number(probe.hosts)} hosts without an answer: ${number(probe.rejected)} rejected by the rules, ${number(probe.refused)} refused by the host, ${number(probe.unanswered)} unanswered; the first was ${serverText(first)}.`,
    counter_hypotheses: [
      'a monitoring or inventory scanner',
      'a client with a wrong address or port',
      'answers that a sensor outside the case recorded',
    ],
    first_start: first.first_start,
    last_end: last_us === null ? null : utcSeconds(last_us),
    basis: probe.named.map(evidence.firstLine),
    basis_total: probe.records,
    sql: evidence.sql(first, span === null || last_us === null ? null : { ...span, to_us: last_us }),
    services: sql`${tried} AND client_hi = ${client_hi}::UBIGINT AND client_lo = ${client_lo}::UBIGINT`,
  }
}
