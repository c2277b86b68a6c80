/** Subjects from files: one a line, as lists of indicators have them. */
import { readFileSync } from 'node:fs'
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

export interface ListedSubjects {
  /** Each once, where it stands first. */
  subjects: ListedSubject[]
  /** Lines that name no address. */
  problems: { path: string; line: number; problem: string }[]
}

const listBytesMax = 64 << 20
const shownMax = 80

/**
 * Reads lists of subjects. `#` begins a comment; of a line with columns the first counts.
 *
 * @throws UserError for a file that cannot be read, or has no subject.
 */
export function readSubjects(paths: readonly string[]): ListedSubjects {
  const known = new Map<string, ListedSubject>()
  const problems: ListedSubjects['problems'] = []
  for (const path of paths) {
    for (const [i, whole] of textOf(path)
      .split(/\r\n|\n|\r/)
      .entries()) {
      const text = whole
        .replace(/^\uFEFF/, '')
        .replace(/(^|\s)#.*$/, '')
        .trim()
      if (text === '') continue
      const word = text.split(/[\s,;]+/)[0]!.replace(/^["']|["']$/g, '')
      const prefix = parseIndicator(word)
      if (prefix === null) {
        const shown = word.length > shownMax ? `${word.slice(0, shownMax)}…` : word
        problems.push({ path, line: i + 1, problem: `not an address or network: ${shown}` })
      } else if (!known.has(prefix.text)) known.set(prefix.text, { text: prefix.text, path, line: i + 1 })
    }
  }
  const subjects = [...known.values()]
  if (subjects.length === 0) {
    throw new UserError(`no address in the list: ${paths.join(', ')}`, {
      hint:
        problems.length === 0
          ? 'write one address or network a line'
          : `line ${problems[0]!.line}: ${problems[0]!.problem}`,
      status: exitStatus.usage,
    })
  }
  return { subjects, problems }
}

function textOf(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path === '-' ? 0 : path)
  } catch (error) {
    throw new UserError(
      `cannot read the list of subjects: ${path}: ${systemFailure(error)?.message ?? String(error)}`,
      {
        hint: 'a list is named after @: tidemark investigate @iocs.txt',
        status: exitStatus.usage,
        cause: error,
      },
    )
  }
  if (bytes.length > listBytesMax) {
    throw new UserError(`a list of subjects exceeds 64 MiB: ${path}`, {
      hint: 'split it into several',
      status: exitStatus.usage,
    })
  }
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  return bytes.toString(isUtf16 ? 'utf16le' : 'utf8')
}

const namedAtMost = 20

/** Names the lines of lists that are no subjects, and sets the exit status that goes with them. */
export async function noteBadLines(problems: ListedSubjects['problems']): Promise<void> {
  const named = problems
    .slice(0, namedAtMost)
    .map(({ path, line, problem }) => `  ${visible(path)}:${line}: ${visible(problem)}`)
  const more = problems.length - named.length
  if (more > 0) named.push(`  … and ${integerText(more)} more`)
  await note([`tidemark: ${countText(problems.length, 'line')} of the list could not be read`, ...named].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}
