/** Answers: what the case was built from. */
import { shellString } from '../../as-code/shell.ts'
import type { Case } from '../../store/case.ts'
import { readEvidence } from '../../store/evidence-report.ts'
import { isRead, lawsOf } from '../../store/laws.ts'
import { type EvidenceFile, type EvidenceProblem, type EvidenceReport, isMetered } from '../../store/reports.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type {
  EvidenceAnswer,
  EvidenceAsk,
  EvidenceStatus,
  FileChoice,
  FileOrder,
  FileRow,
  ProblemsAnswer,
  ProblemsAsk,
} from '../contract/evidence.ts'
import { fileNumbers } from './placing.ts'

/** The report on a case that is open, and what is looked up in it. */
interface Known {
  report: EvidenceReport
  /** By path. */
  problems: ReadonlyMap<string, number>
  numbers: ReadonlyMap<string, number | null>
  laws: EvidenceAnswer['laws']
}

const known = new WeakMap<Case, Promise<Known>>()
const historyMax = 500

function knownOf(c: Case): Promise<Known> {
  let own = known.get(c)
  if (own === undefined) {
    own = gather(c)
    known.set(c, own)
    own.catch(() => known.delete(c))
  }
  return own
}

async function gather(c: Case): Promise<Known> {
  const report = await readEvidence(c.dir, { head: c.head })
  const problems = new Map<string, number>()
  for (const { path } of report.problems) problems.set(path, (problems.get(path) ?? 0) + 1)
  return { report, problems, numbers: fileNumbers(report.files), laws: lawsOf(report.files) }
}

async function evidenceAnswer(c: Case, asked: EvidenceAsk): Promise<EvidenceAnswer> {
  const { report, problems, laws } = await knownOf(c)
  const { files, totals, history, case_records, case_metered_records } = report
  const matching = sorted(files.filter(matcherOf(asked, problems)), asked, problems)
  return {
    ...{ case: c.dir, head: c.head, all: files.length, matching: matching.length },
    files: matching.slice(asked.offset, asked.offset + asked.count).map(file => rowOf(file, problems)),
    statuses: statusesOf(files),
    ...{ totals, laws, case_records, case_metered_records },
    problems_total: report.problems.length,
    ...{ history: history.slice(0, historyMax), history_total: history.length },
    asked: {
      sentence: 'what the case was built from',
      command: `tidemark evidence --case ${shellString(c.dir)}`,
      sql: 'SELECT * FROM evidence',
    },
  }
}

function rowOf(file: EvidenceFile, problems: ReadonlyMap<string, number>): FileRow {
  // Integers beyond 2^53 become text on their way to the page.
  return { ...(file as FileRow), laws: lawsOf([file]), problems: problems.get(file.path) ?? 0 }
}

function matcherOf(
  { text, only }: EvidenceAsk,
  problems: ReadonlyMap<string, number>,
): (file: EvidenceFile) => boolean {
  const chosen: Record<FileChoice, (file: EvidenceFile) => boolean> = {
    all: () => true,
    troubled: file => !isFine(file) || problems.has(file.path),
    logs: file => isRead(file) && !isMetered(file),
    metered: isMetered,
  }
  const isChosen = chosen[only]
  const digest = text.toLowerCase()
  return file => isChosen(file) && (text === '' || file.path.includes(text) || file.sha256?.startsWith(digest) === true)
}

function isFine({ status, malformed }: EvidenceFile): boolean {
  return malformed === 0 && (status === 'read' || status === 'duplicate')
}

/** In an order, or the other way round. Files of which it is not known come last either way, by path. */
function sorted(
  files: readonly EvidenceFile[],
  { order, descending }: EvidenceAsk,
  problems: ReadonlyMap<string, number>,
): EvidenceFile[] {
  const keys: Record<FileOrder, (file: EvidenceFile) => string | number | null> = {
    path: file => file.path,
    kind: file => file.kind,
    size: file => file.size,
    records: file => file.records,
    problems: file => (problems.get(file.path) ?? 0) + file.malformed,
    first: file => (file.first_start === null ? null : Date.parse(file.first_start)),
    status: file => file.status,
  }
  const key = keys[order]
  const known = files.flatMap(file => {
    const own = key(file)
    return own === null ? [] : [{ file, own }]
  })
  known.sort((a, b) => (a.own < b.own ? -1 : a.own > b.own ? 1 : 0))
  if (descending) known.reverse()
  return [...known.map(({ file }) => file), ...files.filter(file => key(file) === null)]
}

function statusesOf(files: readonly EvidenceFile[]): EvidenceAnswer['statuses'] {
  const counts = new Map<EvidenceStatus, number>()
  for (const { status } of files) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, files]) => ({ status, files }))
}

async function problemsAnswer(c: Case, { path, offset, count }: ProblemsAsk, _: WorkContext): Promise<ProblemsAnswer> {
  const { report, numbers } = await knownOf(c)
  const own =
    path === ''
      ? countedByFile(report.problems)
      : report.problems.filter(one => one.path === path).map(one => ({ ...one, places: 1 }))
  return {
    problems: own.slice(offset, offset + count).map(one => ({ ...one, file: numbers.get(one.path) ?? null })),
    total: own.length,
  }
}

/** Problems that are said alike of one file, as its first, with how many there are. */
function countedByFile(problems: readonly EvidenceProblem[]): (EvidenceProblem & { places: number })[] {
  const counted = new Map<string, EvidenceProblem & { places: number }>()
  for (const one of problems) {
    const key = JSON.stringify([one.path, one.problem])
    const before = counted.get(key)
    if (before === undefined) counted.set(key, { ...one, places: 1 })
    else before.places++
  }
  return [...counted.values()]
}

export const evidenceWork: Readonly<Record<string, Answerer<Case>>> = {
  evidence: evidenceAnswer,
  problems: problemsAnswer,
}
