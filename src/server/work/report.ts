/** Answers: the report. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CaseReport } from '../../report/case-report/document.ts'
import { caseReport } from '../../report/case-report/gather.ts'
import { ofCaseNotes } from '../../report/case-report/notes.ts'
import { reportPreview, reportText } from '../../report/case-report/page.ts'
import { verdictOf } from '../../report/case-report/verdicts.ts'
import type { Case } from '../../store/case.ts'
import { caseFiles } from '../../store/files.ts'
import { noCaseNotes, readCaseNotes } from '../../store/notes.ts'
import { version } from '../../version.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { commandOf } from '../command-line.ts'
import type { ReportAnswer, ReportAsk, ReportFormat } from '../contract/report.ts'
import { subjectsOf } from '../subjects.ts'

/** Where the texts go. */
export interface ReportTask extends ReportAsk {
  paths: Record<ReportFormat, string>
  /** For the HTML that the page shows. */
  preview: string
  /** ISO 8601. */
  made: string
}

/** As much as `tidemark report` lists. */
const servicesMax = 1000

async function reportAnswer(
  c: Case,
  asked: ReportTask,
  { signal, progress }: WorkContext,
): Promise<Omit<ReportAnswer, 'id'>> {
  const subjects = subjectsOf(asked.subjects)
  const kept = asked.notes ? readCaseNotes(c.dir) : noCaseNotes
  const command = reportCommand(c, subjects, asked, kept !== noCaseNotes)
  const who = subjects.length === 0 ? 'the case' : subjects.join(' ')
  progress({ doing: `looking at ${who}`, done: null, of: null })
  const own = { ...(asked.own.length > 0 && { internal: asked.own }) }
  const ports = asked.approved_ports
  const report = await caseReport(c, subjects, {
    tool: { name: 'Tidemark', version: version() },
    ...{ made: asked.made, command, controls: asked.controls, signal },
    notes: ofCaseNotes(kept),
    investigate: { ...own, ...(ports !== null && { approvedPorts: ports }), servicesMax },
    detect: own,
  })
  progress({ doing: 'writing the report', done: null, of: null })
  const files = {
    html: await written(report, 'html', asked),
    md: await written(report, 'md', asked),
    json: await written(report, 'json', asked),
  }
  await writeFile(asked.preview, reportPreview(report), { flag: 'wx', mode: 0o600 })
  return { head: c.head, asked: { sentence: sentenceOf(report), command, sql: '' }, ...told(report), files }
}

function sentenceOf({ report }: CaseReport): string {
  return `${report.title}, made ${report.made}.`
}

async function written(
  report: CaseReport,
  format: ReportFormat,
  { paths }: ReportTask,
): Promise<ReportAnswer['files'][ReportFormat]> {
  const text = reportText(report, format)
  await writeFile(paths[format], text, { flag: 'wx', mode: 0o600 })
  const { subject } = report.report
  const name = subject.length === 1 ? `report-${subject[0]!.replace(/[^0-9a-z.]+/gi, '-')}` : 'report'
  return { name: `${name}.${format}`, bytes: Buffer.byteLength(text) }
}

function told(r: CaseReport): Omit<ReportAnswer, 'id' | 'head' | 'asked' | 'files'> {
  const verdicts = r.findings.map(verdictOf)
  const of = (wanted: (typeof verdicts)[number]): number => verdicts.filter(one => one === wanted).length
  return {
    ...{ title: r.report.title, made: r.report.made },
    records: r.dossier?.records.subject ?? r.detections?.records.total ?? null,
    findings: { total: verdicts.length, confirmed: of('confirmed'), refuted: of('refuted') },
    controls: r.controls?.controls.length ?? null,
    controls_left_out: r.controls_left_out,
    notes_not_found: r.notes.not_found.length,
  }
}

/** The command that makes the same. `withNotes`: there is a file of them. */
function reportCommand(c: Case, subjects: readonly string[], asked: ReportAsk, withNotes: boolean): string {
  return commandOf('report', [
    ...subjects,
    ...(asked.controls ? [] : ['--no-controls']),
    ...(asked.approved_ports === null ? [] : ['--approved-ports', asked.approved_ports.join(',')]),
    ...asked.own.flatMap(prefix => ['--internal', prefix]),
    ...(withNotes ? ['--notes', join(c.dir, caseFiles.notes)] : []),
    ...['--case', c.dir, '-o', 'report.html'],
  ])
}

export const reportWork: Readonly<Record<string, Answerer<Case>>> = { report: reportAnswer }
