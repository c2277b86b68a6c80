import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { createDocumentedViews } from '../../src/user-sql/views.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { ask, captureOf, talk } from '../handmade.ts'
import { type Chance, chanceFrom, folderFor, setting } from '../robustness/support.ts'
import { writeRandomFolder } from './random-folder.ts'

// A case from which files were removed, or in which they were read again, gives the answers of one that never had the old readings.

const folders = setting('REMOVED_FOLDERS', 5)
const firstSeed = setting('REMOVED_SEED', 1)

interface Plan {
  /** Removed; those of `restored` are put back. */
  removed: string[]
  restored: string[]
  again: string[]
}

function planFor(files: readonly string[], read: ReadonlySet<string>, chance: Chance): Plan {
  // In some cases all of a kind, so that a case of logs and packets becomes one of packets.
  const isLog = (file: string): boolean => !/\.pcap/.test(file)
  const all = chance.maybe(0.2)
  const removed = files.filter(file => (all && isLog(file)) || chance.maybe(0.3))
  const restored = removed.filter(() => !all && chance.maybe(0.3))
  const again = files.filter(file => !removed.includes(file) && read.has(file) && chance.maybe(0.3))
  return { removed, restored, again }
}

test(`a case with removed and superseded files equals one that never had them, in ${folders} random folders`, async t => {
  for (let seed = firstSeed; seed < firstSeed + folders; seed++) {
    const root = folderFor(t)
    const folder = join(root, 'logs')
    const { subjects } = writeRandomFolder(folder, seed)
    writeCaptures(folder)
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const files = names.map(name => join(folder, name)).filter(path => statSync(path).isFile())
    const settings = { workers: 1, rowsPerSegment: 64 * (1 + (seed % 4)) }
    const [dir, other] = [join(root, 'case'), join(root, 'other')]
    const added = await addEvidence({ case: dir, paths: files.sort(), ...settings })
    const read = new Set(added.files.filter(file => file.id !== null).map(file => file.path))
    const { removed, restored, again } = planFor(files, read, chanceFrom(seed))
    if (removed.length > 0) await removeEvidence({ case: dir, files: removed })
    if (again.length > 0) await addEvidence({ case: dir, paths: again, again: true, ...settings })
    if (restored.length > 0) await removeEvidence({ case: dir, files: restored, undo: true })

    // In the same order, by which what is equally good is told apart.
    const kept = files.filter(file => !again.includes(file) && (!removed.includes(file) || restored.includes(file)))
    for (const paths of [kept, again]) if (paths.length > 0) await addEvidence({ case: other, paths, ...settings })
    const where = `seed ${seed}: ${removed.length} removed, ${restored.length} restored, ${again.length} again of ${files.length}`
    if (kept.length + again.length === 0) continue
    const [found, expected] = [await answersOf(dir, subjects), await answersOf(other, subjects)]
    for (const name of Object.keys(expected)) assert.deepEqual(found[name], expected[name], `${where}: ${name}`)
    assert.deepEqual((await verifyWhole(dir)).findings, [], where)
  }
})

function writeCaptures(folder: string): void {
  for (const [i, hour] of [0, 1, 2].entries()) {
    const at = 1_695_900_000 + hour * 3600
    const packets = [
      ...talk({ at, client: `20.106.124.93 4000${i}`, server: '10.0.0.5 443' }),
      ...ask(at + 5, `10.0.0.${i + 5} 5353`, '10.0.0.2 53'),
    ]
    writeFileSync(join(folder, `${i}.pcap`), captureOf(packets))
  }
}

/** Everything that a case is asked, with files by their paths instead of their numbers. */
async function answersOf(dir: string, subjects: string[]): Promise<Record<string, unknown>> {
  const { files, totals, problems, case_records } = await readEvidence(dir)
  const answers: Record<string, unknown> = {
    evidence: plain({ files: files.map(({ id: _, ...file }) => file), totals, problems, case_records }, dir),
  }
  const c = await openCase(dir)
  try {
    answers['columns'] = [...c.columns].sort()
    answers['source'] = c.source
    answers['dossier'] = plain(await investigate(c, subjects), dir)
    for (const request of [
      { limit: null },
      { stat: { element: 'srcip' }, order: 'bytes' as const, limit: null },
      { filter: 'role client', stat: { element: 'dstip' }, order: 'bytes' as const, limit: null },
      { stat: { element: 'sensor' }, limit: null },
    ]) {
      const result = await queryFlows(c, request)
      const rows: unknown[] = []
      for await (const row of result.rows()) rows.push(row)
      const { counting, total_rows, columns } = result
      answers[JSON.stringify(request)] = plain({ counting, total_rows, columns, rows }, dir)
    }
    Object.assign(answers, await cached(c, dir))
    await createDocumentedViews(c)
    for (const view of ['flows', 'packet_flows', 'connections', 'silence', 'evidence', 'problems', 'coverage'])
      answers[`view ${view}`] = await rowsOf(c, `SELECT * FROM ${view}`, dir)
    answers['by any DuckDB'] = await totalsByPrintedSql(c)
  } finally {
    await c.close()
  }
  return answers
}

/** What the question before left in the tables that are kept in `cache/`. */
async function cached(c: Case, dir: string): Promise<Record<string, unknown>> {
  const found = await c.db.rows(
    `SELECT table_name AS name FROM duckdb_tables() WHERE table_name LIKE 'collapsed%' OR table_name LIKE 'roles%' ORDER BY 1`,
  )
  const answers: Record<string, unknown> = {}
  for (const row of found) {
    const name = String(row['name'])
    answers[name] = await rowsOf(c, `SELECT * FROM "${name}"`, dir)
  }
  return answers
}

async function totalsByPrintedSql(c: Case): Promise<unknown> {
  const { sql } = await queryFlows(c, { stat: { element: 'protocol' }, limit: null, raw: true })
  return plain(await c.db.rows(sql), c.dir)
}

/** Rows in an order of their own. */
async function rowsOf(c: Case, statement: string, dir: string): Promise<string[]> {
  const paths = new Map(c.evidence.map(file => [file.id, file.path]))
  const rows = await c.db.rows(statement)
  const named = rows.map(({ _file, id, ...row }) => ({
    ...row,
    ...(_file !== undefined && { file: paths.get(Number(_file)) ?? 'none' }),
    ...(id != null && { id: 'a number' }),
  }))
  return named.map(row => JSON.stringify(plain(row, dir))).sort()
}

/** Lists in the order in which batches of files were entered, which is left to chance. */
const unordered = new Set(['problems', 'gaps'])

/** Plain data, without SQL and without the folder of the case. */
function plain(value: unknown, dir: string): unknown {
  const text = JSON.stringify(value, (key, one: unknown) => {
    if (key === 'sql' || key === 'shell' || key === '_file') return undefined
    if (unordered.has(key) && Array.isArray(one)) return one.map(item => JSON.stringify(item)).sort()
    return typeof one === 'bigint' ? String(one) : one
  })
  return JSON.parse(text.replaceAll(dir, 'CASE'))
}
