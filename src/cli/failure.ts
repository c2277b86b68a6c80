import { createRequire } from 'node:module'
import { errorText, exitStatus, UserError } from '../errors.ts'
import { FilterError } from '../filter/error.ts'
import { nearest } from '../nearest.ts'
import { displayWidth, visible } from '../report/text.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import { CommanderError } from './commander.ts'
import { Interrupted, OnlyListed } from './interrupt.ts'

/** What is printed of a failure, and the exit status. No text means that nothing is left to say. */
export interface Failure {
  text: string
  status: number
}

/** Turns whatever was thrown into words. `usage` names the help that a usage error points to. */
export function describeFailure(error: unknown, usage: string): Failure {
  if (error instanceof CommanderError) return describeUsage(error, usage)
  if (error instanceof FilterError)
    return { text: inWords(error.message, error.hint, error.excerpt(visible, displayWidth)), status: error.status }
  if (error instanceof UserError) return { text: inWords(error.message, error.hint), status: error.status }
  if (error instanceof OnlyListed) return { text: '', status: exitStatus.done }
  if (error instanceof Interrupted) return { text: inWords('stopped'), status: error.status }
  return describeSystemError(error) ?? describeBug(error)
}

/** @param excerpt lines that are visible already. */
function inWords(message: string, hint?: string, excerpt: readonly string[] = []): string {
  const lines = [`tidemark: ${visible(message)}`, ...excerpt]
  return [...lines, ...(hint === undefined ? [] : [`  hint: ${visible(hint)}`])].join('\n')
}

function describeUsage(error: CommanderError, usage: string): Failure {
  // Help and version arrive as errors too, already printed.
  if (error.exitCode === 0) return { text: '', status: exitStatus.done }
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const given = /^\(Did you mean (.*)\?\)$/.exec(rest.join(' '))?.[1]
  const typed = /'(-*[\w-]+)'/.exec(message)?.[1]
  // The AWS CLI's name is too far from ours to be found by its letters. Commander suggests words that are far from what was typed.
  const ofAws = /^unknown option '--endpoint-url(?=['=])/.test(message) ? '--endpoint' : undefined
  const isFar = given?.includes(' ') === false && typed !== undefined && nearest(typed, [given]) === null
  const suggestion = ofAws ?? (isFar ? undefined : given)
  const hint =
    suggestion !== undefined
      ? `did you mean ${suggestion}?`
      : (hintOfOption(message, usage) ??
        (error.code === 'commander.excessArguments' && message.includes('Expected 0 arguments')
          ? `a case is named with --case DIR; ${usage} shows what there is`
          : `${usage} shows what there is`))
  return { text: inWords(message.replace(/\.$/, ''), hint), status: exitStatus.usage }
}

/** What does the same where an option of other commands is asked for; null: nothing is known to. */
function hintOfOption(message: string, usage: string): string | null {
  const [, option] = /^unknown option '(--[a-z]+)/.exec(message) ?? []
  if (option === '--engine')
    return 'tidemark pull ADDRESS --engine TABLE brings records here; flows, detect and evidence ask a table too'
  if ((option === '--from' || option === '--to') && usage.startsWith('tidemark flows '))
    return "a window is part of the filter: 'between 2023-09-28T17:00 and 2023-09-28T19:00'"
  return null
}

function describeSystemError(error: unknown): Failure | null {
  const failure = systemFailure(error)
  return failure && { text: inWords(failureLine(failure), failure.hint), status: exitStatus.failed }
}

interface Manifest {
  version: string
  bugs?: string | { url?: string }
  dependencies: Record<string, string>
}

function describeBug(error: unknown): Failure {
  const stack = error instanceof Error ? (error.stack ?? errorText(error)) : errorText(error)
  const causes = error instanceof Error && error.cause !== undefined ? `\ncaused by: ${errorText(error.cause)}` : ''
  const text = [
    'tidemark: this is a bug in Tidemark, not a problem with the evidence',
    ...`${stack}${causes}\n${circumstances()}`.split('\n').map(line => `  ${visible(line)}`),
    `  hint: please report these lines${reportsGoTo()}`,
  ]
  return { text: text.join('\n'), status: exitStatus.bug }
}

/** What to know of the run. The values of arguments are left out: they may be nobody else's to see. */
function circumstances(): string {
  const [command = '', ...rest] = process.argv.slice(2)
  const options = rest.filter(argument => /^--?[A-Za-z]/.test(argument)).map(argument => argument.replace(/=.*/s, ''))
  const { version, dependencies } = manifest()
  const [, duckdb] = Object.entries(dependencies).find(([name]) => name.endsWith('duckdb/node-api')) ?? []
  return `tidemark ${version}, DuckDB ${duckdb}, node ${process.versions.node}, ${process.platform} ${process.arch}; command: ${[command, ...options].join(' ')}`
}

function reportsGoTo(): string {
  const { bugs } = manifest()
  const url = typeof bugs === 'string' ? bugs : bugs?.url
  return url === undefined ? ' to whoever maintains your copy of Tidemark' : `: ${url}`
}

function manifest(): Manifest {
  return createRequire(import.meta.url)('tidemark/package.json') as Manifest
}
