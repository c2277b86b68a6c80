/** Gathers what a report says: the dossier or the whole case, lines of the evidence, the map of what was recorded, the analyst's words. */
import { type ControlsOptions, controls } from '../../controls/controls.ts'
import { type CaseFinding, type DetectOptions, detect } from '../../detect/detect.ts'
import { errorText, UserError } from '../../errors.ts'
import { coverageMap } from '../../investigate/coverage-map.ts'
import type { Finding } from '../../investigate/dossier.ts'
import { type Found, type InvestigateOptions, investigate } from '../../investigate/investigate.ts'
import { parseAddress } from '../../net/address.ts'
import { isInternal } from '../../net/internal.ts'
import type { Prefix } from '../../net/prefix.ts'
import { utcSeconds } from '../../net/time.ts'
import type { Score } from '../../rules/rule.ts'
import type { Case } from '../../store/case.ts'
import {
  Places,
  type UnreadLines,
  type VerbatimLine,
  type VerbatimOptions,
  verbatimLines,
} from '../../verbatim/lines.ts'
import { type DossierJson, dossierJson } from '../dossier-json.ts'
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
  /** Whether controls are recommended and tried; by default they are, unless the report is of a part of the time or of the sensors. */
  controls?: boolean
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
  let inspected: Found | null = null
  const d = await investigate(c, subjects, {
    ...options.investigate,
    inspect: one => {
      inspected = one
    },
    ...(options.signal && { signal: options.signal }),
  })
  const dossier = dossierJson(d)
  const found = inspected!
  const scores = new Map((found as Found).findings.map(one => [one.finding.id, one]))
  const told = dossier.findings.map(finding => ({
    ...{ finding, key: dossierKey(dossier, finding) },
    ...{ scores: scores.get(finding.id)?.scores ?? [], would_change: scores.get(finding.id)?.would_change ?? null },
  }))
  const own = d.coverage.filter(sensor => sensor.recorded_subject).map(({ sensor }) => sensor)
  const tried = await controlsOf(c, subjects, options, { investigated: { dossier: d, found } })
  const own_servers = ownServers(dossier, (found as Found).own)
  return whole(c, told, own, { dossier, detections: null, own_servers, ...tried }, options, dossier.subject)
}

function ownServers({ attack_surface: surface }: DossierJson, own: readonly Prefix[]): string[] {
  const { answered, refused, unanswered, rejected } = surface
  const servers = [answered, refused, unanswered, rejected].flat().map(({ server }) => server)
  return [...new Set(servers)].filter(server => {
    const address = parseAddress(server)
    return address !== null && isInternal(address, own)
  })
}

async function ofCase(c: Case, options: CaseReportOptions): Promise<CaseReport> {
  const detections = await detect(c, { ...options.detect, ...(options.signal && { signal: options.signal }) })
  const told = detections.findings.map(finding => {
    const { scores, would_change } = finding
    return { finding, key: caseKey(finding), scores, would_change }
  })
  const tried = await controlsOf(c, [], options, { detections })
  return whole(c, told, [], { dossier: null, detections, own_servers: [], ...tried }, options, [])
}

/** Controls are tried on all that was recorded: in a report of a part of it they would speak of findings and services that it does not have. */
async function controlsOf(
  c: Case,
  subjects: string[],
  { controls: isWanted = true, investigate: ofSubject, detect: ofAll, signal }: CaseReportOptions,
  known: NonNullable<ControlsOptions['known']>,
): Promise<Pick<CaseReport, 'controls' | 'controls_left_out'>> {
  const leftOut = (why: string) => ({ controls: null, controls_left_out: why })
  if (!isWanted) return leftOut('they were not wanted (--no-controls)')
  const asked = subjects.length > 0 ? ofSubject?.selection : ofAll
  const { from_us, to_us } = asked ?? {}
  if (from_us !== undefined || to_us !== undefined || (ofSubject?.selection?.sensors?.length ?? 0) > 0)
    return leftOut(
      'this report is of a part of the evidence (--from, --to, --sensor), and they are tried on the whole of it',
    )
  const { approvedPorts, internal, enrichment } = { ...ofAll, ...ofSubject }
  try {
    const answer = await controls(c, subjects, {
      ...(approvedPorts !== undefined && { approvedPorts }),
      ...(internal !== undefined && { internal }),
      ...(enrichment !== undefined && { enrichment }),
      ...(signal !== undefined && { signal }),
      known,
    })
    return { controls: answer, controls_left_out: null }
  } catch (error) {
    // Too little memory for the conversations of the whole case: the rest of the report needs less.
    if (error instanceof UserError) return leftOut(errorText(error))
    throw error
  }
}

async function whole(
  c: Case,
  told: readonly Told[],
  sensors: readonly (string | null)[],
  found: Pick<CaseReport, 'dossier' | 'detections' | 'own_servers' | 'controls' | 'controls_left_out'>,
  options: CaseReportOptions,
  subject: string[],
): Promise<CaseReport> {
  const { notes = noNotes, tool, made, command = null, signal } = options
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
  const layouts = new Map(c.evidence.map(({ path, layout }) => [path, layout] as const))
  return numbered.map(own => ({
    lines: own.flatMap(place => lineOf(lines.get(placeOf(place)), layouts)),
    unread: unreadOf(
      own.filter(place => !lines.has(placeOf(place))),
      problems,
    ),
  }))
}

function placeOf({ path, line }: { path: string; line: number }): string {
  return `${line} ${path}`
}

function lineOf(line: VerbatimLine | undefined, layouts: ReadonlyMap<string, string | null>): ReportLine[] {
  if (line === undefined) return []
  const { path, text } = line
  return [
    {
      path,
      line: line.line,
      text: text.slice(0, charactersMax),
      characters: text.length,
      start: startIn(text, layouts.get(path) ?? ''),
    },
  ]
}

/** @param layout names of the fields, as the ledger has them; lines of a file that has several orders do not say which is theirs. */
function startIn(text: string, layout: string): string | null {
  const [fields, cells] = [layout.split(' '), text.split(' ')]
  const start = fields.length === cells.length ? cells[fields.indexOf('start')] : undefined
  return start !== undefined && /^\d{9,10}$/.test(start) ? utcSeconds(Number(start) * 1_000_000) : null
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
