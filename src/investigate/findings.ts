/** What rules find of a subject, as its dossier tells it. */

import { bytesOfColumns, type CaseConnections, columnsOf, inOrder } from '../conversations/connections.ts'
import type { Chained } from '../conversations/conversations.ts'
import { emptyFacts, FactCounter, seenIn } from '../conversations/host-facts.ts'
import { internalHosts } from '../conversations/hosts.ts'
import { intervalOf, shortestInterval } from '../conversations/intervals.ts'
import { requireMemory } from '../conversations/memory.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import type { Prefix } from '../net/prefix.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import { trusted } from '../query/build.ts'
import { type CaseEvidence, evidenceOf, fieldsOf } from '../rules/evidence.ts'
import { type CaseRule, distinct, type Score } from '../rules/rule.ts'
import { type FoundDraft, findOfSubject, gravest } from '../rules/subject-run.ts'
import type { Case } from '../store/case.ts'
import { isMetered } from '../store/reports.ts'
import type { Dossier, Finding } from './dossier.ts'
import { sqlOf } from './finding-sql.ts'
import type { LineReader } from './lines.ts'
import { partOfFlows } from './selection.ts'
import { standardPorts, type ToldServices } from './services.ts'

/** A finding, and what it rests on. */
export interface FoundFinding {
  finding: Finding
  /** Numbers of the services that it speaks of, in order; of those whose records in its time are its evidence; of its connections. */
  services: Uint32Array
  restsOn: Uint32Array
  connections: Uint32Array
  /** What the rule measured, beside its thresholds, and what would have made it silent. */
  scores: Score[]
  would_change: string
  tactic: FoundDraft['tactic']
}

export interface AllFound {
  findings: FoundFinding[]
  /** What rules found beyond those that are told singly. */
  others: Dossier['findings_other']
}

export interface Subject {
  mine: SubjectRecords
  chained: Chained
  told: ToldServices
  lines: LineReader
  /** The analyst's own prefixes, beside the private ones. */
  own: readonly Prefix[]
  /** Ports whose use the analyst approves of. */
  approved: readonly number[]
  /** A condition for the records that are asked for; null: all. */
  part: string | null
}

/** Runs rules. Findings come in order of time and are numbered F1, F2, … in that order. */
export function findingsOf(c: Case, subject: Subject, rules: readonly CaseRule[]): AllFound {
  const { chained, told, lines, part } = subject
  const evidence = evidenceIn(c, subject)
  const isTimed = Number.isFinite(evidence.connections.start_us[0] ?? 0)
  const able = isTimed ? rules : rules.filter(rule => rule.withoutTime === true)
  const { listed, others } = gravest(findOfSubject(evidence, able))
  const { place, records } = evidence.connections
  const flows = trusted(partOfFlows(c, part), [])
  const findings = listed.map((found, i) => {
    const { connections: on, timed = on } = found
    const numbers = Uint32Array.from(on, one => chained.connectionOf[place[one]!]!)
    const servicesOf = (some: readonly number[]): Uint32Array =>
      Uint32Array.from(distinct(some.map(one => told.services.serviceOf[chained.connectionOf[place[one]!]!]!)))
    const services = servicesOf(on)
    const finding: Finding = {
      ...shown(found, `F${i + 1}`),
      basis: lines.some(numbers),
      basis_total: on.reduce((sum, one) => sum + records[one]!, 0),
      services_total: services.length,
      sql: sqlOf(evidence, { ...found, port: onlyPort(evidence, timed) }, flows),
    }
    const { scores, would_change, tactic } = found
    return { finding, services, restsOn: servicesOf(timed), connections: numbers, scores, would_change, tactic }
  })
  return { findings, others }
}

/** The port of connections; null where they have several. */
function onlyPort({ connections: { port } }: CaseEvidence, some: readonly number[]): number | null {
  const first = port[some[0]!]!
  return some.every(i => port[i] === first) ? first : null
}

function shown(found: FoundDraft, id: string): Omit<Finding, 'basis' | 'basis_total' | 'services_total' | 'sql'> {
  const { rule, title, severity, confidence, technique, technique_name, summary, counter_hypotheses } = found
  return {
    ...{ id, rule, title, severity, confidence, technique, technique_name, summary, counter_hypotheses },
    ...{ first_start: timeOf(found.from_us), last_end: timeOf(found.to_us) },
  }
}

/** Null where no record tells it. */
function timeOf(time_us: number): string | null {
  return Number.isFinite(time_us) ? utcSeconds(time_us) : null
}

/** What rules read. */
function evidenceIn(c: Case, { mine, chained, own, approved }: Subject): CaseEvidence {
  const { dictionaries, isSubject } = mine
  const { hosts, vantages } = dictionaries
  const fields = fieldsOf(c)
  const span = spanOf(c)
  const { count } = chained.table
  // As they are, in order, and what puts them in order.
  requireMemory(count, 3 * count * bytesOfColumns)
  const columns = (withoutTime: boolean): CaseConnections =>
    inOrder(columnsOf(chained, { hasFlags: fields.hasFlags, hosts, withoutTime }))
  const timed = columns(false)
  const connections = timed.count > 0 ? timed : columns(true)
  const isInternal = internalHosts(hosts, own)
  const facts = emptyFacts(hosts.count)
  new FactCounter(facts, isInternal).add(connections)
  return evidenceOf({
    ...{ source: c.source, hosts, ...fields },
    connections,
    subject: isSubject,
    ...{ isInternal, facts, seen: seenIn(connections), lists: null },
    ...{ isScanner: () => false, isAdministration: () => false },
    isApproved: standardPorts(approved),
    ...{ interval_us: intervalOf(c.source, vantages), shortest_us: shortestInterval(c.source, vantages) },
    ...(span !== null && { caseSpan: span }),
  })
}

/** From the first record of the case to the last one; null where none has a time. */
function spanOf(c: Case): CaseEvidence['span'] | null {
  const files = c.evidence.filter(file => isMetered(file) === (c.source === 'packets'))
  const times = (name: 'first_start' | 'last_end'): number[] =>
    files.flatMap(file => (file[name] === null ? [] : [microsecondsOf(file[name])]))
  const [starts, ends] = [times('first_start'), times('last_end')]
  if (starts.length === 0 || ends.length === 0) return null
  return {
    from_us: starts.reduce((least, one) => Math.min(least, one)),
    to_us: ends.reduce((most, one) => Math.max(most, one)),
  }
}
