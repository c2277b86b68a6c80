/** The jobs themselves. */
import { removeNode } from '../disk/writing.ts'
import { addEvidence } from '../ingest/add.ts'
import type { FoundFile } from '../input/walk.ts'
import { countText } from '../net/counts.ts'
import { openCase } from '../store/case.ts'
import { soundLedger } from '../store/case-folder.ts'
import { joinCases } from '../store/joined.ts'
import { removeEvidence } from '../store/remove.ts'
import { counts, standingsOf } from '../store/standing.ts'
import { alertsOf } from './alert.ts'
import type { Asking } from './asking.ts'
import { dayAt } from './days.ts'
import type { AddJob, DetectJob, Done, Job, RemoveJob } from './jobs.ts'

export function doJob(job: Job, asking: Asking, signal: AbortSignal): Promise<Done[Job['kind']]> {
  if (job.kind === 'add') return add(job, asking, signal)
  return job.kind === 'remove' ? remove(job) : detectIn(job, signal)
}

async function add(
  { case: dir, files, remote, idsAbove, reading }: AddJob,
  asking: Asking,
  signal: AbortSignal,
): Promise<Done['add']> {
  const found = files.map(
    ({ raw, ...file }): FoundFile => ({
      ...{ ...file, rawPath: raw === null ? null : Buffer.from(raw, 'hex'), named: false },
    }),
  )
  const report = await addEvidence({
    ...{ case: dir, paths: [], found, idsAbove, ...reading, signal, command: 'watch' },
    ...(remote.length > 0 && { remote: asking.filesOf(remote), changedToo: true }),
  })
  return {
    files: report.files.map(({ id, path, sha256, size, status, problem, records, first_start, last_end }) => ({
      ...{ id, path, sha256, size, status, problem, records, first_start, last_end },
    })),
  }
}

async function remove({ case: dir, sha256, reason }: RemoveJob): Promise<Done['remove']> {
  // Whoever was killed may have done it already.
  const standings = standingsOf(await soundLedger(dir))
  if (!standings.some(one => one.file.sha256 === sha256 && counts(one))) return { removed: 0 }
  const { files } = await removeEvidence({ case: dir, files: [sha256], reason, command: 'watch' })
  return { removed: files.length }
}

async function detectIn(
  { cases, into, from_us, to_us, detecting }: DetectJob,
  signal: AbortSignal,
): Promise<Done['detect']> {
  const { detect } = await import('../detect/detect.ts')
  const [only, ...others] = cases
  if (others.length > 0) await joinCases(into, cases, signal)
  const opened = await openCase(others.length > 0 ? into : only!, { signal })
  try {
    const found = await detect(opened, { ...detecting, from_us, to_us, signal })
    return {
      alerts: alertsOf(found.findings, dayAt(to_us / 1000)),
      connections: found.connections,
      others: found.findings_other.reduce((sum, { count }) => sum + count, 0),
      problems: [
        ...found.rules_failed.map(
          ({ path, rule, problem }) => `a rule of your own failed: ${path}: ${rule}: ${problem}`,
        ),
        ...found.enrichment_problems.map(({ path, problem }) => `${path}: ${problem}`),
        ...(found.problems.length === 0 ? [] : [`${countText(found.problems.length, 'place')} could not be read`]),
      ],
    }
  } finally {
    await opened.close()
    if (others.length > 0) await removeNode(into)
  }
}
