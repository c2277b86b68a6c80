/** Gathers what a report says: the dossier or the whole case, lines of the evidence, the map of what was recorded, the analyst's words. */
import type { ControlsAnswer } from '../../controls/control.ts'
import { type CaseFinding, type DetectOptions, detect } from '../../detect/detect.ts'
import { coverageMap } from '../../investigate/coverage-map.ts'
import type { Finding } from '../../investigate/dossier.ts'
import type { FoundFinding } from '../../investigate/findings.ts'
import { type InvestigateOptions, investigate } from '../../investigate/investigate.ts'
import type { Score } from '../../rules/rule.ts'
import type { Case } from '../../store/case.ts'
import {
  Places,
  type UnreadLines,
  type VerbatimLine,
  type VerbatimOptions,
  verbatimLines,
} from '../../verbatim/lines.ts'
import { dossierJson } from '../dossier-json.ts'
import { bySeverity } from '../findings.ts'
import type { CaseReport, ReportEvidence, ReportFinding, ReportHead, ReportLine } from './document.ts'
import { caseKey, dossierKey, type FindingKey } from './keys.ts'
import { matchNotes, type Notes, noNotes } from './notes.ts'

export interface CaseReportOptions {
  tool: ReportHead['tool']
  /** When it is made, ISO 8601. */
  made: string
  /** The command that makes it; null: none. */
  command?: string | null
  notes?: Notes
  controls?: ControlsAnswer | null
  /** Of addresses. */
  investigate?: Omit<InvestigateOptions, 'signal' | 'inspect'>
  /** Of the whole case. */
  detect?: Omit<DetectOptions, 'signal'>
  /** How far a file may unpack when its lines are read again. */
  limits?: VerbatimOptions['limits']
  signal?: AbortSignal
}

/** Findings whose lines are shown, the gravest first, and lines of each. */
const quotedMax = 100
const linesMax = 6
/** Characters of a line that are shown. */
const charactersMax = 4096

/**
 * A report on addresses, which is a dossier with what belongs to it; on the whole case where there is no address.
 *
 * @throws UserError (status 2) for what is no address or prefix.
 */
export async function caseReport(c: Case, subjects: string[], options: CaseReportOptions): Promise<CaseReport> {
  return subjects.length > 0 ? ofSubjects(c, subjects, options) : ofCase(c, options)
}

/** What a finding is, whichever way it was found. */
interface Told {
  finding: Finding | CaseFinding
  key: FindingKey
  scores: Score[]
  would_change: string | null
}

async function ofSubjects(c: Case, subjects: string[], options: CaseReportOptions): Promise<CaseReport> {
  let measured: readonly FoundFinding[] = []
  const d = await investigate(c, subjects, {
    ...options.investigate,
    inspect: ({ findings }) => {
      measured = findings
    },
    ...(options.signal && { signal: options.signal }),
  })
  const dossier = dossierJson(d)
  const scores = new Map(measured.map(one => [one.finding.id, one]))
  const told = dossier.findings.map(finding => ({
    ...{ finding, key: dossierKey(dossier, finding) },
    ...{ scores: scores.get(finding.id)?.scores ?? [], would_change: scores.get(finding.id)?.would_change ?? null },
  }))
  const own = d.coverage.filter(sensor => sensor.recorded_subject).map(({ sensor }) => sensor)
  return whole(c, told, own, { dossier, detections: null }, options, dossier.subject)
}

async function ofCase(c: Case, options: CaseReportOptions): Promise<CaseReport> {
  const detections = await detect(c, { ...options.detect, ...(options.signal && { signal: options.signal }) })
  const told = detections.findings.map(finding => {
    const { scores, would_change } = finding
    return { finding, key: caseKey(finding), scores, would_change }
  })
  return whole(c, told, [], { dossier: null, detections }, options, [])
}

