/** Which days there are, and how far each was looked at: on the disk before anything rests on it. */
import { join } from 'node:path'
import { readSmallIfThere } from '../disk/reading.ts'
import { replaceFile } from '../disk/writing.ts'
import { UserError } from '../errors.ts'
import { count, fit, listOf, nullOr, objectOf, recordOf, text, textThat } from '../shape.ts'
import type { Day } from './days.ts'
import { watchNames } from './layout.ts'

const bytesMax = 64 << 20

/** By day that this watch made a case for: the last entry of its ledger that was looked at; null: none. */
export class LookedDays {
  private readonly path: string
  private readonly days: Map<Day, string | null>

  private constructor(path: string, days: Map<Day, string | null>) {
    this.path = path
    this.days = days
  }

  static open(dir: string): LookedDays {
    const path = join(dir, watchNames.looked)
    const value = jsonAt(path)
    const read = value === undefined ? { value: {}, fault: null } : fit(recordOf(nullOr(text)), value)
    if (read.value === null) throw strange(path, read.fault)
    return new LookedDays(path, new Map(Object.entries(read.value)))
  }

  has(day: Day): boolean {
    return this.days.has(day)
  }

  head(day: Day): string | null {
    return this.days.get(day) ?? null
  }

  async set(heads: Iterable<readonly [Day, string | null]>): Promise<void> {
    for (const [day, head] of heads) this.days.set(day, head)
    await this.write()
  }

  async drop(day: Day): Promise<void> {
    this.days.delete(day)
    await this.write()
  }

  private async write(): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify(Object.fromEntries(this.days))}\n`)
  }
}

const growingShape = listOf(objectOf({ day: text, sha256: text, path: text, later: text, after: count }))

/** A reading that gives way to a later one of the same file, which has grown. */
export interface Growing {
  day: Day
  /** Of the earlier reading. */
  sha256: string
  path: string
  /** Of what it has grown to. */
  later: string
  /** The largest number of a file in any case when this was noted: the later reading has a larger one, and may hold more than was noted. */
  after: number
}

export function growingIn(dir: string): Growing[] {
  const path = join(dir, watchNames.growing)
  const read = fit(growingShape, jsonAt(path) ?? [])
  if (read.value === null) throw strange(path, read.fault)
  return read.value
}

export async function noteGrowing(dir: string, growing: readonly Growing[]): Promise<void> {
  await replaceFile(join(dir, watchNames.growing), `${JSON.stringify(growing)}\n`)
}

const positionShape = objectOf({ from: textThat(one => /^\d{4}-\d\d-\d\d$/.test(one), 'not a day') })

/** The first day of a bucket that may hold objects which were not read; null: it was never listed. */
export function positionIn(dir: string): Day | null {
  const path = join(dir, watchNames.position)
  const value = jsonAt(path)
  if (value === undefined) return null
  const read = fit(positionShape, value)
  if (read.value === null) throw strange(path, read.fault)
  return read.value.from
}

export async function notePosition(dir: string, from: Day): Promise<void> {
  await replaceFile(join(dir, watchNames.position), `${JSON.stringify({ from })}\n`)
}

function jsonAt(path: string): unknown {
  const bytes = readSmallIfThere(path, 'refuse', bytesMax)
  if (bytes === null) return undefined
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw strange(path, 'not JSON')
  }
}

function strange(path: string, fault: string): UserError {
  return new UserError(`not what tidemark watch writes: ${path}: ${fault}`, {
    hint: 'watch with a new folder (--out); the cases of the days are good as they are',
  })
}
