/** Commands whose `--json` has the figures that are on the screen. */
import { shellString } from '../as-code/shell.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { Case } from '../store/case.ts'

/**
 * The `tidemark flows` command of a request. One group of all, which no option asks for, is one a protocol: what `counting` has is the
 * same.
 */
export function flowsCommand(c: Case, request: FlowsRequest): string {
  const { filter, internal = [], by, stat, limit, order, having, compare, distinct = [], percentiles = [] } = request
  const words = ['tidemark', 'flows']
  if (typeof filter === 'string' && filter.trim() !== '') words.push(shellString(filter))
  words.push('--case', shellString(c.dir))
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) words.push(name, shellString(value))
  }
  if (request.raw === true) words.push('--raw')
  put('--evidence', request.evidence)
  for (const prefix of internal) put('--internal', prefix)
  put('-A', by?.length === 0 ? 'proto' : by?.join(','))
  put('-s', stat === undefined ? undefined : `${stat.element}${stat.perProtocol === true ? ':p' : ''}`)
  if (request.bidirectional === true) words.push('-b')
  put('--bin', request.bin_ms === undefined ? undefined : `${request.bin_ms / 1000}s`)
  for (const element of distinct) put('--distinct', element)
  for (const measure of percentiles) put('--percentile', measure)
  put('--having', having)
  put('--compare', compare)
  put('-O', order)
  put('-n', limit === undefined ? undefined : String(limit ?? 0))
  put('-c', request.first === undefined ? undefined : String(request.first))
  if (request.other === true) words.push('--other')
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

/** The `tidemark carve` command of a filter, into a file of that name. */
export function carveCommand(c: Case, filter: string, name: string, own: readonly string[] = []): string {
  return ['tidemark', 'carve', shellString(filter), ...options(c, own), '-o', shellString(name)].join(' ')
}

function options(c: Case, own: readonly string[]): string[] {
  return ['--case', shellString(c.dir), ...own.flatMap(prefix => ['--internal', shellString(prefix)])]
}

/** A command of these words, as a shell reads it. */
export function commandOf(name: string, words: readonly string[]): string {
  return ['tidemark', name, ...words.map(shellString)].join(' ')
}
