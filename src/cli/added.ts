/** What a question says of the evidence that it was given besides. */
import { exitStatus } from '../errors.ts'
import { countText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import type { Pulled } from '../store/pulled.ts'
import type { EvidenceReport } from '../store/reports.ts'
import { note } from './output.ts'

/** A question with `--case` and PATHs changes the case: it says what came in. */
export async function noteAdded(report: EvidenceReport): Promise<void> {
  const read = report.files.filter(file => file.status === 'read' || file.status === 'partly-read')
  const what = `${countText(read.length, 'file')} with ${countText(report.totals.records, 'flow record')}`
  const done = read.length === 0 ? 'nothing new was added to' : `added ${what} to`
  const undo = read.length === 0 ? '' : ' (tidemark remove takes files out)'
  await note(`tidemark: ${done} the case ${visible(report.case)}${undo}`)
}

/** Names the folders that were given and hold no evidence. The exit status says that too. */
export async function noteFoldersWithout(report: EvidenceReport): Promise<void> {
  if (report.folders_without_evidence.length === 0) return
  const named = report.folders_without_evidence.map(one => `  ${visible(one.path)}: ${one.problem}`)
  await note(['tidemark: no evidence where some was named', ...named].join('\n'))
  process.exitCode = exitStatus.partly_read
}

/** An empty answer of a case that is being written may have more in a moment. */
export async function noteWriter(c: {
  dir: string
  evidence: readonly unknown[]
  pulled?: Pulled | null
}): Promise<void> {
  if (c.pulled) await notePulled(c.pulled)
  if (c.evidence.length > 0) return
  const { writerOf } = await import('../store/lock.ts')
  const writer = await writerOf(c.dir)
  if (writer === null) return
  const who = `process ${writer.pid} (${visible(writer.doing)}) is writing it`
  await note(`tidemark: the case is empty so far: ${who}; try again when that is done`)
}

/** Says of a case that is not opened, where there is one, that it was pulled from an engine. */
export async function notePulledCase(caseDir: string): Promise<void> {
  const [{ soundLedger }, { countedOf }, { pulledOf }] = await Promise.all([
    import('../store/case-folder.ts'),
    import('../store/standing.ts'),
    import('../store/pulled.ts'),
  ])
  const entries = await soundLedger(caseDir)
  const pulled = pulledOf(entries, countedOf(entries).evidence)
  if (pulled !== null) await notePulled(pulled)
}

/** What was left on an engine is in no list, and in no sum but those that say so. */
async function notePulled({ note: pull }: Pulled): Promise<void> {
  const { pulledTime, pulledWords } = await import('../store/pulled.ts')
  const time = pulledTime(pull)
  const what = `${visible(pulledWords(pull))}${time === null ? '' : `, ${time}`}`
  await note(`tidemark: the case holds what was pulled from ${visible(pull.table)}: ${what}, and no others`)
}
