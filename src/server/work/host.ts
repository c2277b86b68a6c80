/** Answers: one host, by its own records. */
import type { Dossier, Outcome } from '../../investigate/dossier.ts'
import { type Found, investigate } from '../../investigate/investigate.ts'
import { prefixes } from '../../net/given-prefixes.ts'
import { internalPrefixes } from '../../net/internal.ts'
import { type Prefix, prefixContains } from '../../net/prefix.ts'
import { dossierKey } from '../../report/case-report/keys.ts'
import { correlationBlocks, whyWords } from '../../report/correlation.ts'
import { dossierJson } from '../../report/dossier-json.ts'
import { bySeverity } from '../../report/findings.ts'
import { headlineBlocks } from '../../report/headline.ts'
import { howSureBlocks } from '../../report/how-sure.ts'
import { evidenceBlocks, limitsBlocks } from '../../report/limits.ts'
import { serviceName } from '../../report/names.ts'
import { rejectsBlocks } from '../../report/rejects.ts'
import { howKnown, roleText, standardText } from '../../report/services.ts'
import { storyBlocks } from '../../report/story.ts'
import { coverageBlocks, vantagesBlocks } from '../../report/surface.ts'
import { whoBlocks } from '../../report/who.ts'
import { windowBlocks } from '../../report/window.ts'
import { subjectRules } from '../../rules/all.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { investigateCommand } from '../command-line.ts'
import type {
  CorrelationList,
  DossierAnswer,
  DossierAsk,
  DossierPart,
  DossierService,
  PageBlock,
} from '../contract/host.ts'
import type { WithLists } from '../list-jobs.ts'
import { writeLists } from '../page-file.ts'
import { connectionAnswer } from './connection.ts'
import { keyOfRow, lanesOf, type NumberedRow } from './lanes.ts'
import { placing } from './placing.ts'

/** Services that have a lane; the others are listed without. */
const lanesMax = 200
/** Hosts by which a finding is known. */
const hostsMax = 50

type Short = Omit<DossierAnswer, 'id'>

async function dossierAnswer(
  c: Case,
  { subjects, own, path }: DossierAsk & { path: string },
  { signal, progress }: WorkContext,
): Promise<WithLists<Short>> {
  progress({ doing: `reading the records of ${subjects.join(', ')}`, done: null, of: null })
  let inspected: Found | null = null
  const whole = await investigate(c, subjects, {
    ...{ internal: own, numbered: true, signal },
    inspect: found => {
      inspected = found
    },
  })
  signal.throwIfAborted()
  progress({ doing: 'putting it in order', done: null, of: null })
  const found = inspected! as Found
  const d = dossierJson(whole)
  const services = inWeight(whole, found)
  const placed = placing(c)
  const lanes = lanesOf(found, services.slice(0, lanesMax), whole.correlation)
  const rows = {
    services: services.map(({ row }) => row),
    lanes,
    findings: bySeverity(d.findings).map(finding => ({
      ...finding,
      key: dossierKey(whole, finding).key,
      caseRule: caseRuleOf(finding.rule),
      hosts: hostsOf(whole, finding.id),
      basis: finding.basis.map(placed),
    })),
    ...correlationLists(whole.correlation),
    ports: d.ports,
    gaps: d.attack_surface.gaps,
    work: d.work,
  }
  const lists = writeLists(path, rows)
  const lengths = Object.fromEntries(Object.entries(rows).map(([name, some]) => [name, some.length]))
  const short: Short = {
    head: c.head,
    asked: askedOf(c, subjects, own, whole),
    ...{ subject: d.subject, source: d.source, window: d.window, records: d.records },
    bytes: d.bytes as Short['bytes'],
    packets: d.packets as Short['packets'],
    internal: isInternal(prefixes(subjects, 'not an address or prefix'), [...internalPrefixes, ...found.own]),
    complete: d.attack_surface.complete,
    gaps: d.attack_surface.gaps.length + d.not_listed.gaps,
    correlation: d.correlation_summary as Short['correlation'],
    services_other: d.services_other as Short['services_other'],
    findings_other: d.findings_other,
    words: wordsOf(whole),
    lists: lengths as Short['lists'],
  }
  return { short, lists }
}

