/** Subjects from files: one a line, as lists of indicators have them. */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { readUpTo } from '../disk/reading.ts'
import { exitStatus, UserError } from '../errors.ts'
import { parseIndicator } from '../net/indicator.ts'
import { countText, integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { systemFailure } from '../system-error.ts'
import { note } from './output.ts'

export interface ListedSubject {
  /** Canonical. */
  text: string
  path: string
  line: number
}

interface UnreadLine {
  path: string
  line: number
  /** The line without its comment, cut where it is long. */
  text: string
  problem: string
}

export interface ListedSubjects {
  /** Each once, where it stands first. */
  subjects: ListedSubject[]
  /** Lines that name something, whether it could be read or not. */
  lines: number
  problems: BadLines
}

/** Lines that name no address: how many, and the first of them. */
export interface BadLines {
  count: number
  first: UnreadLine[]
}

const listBytesMax = 64 << 20
const shownMax = 80
/** Bad lines that are named one by one. */
const namedAtMost = 20

/**
 * Reads lists of subjects. `#` begins a comment; of a line with columns the first counts.
 *
 * @throws UserError for a file that cannot be read, or has no subject.
 */
export function readSubjects(paths: readonly string[]): ListedSubjects {
  const known = new Map<string, ListedSubject>()
  const problems: BadLines = { count: 0, first: [] }
  let lines = 0
  for (const path of paths) {
    for (const [i, whole] of textOf(path)
      .split(/\r\n|\n|\r/)
      .entries()) {
      const text = whole.replace(/(^|\s)#.*$/, '').trim()
      if (text === '') continue
      lines++
      const word = text.split(/[\s,;]+/)[0]!.replace(/^["']|["']$/g, '')
      const prefix = parseIndicator(word)
      if (prefix === null) {
        problems.count++
        if (problems.first.length === namedAtMost) continue
        const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
        problems.first.push({ path, line: i + 1, text: shown, problem: `not an address or network: ${shown}` })
      } else if (!known.has(prefix.text)) known.set(prefix.text, { text: prefix.text, path, line: i + 1 })
    }
  }
  const subjects = [...known.values()]
  if (subjects.length === 0) {
    throw new UserError(`no address in the list: ${paths.join(', ')}`, {
      hint:
        problems.first[0] === undefined
          ? 'write one address or network a line'
          : `line ${problems.first[0].line}: ${problems.first[0].problem}`,
      status: exitStatus.usage,
    })
  }
  return { subjects, lines, problems }
}

function textOf(path: string): string {
  const bytes = bytesOf(path)
  if (bytes === null) {
    throw new UserError(`a list of subjects exceeds 64 MiB: ${path}`, {
      hint: 'split it into several',
      status: exitStatus.usage,
    })
  }
  return new TextDecoder(encodingOf(bytes)).decode(bytes)
}

/** Null for more than a list may have: what is read counts, for a pipe or a device has no size. */
function bytesOf(path: string): Buffer | null {
  let fd: number | null = null
  try {
    fd = path === '-' ? 0 : openSync(path, 'r')
    return readUpTo(fd, listBytesMax, fstatSync(fd).size)
  } catch (error) {
    throw new UserError(
      `cannot read the list of subjects: ${path}: ${systemFailure(error)?.message ?? String(error)}`,
      {
        hint: 'a list is named after @: tidemark investigate @iocs.txt',
        status: exitStatus.usage,
        cause: error,
      },
    )
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd)
  }
}

/** As its byte order mark says. */
function encodingOf([first, second]: Buffer): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

/** Names the lines of lists that are no subjects, and sets the exit status that goes with them. */
export async function noteBadLines({ count, first }: BadLines): Promise<void> {
  const named = first.map(({ path, line, problem }) => `  ${visible(path)}:${line}: ${visible(problem)}`)
  const more = count - named.length
  if (more > 0) named.push(`  … and ${integerText(more)} more`)
  await note([`tidemark: ${countText(count, 'line')} of the list could not be read`, ...named].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}
