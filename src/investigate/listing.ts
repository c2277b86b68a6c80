/**
 * Which services a dossier lists, and what the others come to (docs/reference/dossier.md, section 5).
 *
 * A flood makes as many services as it has forged sources: what is not listed is summed, exactly.
 */
import type { AllFound } from '../detect/rules.ts'
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import { rawSql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { AttackSurface, Count, Outcome, ServiceKey, ServiceRow, ServicesOther } from './dossier.ts'
import { readServices } from './services.ts'

/** Services that are listed unless more are asked for. */
export const defaultServicesMax = 10_000
/** Services of a finding that are listed in any case: those whose lines its basis names. */
const ofFinding = 12
/** Of the services with the most bytes either way, so many are listed in any case: the page begins with them. */
const largest = 2
const outcomes = ['answered', 'refused', 'unanswered', 'rejected'] as const satisfies readonly Outcome[]

/** Makes `service_finding` (which finding speaks of which service) and `listed` (which services are listed, and at which place). */
export async function chooseServices(c: Case, findings: AllFound['findings'], servicesMax: number): Promise<void> {
  await c.db.run(
    'CREATE OR REPLACE TEMP TABLE service_finding(service BIGINT, finding INTEGER, severity INTEGER, nth BIGINT)',
  )
  for (const [i, finding] of findings.entries()) {
    const severity = ['info', 'low', 'medium', 'high'].indexOf(finding.severity)
    const spokenOf = sql`INSERT INTO service_finding
      SELECT service, ${i}::INTEGER, ${severity}::INTEGER, row_number() OVER (ORDER BY service) FROM service WHERE ${finding.services}`
    await c.db.run(spokenOf.text, spokenOf.values)
  }
  const [row] = await c.db.rows('SELECT count(*) AS n FROM service')
  if (Number(row?.['n']) <= servicesMax) {
    await c.db.run('CREATE OR REPLACE TEMP TABLE listed AS SELECT service, service AS place FROM service')
    return
  }
  const most = (column: string): string =>
    `SELECT * FROM (SELECT service FROM service ORDER BY ${column} DESC, service LIMIT ${largest})`
  await c.db.run(`CREATE OR REPLACE TEMP TABLE listed AS SELECT service, row_number() OVER (ORDER BY service) - 1 AS place FROM (
      SELECT * FROM (
        SELECT service FROM service LEFT JOIN (SELECT service, max(severity) AS severity FROM service_finding GROUP BY service) f USING (service)
        ORDER BY severity DESC NULLS LAST, list_position([${outcomes.map(one => `'${one}'`).join(', ')}], outcome),
          bytes_to_server + bytes_to_client DESC, connections DESC, service LIMIT ${servicesMax})
      UNION SELECT service FROM service_finding WHERE nth <= ${ofFinding}
      UNION ${most('bytes_to_server')} UNION ${most('bytes_to_client')})`)
}

/** The services of `listed` in the order of their places, with the findings that speak of them. */
export async function listedServices(c: Case, findings: AllFound['findings']): Promise<ServiceRow[]> {
  const listed = await readServices(
    c,
    rawSql('SELECT service.* FROM service JOIN listed USING (service) ORDER BY service'),
  )
  const rows = await c.db.rows(
    'SELECT place, finding FROM service_finding JOIN listed USING (service) ORDER BY place, finding',
  )
  for (const row of rows) listed[Number(row['place'])]!.service.findings.push(findings[Number(row['finding'])]!.id)
  return listed.map(({ service }) => service)
}

/** How many services each finding speaks of, in the order of the findings. */
export async function servicesOfFindings(c: Case, findings: AllFound['findings']): Promise<number[]> {
  const counts = findings.map(() => 0)
  const rows = await c.db.rows('SELECT finding, count(*) AS n FROM service_finding GROUP BY finding')
  for (const row of rows) counts[Number(row['finding'])] = Number(row['n'])
  return counts
}

/** The services that are not listed, together. */
export async function otherServices(c: Case): Promise<ServicesOther> {
  const sums = ['records', 'rejected', 'connections', 'bytes_to_server', 'bytes_to_client']
  const [row] = await c.db.rows(`SELECT count(*) AS count,
      ${[...sums, 'packets_to_server', 'packets_to_client'].map(name => `coalesce(sum(${name}), 0) AS ${name}`).join(', ')},
      min(first_us) AS first_us, max(last_us) AS last_us,
      ${outcomes.map(one => `count(*) FILTER (outcome = '${one}') AS ${one}`).join(', ')}
    FROM service ANTI JOIN listed USING (service)`)
  const count = (name: string): number => Number(row![name])
  const time = (name: string): string | null => (row![name] === null ? null : utcSeconds(count(name)))
  return {
    count: count('count'),
    records: count('records'),
    rejected: count('rejected'),
    connections: count('connections'),
    bytes_to_server: row!['bytes_to_server'] as Count,
    bytes_to_client: row!['bytes_to_client'] as Count,
    packets_to_server: row!['packets_to_server'] as Count,
    packets_to_client: row!['packets_to_client'] as Count,
    first_start: time('first_us'),
    last_end: time('last_us'),
    outcomes: countsOf(count),
  }
}

/** What was reached and what was only tried: of each outcome the keys with the most bytes, in the order in which they were first seen. */
export async function attackSurface(c: Case, keysMax: number): Promise<Omit<AttackSurface, 'complete' | 'gaps'>> {
  await c.db.run(`CREATE OR REPLACE TEMP TABLE surface AS
    SELECT outcome, server_hi, server_lo, service_port, protocol, min(service) AS first, sum(bytes_to_server + bytes_to_client) AS bytes,
      sum(connections) AS connections
    FROM service GROUP BY outcome, server_hi, server_lo, service_port, protocol`)
  const keys: Record<Outcome, ServiceKey[]> = { answered: [], refused: [], unanswered: [], rejected: [] }
  const left = { answered: 0, refused: 0, unanswered: 0, rejected: 0 }
  for (const outcome of outcomes) {
    const [all] = await c.db.rows('SELECT count(*) AS n FROM surface WHERE outcome = ?', [outcome])
    const rows = await c.db.rows(
      `SELECT * FROM (SELECT * FROM surface WHERE outcome = ? ORDER BY bytes DESC, connections DESC, first LIMIT ${keysMax}) ORDER BY first`,
      [outcome],
    )
    keys[outcome] = rows.map(row => ({
      server: formatAddress(BigInt(row['server_hi'] as Count), BigInt(row['server_lo'] as Count)),
      port: row['service_port'] === null ? null : Number(row['service_port']),
      protocol: Number(row['protocol']),
    }))
    left[outcome] = Number(all!['n']) - rows.length
  }
  return { ...keys, not_listed: left }
}

function countsOf(count: (name: string) => number): Record<Outcome, number> {
  return {
    answered: count('answered'),
    refused: count('refused'),
    unanswered: count('unanswered'),
    rejected: count('rejected'),
  }
}
