/** Commands whose `--json` has the figures that are on the screen. */
import { shellString } from '../as-code/shell.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { Case } from '../store/case.ts'

/** The `tidemark flows` command of a request. */
export function flowsCommand(c: Case, request: FlowsRequest): string {
  const words = ['tidemark', 'flows']
  if (typeof request.filter === 'string' && request.filter !== '') words.push(shellString(request.filter))
  words.push('--case', shellString(c.dir))
  if (request.raw === true) words.push('--raw')
  for (const prefix of request.internal ?? []) words.push('--internal', shellString(prefix))
  if (request.by !== undefined) words.push('-A', shellString(request.by.join(',')))
  if (request.order !== undefined) words.push('-O', shellString(request.order))
  if (request.limit !== undefined) words.push('-n', String(request.limit ?? 0))
  return words.join(' ')
}

/** The `tidemark investigate` command of a subject. */
export function investigateCommand(c: Case, subjects: readonly string[], own: readonly string[]): string {
  return ['tidemark', 'investigate', ...subjects.map(shellString), ...options(c, own)].join(' ')
}

/** The `tidemark detect` command of the whole case. */
export function detectCommand(c: Case, own: readonly string[]): string {
  return ['tidemark', 'detect', ...options(c, own)].join(' ')
}

/** The `tidemark carve` command of a filter. */
export function carveCommand(c: Case, filter: string): string {
  return ['tidemark', 'carve', shellString(filter), '--case', shellString(c.dir), '-o', 'packets.pcapng'].join(' ')
}

function options(c: Case, own: readonly string[]): string[] {
  return ['--case', shellString(c.dir), ...own.flatMap(prefix => ['--internal', shellString(prefix)])]
}

/** A command of these words, as a shell reads it. */
export function commandOf(name: string, words: readonly string[]): string {
  return ['tidemark', name, ...words.map(shellString)].join(' ')
}