async function whole(
  c: Case,
  told: readonly Told[],
  sensors: readonly (string | null)[],
  found: Pick<CaseReport, 'dossier' | 'detections'>,
  options: CaseReportOptions,
  subject: string[],
): Promise<CaseReport> {
  const { notes = noNotes, tool, made, command = null, controls = null, signal } = options
  const { of, not_found } = matchNotes(
    notes,
    told.map(({ key }) => key),
  )
  const [quoted, coverage] = await Promise.all([
    quotedLines(c, told, { ...(options.limits && { limits: options.limits }), ...(signal && { signal }) }),
    coverageMap(c, sensors, signal),
  ])
  const { title, case_number, examiner, summary, sections } = notes
  return {
    report: { title: title ?? titleOf(subject), case_number, examiner, made, tool, command, subject },
    ...found,
    findings: told.map(({ finding, key, scores, would_change }, at): ReportFinding => {
      const own = of[at]!
      return {
        ...{ id: finding.id, key: key.key, scores, would_change, ...quoted[at]!, records: finding.basis_total },
        status: own.reduce<ReportFinding['status']>((last, { status }) => status ?? last, null),
        notes: own.map(({ note }) => note).filter(note => note !== ''),
      }
    }),
    controls,
    coverage,
    evidence: evidenceOf(c),
    notes: { summary, sections, not_found },
  }
}

function titleOf(subject: readonly string[]): string {
  if (subject.length === 0) return 'Report on the whole case'
  const more = subject.length > 3 ? ` and ${subject.length - 3} more` : ''
  return `Report on ${subject.slice(0, 3).join(', ')}${more}`
}

type Quoted = Pick<ReportFinding, 'lines' | 'unread'>

/** Some lines of each finding, all files read once. */
async function quotedLines(c: Case, told: readonly Told[], options: VerbatimOptions): Promise<Quoted[]> {
  const grave = new Set(
    bySeverity(told.map(({ finding }) => finding))
      .slice(0, quotedMax)
      .map(({ id }) => id),
  )
  const wanted = told.map(({ finding }) => (grave.has(finding.id) ? spread(finding.basis, linesMax) : []))
  const places = new Places()
  // A packet's number stands for a line: that its file has none is said as of every file that cannot be read again.
  const numbered = wanted.map(basis =>
    basis.map(({ path, line, packet, record }) => ({ path, line: line ?? packet ?? record ?? 0 })),
  )
  for (const { path, line } of numbered.flat()) places.add(path, line)
  const lines = new Map<string, VerbatimLine>()
  const problems = new Map<string, string>()
  for await (const one of verbatimLines(c, places, options)) {
    if ('line' in one) lines.set(placeOf(one.line), one.line)
    else problems.set(one.unread.path, one.unread.problem)
  }
  return numbered.map(own => ({
    lines: own.flatMap(place => lineOf(lines.get(placeOf(place)))),
    unread: unreadOf(
      own.filter(place => !lines.has(placeOf(place))),
      problems,
    ),
  }))
}

function placeOf({ path, line }: { path: string; line: number }): string {
  return `${line} ${path}`
}

function lineOf(line: VerbatimLine | undefined): ReportLine[] {
  if (line === undefined) return []
  const { path, text } = line
  return [{ path, line: line.line, text: text.slice(0, charactersMax), characters: text.length }]
}

function unreadOf(places: readonly { path: string }[], problems: ReadonlyMap<string, string>): UnreadLines[] {
  const counts = new Map<string, number>()
  for (const { path } of places) counts.set(path, (counts.get(path) ?? 0) + 1)
  return [...counts].map(([path, lines]) => ({ path, lines, problem: problems.get(path) ?? 'it is not in the case' }))
}

/** Some of the items, the first and the last among them. */
function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]!)
}

function evidenceOf(c: Case): ReportEvidence {
  const files = [...c.evidence].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return {
    ledger_head: c.head,
    files: files.map(
      ({ path, kind, size, sha256, lines, header_lines, records, no_data, skip_data, malformed, status, problem }) => ({
        ...{ path, kind, size, sha256, lines, header_lines, records, no_data, skip_data, malformed, status, problem },
      }),
    ),
  }
}
