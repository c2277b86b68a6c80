/** A file of the user's that enriches: its bytes, its digest, and what in it could not be read. */
import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import { readNamed } from '../disk/named-file.ts'
import type { EnrichmentKind, EnrichmentProblem } from './enrichment-file.ts'

export interface SourceFile {
  path: string
  bytes: Buffer
  sha256: string
}

/** @throws UserError where it is not there, is no regular file, or is larger than `megabytes`. */
export function readSource(path: string, kind: EnrichmentKind, megabytes: number): SourceFile {
  const bytes = readNamed(`--${kind} ${path}`, path, megabytes)
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Problems of one file: the first ones, and how many more. */
export class Problems {
  private readonly kept: EnrichmentProblem[] = []
  private more = 0
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  add(problem: string, line?: number): void {
    if (this.kept.length < problemsMost)
      this.kept.push({ path: this.path, ...(line !== undefined && { line }), problem })
    else this.more++
  }

  list(): EnrichmentProblem[] {
    if (this.more === 0) return this.kept
    return [...this.kept, { path: this.path, problem: `${this.more} more that could not be read` }]
  }
}

const problemsMost = 1000

/** What a problem quotes of the file, which may be of any length. */
export function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** A list is called as its file, without the ending. */
export function listName(path: string): string {
  return basename(path, extname(path))
}