function caseRuleOf(name: string): string {
  return subjectRules.find(rule => (rule.ofSubject?.name ?? rule.name) === name)?.name ?? name
}

function hostsOf({ services }: Dossier, id: string): string[] {
  const own = services.filter(({ findings }) => findings.includes(id))
  return [...new Set(own.flatMap(({ client, server }) => [client, server]))].sort().slice(0, hostsMax)
}

/** The connections in time; those with packets; and both with the most bytes first. */
function correlationLists(some: Dossier['correlation']): Record<CorrelationList, object[]> {
  const rows = some.map(row => ({
    ...row,
    why: row.reason === null ? 'both agree' : whyWords(row.reason),
    key: keyOfRow(row),
  }))
  const bytes = ({ log, capture }: (typeof rows)[number]): number => {
    const side = log ?? capture
    return (side?.bytes_to_server ?? 0) + (side?.bytes_to_client ?? 0)
  }
  const byBytes = rows.toSorted((a, b) => bytes(b) - bytes(a))
  const isCaptured = ({ capture }: (typeof rows)[number]): boolean => capture !== null
  return {
    correlation: rows,
    'correlation-bytes': byBytes,
    'correlation-packets': rows.filter(isCaptured),
    'correlation-packets-bytes': byBytes.filter(isCaptured),
  }
}

/** Those with findings first, then by outcome, then by bytes, as the report chooses them. */
function inWeight({ services }: Dossier, found: Found): NumberedRow[] {
  const outcomes: readonly Outcome[] = ['answered', 'refused', 'unanswered', 'rejected']
  const rows = services.map((row, i): NumberedRow => {
    const words = { service: serviceName(row), role: roleText(row), approved: standardText(row), known: howKnown(row) }
    return { row: { ...row, number: `S${i + 1}`, ...words } as DossierService, service: found.services[i]! }
  })
  const rank = ({ row }: NumberedRow): number => (row.findings.length > 0 ? 0 : 4) + outcomes.indexOf(row.outcome)
  const bytes = ({ row }: NumberedRow): number => Number(row.bytes_to_server ?? 0) + Number(row.bytes_to_client ?? 0)
  return rows.sort((a, b) => rank(a) - rank(b) || bytes(b) - bytes(a) || a.service - b.service)
}

function wordsOf(d: Dossier): Record<DossierPart, PageBlock[]> {
  const hasRecords = d.records.subject > 0
  const blocks = {
    headline: headlineBlocks(d),
    who: whoBlocks(d, true),
    story: hasRecords ? storyBlocks(d) : [],
    sure: howSureBlocks(d, true),
    packets: correlationBlocks(d),
    rejects: rejectsBlocks(d),
    coverage: [...(hasRecords ? windowBlocks(d) : []), ...coverageBlocks(d), ...(hasRecords ? vantagesBlocks(d) : [])],
    limits: [...limitsBlocks(d), ...evidenceBlocks(d)],
  }
  return blocks as unknown as Record<DossierPart, PageBlock[]>
}

/** Null where some are and some are not. */
function isInternal(subject: readonly Prefix[], internal: readonly Prefix[]): boolean | null {
  const known = subject.map(
    ({ first, last }) => internal.find(one => prefixContains(one, first) && prefixContains(one, last)) !== undefined,
  )
  return known.every(one => one === known[0]) ? (known[0] ?? null) : null
}

function askedOf(c: Case, subjects: readonly string[], own: readonly string[], d: Dossier): DossierAnswer['asked'] {
  return {
    sentence: `all that the records say of ${subjects.join(', ')}`,
    command: investigateCommand(c, subjects, own),
    sql: d.work.map(({ figure, sql }) => `-- ${figure}\n${sql.trim()};`).join('\n\n'),
  }
}

export const hostWork: Readonly<Record<string, Answerer<Case>>> = {
  dossier: dossierAnswer,
  connection: connectionAnswer,
}
