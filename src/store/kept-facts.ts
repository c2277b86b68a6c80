/** What the footers of a case's segments say of their columns: of a large case kept in `cache/`, for there are many to read. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type CacheFile, isSameAs, keepCached, openCached } from './cache.ts'
import type { Case } from './case.ts'
import { segmentPath } from './files.ts'
import type { SegmentEntry } from './ledger.ts'
import { DamagedSections, SectionWriter } from './section-file.ts'
import { type ColumnFacts, columnFacts } from './statistics.ts'

type Kind = Extract<SegmentEntry['kind'], 'flows' | 'packet-flows'>

/** Changes with what is kept. */
const rule = 1

const keptName = (kind: Kind): string => `columns-of-${kind}-${rule}`

/** What was read of the segments of open cases: they never change. */
const known = new WeakMap<Case['segments'], Map<Kind, ColumnFacts>>()

/** @param isLarge whether it is kept. */
export async function factsOf(c: Case, kind: Kind, isLarge: boolean): Promise<ColumnFacts> {
  let facts = known.get(c.segments)?.get(kind)
  if (facts === undefined) {
    facts = isLarge && c.usesCache ? await ofCache(c, kind) : await readFacts(c, kind)
    known.set(c.segments, (known.get(c.segments) ?? new Map()).set(kind, facts))
  }
  return facts
}

async function ofCache(c: Case, kind: Kind): Promise<ColumnFacts> {
  const key = { what: keptName(kind), head: c.head }
  const file = await openCached(c.dir, key)
  if (file !== null) {
    try {
      const kept = JSON.parse(Buffer.from(file.about).toString()) as Record<keyof ColumnFacts, string[]>
      return { withNulls: new Set(kept.withNulls), fourOnly: new Set(kept.fourOnly) }
    } catch (error) {
      // They are read again.
      if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof DamagedSections)) throw error
    } finally {
      file.close()
    }
  }
  const facts = await readFacts(c, kind)
  await keepCached(c.dir, key, async path => write(path, facts), 'sections')
  return facts
}

function readFacts({ db, dir, segments }: Case, kind: Kind): Promise<ColumnFacts> {
  return columnFacts(
    db,
    segments.filter(segment => segment.kind === kind).map(segment => segmentPath(dir, segment.name)),
  )
}

function write(path: string, { withNulls, fourOnly }: ColumnFacts): void {
  const writer = new SectionWriter(path)
  try {
    writer.finish(Buffer.from(JSON.stringify({ withNulls: [...withNulls].sort(), fourOnly: [...fourOnly].sort() })))
  } finally {
    writer.close()
  }
}

/** Whether a file of the cache is what the segments say; null where it is of another kind. */
export async function areFactsOf(c: Case, kept: CacheFile): Promise<boolean | null> {
  const kind = (['flows', 'packet-flows'] as const).find(one => keptName(one) === kept.what)
  if (kind === undefined) return null
  const path = join(c.temp, `${kept.what}-again`)
  try {
    write(path, await readFacts(c, kind))
    return await isSameAs(path, kept)
  } finally {
    await rm(path, { force: true })
  }
}
