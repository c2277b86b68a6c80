import { CommanderError } from 'commander'
import { errorCode, errorText, exitStatus, UserError } from '../errors.ts'
import { FilterError } from '../filter/error.ts'
import { displayWidth, visible } from '../report/text.ts'
import { Interrupted } from './interrupt.ts'

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
  const suggestion = /^\(Did you mean (.*)\?\)$/.exec(rest.join(' '))?.[1]
  const hint = suggestion === undefined ? `${usage} shows what there is` : `did you mean ${suggestion}?`
  return { text: inWords(message.replace(/\.$/, ''), hint), status: exitStatus.usage }
}

const systemErrors: Record<string, [message: string, hint: string]> = {
  ENOSPC: ['no space left on the device', 'free some space, or put the case on another disk with --case DIR'],
  EDQUOT: ['the disk quota is used up', 'free some space, or put the case on another disk with --case DIR'],
  EACCES: ['permission denied', 'check who may read the evidence and write the case'],
  EPERM: ['not permitted', 'check who may read the evidence and write the case'],
  EROFS: ['the file system is read-only', 'put the case somewhere else with --case DIR'],
  ENOTDIR: ['a file where a folder is expected', 'check the name'],
  EEXIST: ['there is something else of that name', 'check the name'],
  EISDIR: ['a folder where a file is expected', 'check the name'],
  ELOOP: ['too many symbolic links', 'name the file itself'],
  ENAMETOOLONG: ['the name is too long', 'use a shorter folder name'],
  EMFILE: ['too many open files', 'raise the limit: ulimit -n 4096'],
  ENFILE: ['too many open files on this machine', 'close other programs'],
  EIO: ['the device failed to read or write', 'copy the evidence to a sound disk and read it there'],
}

/** Failures of the machine that the user can mend; null for everything else. */
function describeSystemError(error: unknown): Failure | null {
  // DuckDB's errors have no code.
  const code = errorCode(error) ?? (/no space left on device/i.test(errorText(error)) ? 'ENOSPC' : '')
  const words = systemErrors[code]
  if (words === undefined) return null
  const [message, hint] = words
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? `: ${error.path}` : ''
  return { text: inWords(`${message}${path}`, hint), status: exitStatus.failed }
}

function describeBug(error: unknown): Failure {
  const stack = error instanceof Error ? (error.stack ?? errorText(error)) : errorText(error)
  const causes = error instanceof Error && error.cause !== undefined ? `\ncaused by: ${errorText(error.cause)}` : ''
  const text = [
    'tidemark: this is a fault of Tidemark, not of the evidence',
    ...`${stack}${causes}`.split('\n').map(line => `  ${visible(line)}`),
    `  hint: please report these lines with the command you gave (node ${process.versions.node}, ${process.platform} ${process.arch})`,
  ]
  return { text: text.join('\n'), status: exitStatus.bug }
}
