/** Answers: what detect finds. */
import { type CaseFinding, type Detections, detect } from '../../detect/detect.ts'
import { overlaps } from '../../filter/within.ts'
import { list, paragraph } from '../../report/block.ts'
import { caseKey } from '../../report/case-report/keys.ts'
import { findingEntry, undecidedItems, verdict } from '../../report/detections.ts'
import { severities } from '../../rules/finding.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { detectCommand } from '../command-line.ts'
import type { FindingsAnswer, FindingsAsk, FoundInCase, SuspectInCase } from '../contract/findings.ts'
import type { PageBlock } from '../contract/host.ts'
import type { WithLists } from '../list-jobs.ts'
import { writeLists } from '../page-file.ts'
import { placing } from './placing.ts'

/** Addresses that a finding, or a host, names on the page. */
const addressesMax = 50

async function findingsAnswer(
  c: Case,
  { own, path }: FindingsAsk & { path: string },
  { signal, progress }: WorkContext,
): Promise<WithLists<Omit<FindingsAnswer, 'id'>>> {
  progress({ doing: 'looking for who behaves like an attacker', done: null, of: null })
  const found = await detect(c, { internal: own, numbered: true, signal })
  const { findings, hosts, findings_other } = found
  const placed = placing(c)
  const captures = c.evidence.some(file => file.capture !== null)
  // The sort is stable: of the same severity, in order of time.
  const sorted = [...findings].sort((a, b) => weight(b) - weight(a))
  const lists = writeLists(path, {
    findings: sorted.map(finding => rowOf(finding, captures, placed)),
    hosts: hosts.map(({ said: _, ...host }): SuspectInCase => ({ ...host, peers: host.peers.slice(0, addressesMax) })),
  })
  const counts = severities.map(severity => [severity, findings.filter(one => one.severity === severity).length])
  const short = {
    head: c.head,
    asked: askedOf(c, own, found),
    verdict: [paragraph(verdict(found))] as PageBlock[],
    undecided: [list(undecidedItems(found))] as PageBlock[],
    complete: found.coverage.complete,
    connections: found.connections,
    findings_total: findings.length,
    hosts_total: found.hosts_total,
    findings_other,
    severities: Object.fromEntries(counts) as FindingsAnswer['severities'],
  }
  return { short, lists }
}

function weight({ severity }: CaseFinding): number {
  return severities.indexOf(severity)
}

function rowOf(finding: CaseFinding, captures: boolean, placed: ReturnType<typeof placing>): FoundInCase {
  const { counter_hypotheses: _, would_change: __, scores: ___, next: ____, subject, peers, basis, ...rest } = finding
  const entry = findingEntry(finding, null)
  return {
    ...rest,
    key: caseKey(finding).key,
    basis: basis.map(placed),
    subject: subject.slice(0, addressesMax),
    peers: peers.slice(0, addressesMax),
    details: (entry.block === 'entry' ? entry.body : []) as PageBlock[],
    carve: captures ? carveFilter(finding) : null,
  }
}

/** The packets between those of a finding in its time; null where they are too many to name. */
function carveFilter({
  subject,
  subject_total,
  peers,
  peers_total,
  first_start,
  last_end,
}: CaseFinding): string | null {
  if (subject_total > addressesMax || peers_total > addressesMax) return null
  if (subject.length === 0 || peers.length === 0 || first_start === null || last_end === null) return null
  const of = (some: readonly string[]): string => `(${some.map(one => `ip ${one}`).join(' or ')})`
  return overlaps(`${of(subject)} and ${of(peers)}`, first_start, last_end)
}

function askedOf(c: Case, own: readonly string[], { findings }: Detections): FindingsAnswer['asked'] {
  return {
    sentence: 'what every rule finds in the whole case',
    command: detectCommand(c, own),
    sql: findings
      .map(({ id, title, sql }) => `-- ${id}: ${title}\n${sql.trim()};`)
      .join('\n\n')
      .slice(0, 200_000),
  }
}

export const findingsWork: Readonly<Record<string, Answerer<Case>>> = { findings: findingsAnswer }
