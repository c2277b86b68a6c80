/** The long lists of answers, in files without a name: the newest answers' stay, and all are gone with the server however it ends. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { readAll } from '../disk/scratch.ts'
import type { WrittenLists } from './page-file.ts'

interface Kept {
  fd: number
  lists: WrittenLists
}

/** Answers whose lists are kept. */
const keptMax = 12
const rowsMax = 1000
const bytesMax = 8 << 20

export class KeptLists {
  private readonly kept = new Map<string, Kept>()
  /** Jobs by what they were asked. */
  private readonly jobs = new Map<string, string>()

  /** Takes a file that a child wrote; nothing else can open it any more. @returns what to ask its rows by. */
  take(path: string, lists: WrittenLists): string {
    const fd = openSync(path, 'r')
    try {
      unlinkSync(path)
    } catch {
      // Not while it is open, on Windows.
    }
    const id = randomBytes(9).toString('base64url')
    this.kept.set(id, { fd, lists })
    for (const old of [...this.kept.keys()].slice(0, -keptMax)) this.drop(old)
    return id
  }

  has(id: string): boolean {
    return this.kept.has(id)
  }

  /** Rows of a list as the answer's JSON, fewer than asked for where they are long; null where they are not kept. */
  page(id: string, name: string, from: number, count: number): string | null {
    const kept = this.kept.get(id)
    const list = kept !== undefined && Object.hasOwn(kept.lists, name) ? kept.lists[name] : undefined
    if (kept === undefined || list === undefined) return null
    this.kept.delete(id)
    this.kept.set(id, kept)
    const first = Math.min(from, list.rows)
    const wanted = Math.min(count, rowsMax, list.rows - first)
    const places = new Float64Array(wanted + 1)
    readWhole(kept.fd, new Uint8Array(places.buffer), list.index + 8 * first)
    let rows = wanted
    while (rows > 1 && places[rows]! - places[0]! > bytesMax) rows--
    const text = Buffer.alloc(places[rows]! - places[0]!)
    readWhole(kept.fd, text, places[0]!)
    const lines = text.toString('utf8').trimEnd().replaceAll('\n', ',')
    return `{"from":${first},"total":${list.rows},"rows":[${lines}]}`
  }

  /** The job that works on a question, or did; null: none that is known. */
  jobOf(question: string): string | null {
    return this.jobs.get(question) ?? null
  }

  noteJob(question: string, job: string): void {
    this.jobs.delete(question)
    this.jobs.set(question, job)
    for (const old of [...this.jobs.keys()].slice(0, -4 * keptMax)) this.jobs.delete(old)
  }

  close(): void {
    for (const id of [...this.kept.keys()]) this.drop(id)
  }

  private drop(id: string): void {
    closeSync(this.kept.get(id)!.fd)
    this.kept.delete(id)
  }
}

function readWhole(fd: number, into: Uint8Array, from: number): void {
  if (!readAll(fd, into, from)) throw new Error('a file of lists ends too early')
}
