/** Answers: what is written for other tools. */
import { join } from 'node:path'
import { exportCase } from '../../export/export.ts'
import type { ExportOptions, ExportReport } from '../../export/formats.ts'
import { utcSeconds } from '../../net/time.ts'
import { ofCaseNotes } from '../../report/case-report/notes.ts'
import { countText } from '../../report/numbers.ts'
import type { Case } from '../../store/case.ts'
import { caseFiles } from '../../store/files.ts'
import { noCaseNotes, readCaseNotes } from '../../store/notes.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { commandOf } from '../command-line.ts'
import type { ExportAnswer } from '../contract/exports.ts'
import { type ExportTask, exportExtensions } from '../export-names.ts'
import { subjectsOf } from '../subjects.ts'

async function exportAnswer(
  c: Case,
  asked: ExportTask,
  { signal, progress }: WorkContext,
): Promise<Omit<ExportAnswer, 'download'>> {
  progress({ doing: `writing ${asked.to}`, done: null, of: null })
  const { to, what, path, own } = asked
  const of = subjectsOf(asked.of)
  const isOfFindings = what === 'findings' || what === 'all'
  // The dossier of an address is of all its records.
  const { filter, from, until } = of.length > 0 ? { filter: '', from: null, until: null } : asked
  const kept = asked.notes && isOfFindings ? readCaseNotes(c.dir) : noCaseNotes
  const options: ExportOptions = {
    ...{ to, what, out: path, files: false, signal },
    ...(filter !== '' && { filter }),
    ...(from !== null && { from_us: from * 1e6 }),
    ...(until !== null && { to_us: until * 1e6 }),
    ...(of.length > 0 && { of }),
    ...(own.length > 0 && { internal: own }),
    ...(kept !== noCaseNotes && { notes: ofCaseNotes(kept) }),
  }
  const report = await exportCase(c, options)
  const { records, connections, findings, left_out, notes } = report
  const words = [
    ...['--to', to, '--what', what, ...(filter === '' ? [] : [filter])],
    ...of.flatMap(one => ['--of', one]),
    ...(from === null ? [] : ['--from', utcSeconds(from * 1e6)]),
    ...(until === null ? [] : ['--until', utcSeconds(until * 1e6)]),
    ...own.flatMap(prefix => ['--internal', prefix]),
    ...(options.notes === undefined ? [] : ['--notes', join(c.dir, caseFiles.notes)]),
    ...['--case', c.dir, '-o', `export${exportExtensions[to]}`],
  ]
  return {
    asked: { sentence: sentenceOf(report), command: commandOf('export', words), sql: '' },
    ...{ records, connections, findings, left_out, notes },
  }
}

function sentenceOf({ findings, connections, records, format }: ExportReport): string {
  const counts = [
    ...(findings > 0 ? [countText(findings, 'finding')] : []),
    ...(connections > 0 ? [`${countText(connections, 'connection')} (traffic counted once)`] : []),
    ...(records > 0 ? [`${countText(records, 'flow record')} (as the sensors wrote them)`] : []),
  ]
  return `${counts.length === 0 ? 'Nothing' : counts.join(', ')} as ${format}.`
}

export const exportsWork: Readonly<Record<string, Answerer<Case>>> = { export: exportAnswer }
