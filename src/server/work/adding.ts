/** Adds evidence, and completes the paths that lead to it. */
import { opendir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { shellString } from '../../as-code/shell.ts'
import { errorText, UserError } from '../../errors.ts'
import { type AddProgress, addEvidence } from '../../ingest/add.ts'
import { integerText } from '../../net/counts.ts'
import type { EvidenceReport, EvidenceStatus } from '../../store/reports.ts'
import { failureLine, systemFailure } from '../../system-error.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { AddAnswer, AddAsk, PathsAnswer, PathsAsk } from '../contract/adding.ts'
import type { Progress } from '../message.ts'

const troubledMax = 200

async function add(caseDir: string, asked: AddAsk, { signal, progress }: WorkContext): Promise<AddAnswer> {
  const paths = asked.paths.map(atHome)
  if (paths.some(path => path === '-'))
    throw new UserError('standard input cannot be read from here', { status: 2, hint: 'name files or folders' })
  const report = await addEvidence({
    case: caseDir,
    paths,
    ...(asked.format !== undefined && { format: asked.format }),
    ...(asked.formatUnknown === true && { formatUnknown: true }),
    ...(asked.maxExpandRatio !== undefined && { maxExpandRatio: asked.maxExpandRatio }),
    ...(asked.keepCopies === true && { keepCopies: true }),
    ...(asked.again === true && { again: true }),
    signal,
    onProgress: told => progress(inWords(told)),
    command: `tidemark ui: add ${paths.map(shellString).join(' ')}`,
  })
  return answerOf(report)
}

function inWords({ files_done, files_total, records, bytes_done, bytes_total }: AddProgress): Progress {
  const files = `${integerText(files_done)} of ${integerText(files_total)} files`
  return { doing: `${files}, ${integerText(records)} records`, done: bytes_done, of: bytes_total }
}

function answerOf({ files, totals, case_records, interrupted, folders_without_evidence }: EvidenceReport): AddAnswer {
  const number = (status: EvidenceStatus): number => files.filter(file => file.status === status).length
  const troubled = files.filter(({ status, named }) => !isFine(status, named))
  return {
    files: {
      read: number('read'),
      partly_read: number('partly-read'),
      unreadable: number('unreadable'),
      duplicate: number('duplicate'),
      not_evidence: number('not-evidence'),
    },
    records: totals.records,
    malformed: totals.malformed,
    ...{ case_records, interrupted, folders_without_evidence },
    troubled: troubled.slice(0, troubledMax).map(({ path, status, problem }) => ({ path, status, problem })),
    troubled_total: troubled.length,
  }
}

function isFine(status: EvidenceStatus, named: boolean): boolean {
  return status === 'read' || status === 'duplicate' || (status === 'not-evidence' && !named)
}

const itemsMax = 50
/** Names of a folder that are looked at. */
const looksMax = 20_000

async function paths(_: string, { at }: PathsAsk, { signal }: WorkContext): Promise<PathsAnswer> {
  const text = atHome(at)
  const inFolder = text === '' || /[/\\]$/.test(text)
  const folder = resolve(inFolder ? text : dirname(text))
  const start = inFolder ? '' : basename(text)
  const items: PathsAnswer['items'] = []
  let cut = false
  try {
    let looks = 0
    for await (const entry of await opendir(folder)) {
      signal.throwIfAborted()
      if (++looks > looksMax) {
        cut = true
        break
      }
      if (!entry.name.startsWith(start) || (entry.name.startsWith('.') && !start.startsWith('.'))) continue
      const kind = entry.isDirectory() ? 'folder' : entry.isFile() || entry.isSymbolicLink() ? 'file' : null
      if (kind !== null) items.push({ path: join(folder, entry.name), kind })
    }
  } catch (error) {
    signal.throwIfAborted()
    const failure = systemFailure(error)
    throw new UserError(
      `cannot look into ${folder}: ${failure === null ? errorText(error) : failureLine({ ...failure, place: null })}`,
    )
  }
  items.sort((a, b) => (a.kind === b.kind ? (a.path < b.path ? -1 : 1) : a.kind === 'folder' ? -1 : 1))
  return { folder, items: items.slice(0, itemsMax), cut: cut || items.length > itemsMax }
}

function atHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

export const addingWork: Readonly<Record<string, Answerer<string>>> = { add, paths }
