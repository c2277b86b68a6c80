import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { readLedger } from '../../src/store/ledger.ts'
import { removeEvidence } from '../../src/store/remove.ts'
import { notOfFiles } from '../../src/store/standing.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { assertSound, defaultHeader, folderFor, logOf, recordLine, recordsOfFiles } from '../robustness/support.ts'
import { forge } from './forged.ts'

class Ground {
  readonly root: string
  readonly dir: string

  constructor(t: TestContext, files: Record<string, string>) {
    this.root = folderFor(t)
    this.dir = join(this.root, 'case')
    mkdirSync(join(this.root, 'logs'))
    for (const [name, content] of Object.entries(files)) writeFileSync(this.path(name), content)
  }

  path(name: string): string {
    return join(this.root, 'logs', name)
  }

  add(names: string[], options: Partial<AddOptions> = {}) {
    return addEvidence({ case: this.dir, paths: names.map(name => this.path(name)), workers: 1, ...options })
  }

  remove(names: string[], options: { undo?: boolean; reason?: string } = {}) {
    return removeEvidence({ case: this.dir, files: names.map(name => this.path(name)), ...options })
  }

  /** Records of each file, by name. */
  async held(): Promise<Record<string, number>> {
    const files = [...(await recordsOfFiles(this.dir))]
    return Object.fromEntries(files.map(([path, { records }]) => [path.slice(this.root.length + 6), records]))
  }

  async events(name: string): Promise<string[][]> {
    const { history } = await readEvidence(this.dir)
    return history.filter(file => file.path === this.path(name)).map(file => file.events.map(event => event.what))
  }
}

async function refused(work: Promise<unknown>, message: RegExp, hint: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert(error instanceof UserError, String(error))
    assert.match(error.message, message)
    assert.match(error.hint ?? '', hint)
    assert.equal(error.status, 2)
    return true
  })
}

const three = { 'a.log': logOf(10), 'b.log': logOf(20, 100), 'c.log': logOf(30, 200) }

test('a removed file counts in nothing, its segment stays, and --undo puts it back', async t => {
  const ground = new Ground(t, three)
  await ground.add([''])
  const before = await readLedger(ground.dir)
  const report = await ground.remove(['b.log'], { reason: 'another account' })
  assert.deepEqual([report.case_records, report.files.length, report.entries], [40, 1, [2]])
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'c.log': 30 })
  const { files, totals, case_records, history } = await readEvidence(ground.dir)
  assert.deepEqual([files.length, totals.records, case_records], [2, 40, 40])
  assert.deepEqual(
    history.map(({ path, counts, events }) => [
      path,
      counts,
      events.map(event => [event.what, event.entry, event.reason]),
    ]),
    [
      [
        ground.path('b.log'),
        false,
        [
          ['added', 1, null],
          ['removed', 2, 'another account'],
        ],
      ],
    ],
  )
  assert.deepEqual((await verifyCase(ground.dir)).findings, [])
  const after = await readLedger(ground.dir)
  assert.deepEqual(after.entries.slice(0, 2), before.entries)

  await ground.remove(['b.log'], { undo: true })
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'b.log': 20, 'c.log': 30 })
  assert.deepEqual(await ground.events('b.log'), [['added', 'removed', 'restored']])
  await assertSound(ground.dir)
})

test('verify checks the segments of removed files; whoever asks does not need those of which nothing counts', async t => {
  const ground = new Ground(t, three)
  await ground.add(['a.log'])
  await ground.add(['b.log'])
  await ground.remove(['b.log'])
  const { entries } = await readLedger(ground.dir)
  const [added] = entries.filter(entry => entry.type === 'added').slice(-1)
  rmSync(join(ground.dir, 'segments', added!.segments[0]!.name))
  const { intact, findings } = await verifyCase(ground.dir)
  assert.deepEqual([intact, findings[0]?.what], [false, 'missing'])
  assert.deepEqual(await ground.held(), { 'a.log': 10 })
  // What is added next leaves what the ledger names alone.
  await ground.add(['c.log'])
  assert.equal((await verifyCase(ground.dir)).findings.length, 1)
})

test('a reader that has opened the case before keeps what it sees', async t => {
  const ground = new Ground(t, three)
  await ground.add([''])
  const c = await openCase(ground.dir)
  t.after(() => c.close())
  await ground.remove(['a.log', 'b.log', 'c.log'])
  const [row] = await c.db.rows('SELECT count(*) AS n FROM flows')
  assert.equal(Number(row!['n']), 60)
  assert.deepEqual(await ground.held(), {})
})

test('what was read in a wrong way is read again, and the earlier reading no longer counts', async t => {
  const swapped = defaultHeader.replace('srcaddr dstaddr', 'dstaddr srcaddr')
  const ground = new Ground(t, { 'h.log': `${recordLine(1)}\n${recordLine(2)}\n`, 'a.log': logOf(10) })
  await ground.add(['h.log', 'a.log'], { format: swapped })
  const source = async (): Promise<unknown> => {
    const c = await openCase(ground.dir)
    try {
      return (await c.db.rows(`SELECT DISTINCT ip4(srcaddr) AS a FROM flows WHERE _line = 1`)).map(row => row['a'])
    } finally {
      await c.close()
    }
  }
  assert.deepEqual(await source(), ['10.0.0.1'])
  const plain = await ground.add(['h.log'], { format: 'default' })
  assert.match(plain.files[0]?.problem ?? '', /already in the case; tidemark add --again reads it once more/)
  const again = await ground.add(['h.log'], { format: 'default', again: true })
  assert.deepEqual([again.totals.records, again.case_records], [2, 12])
  assert.deepEqual(await source(), ['198.51.100.1'])
  assert.deepEqual(await ground.held(), { 'h.log': 2, 'a.log': 10 })
  assert.deepEqual(await ground.events('h.log'), [['added', 'superseded']])
  await assertSound(ground.dir)
  // A reading that finds nothing does not take the place of one that did.
  const failed = await ground.add(['h.log'], { again: true })
  assert.deepEqual([failed.files[0]?.status, failed.case_records], ['unreadable', 12])
  assert.match(failed.files[0]?.problem ?? '', /the earlier reading of it stays/)
  assert.equal((await readEvidence(ground.dir)).problems.length, 0)
})

test('the same content read again in one run is read once', async t => {
  const ground = new Ground(t, { 'a.log': logOf(10), 'copy.log': logOf(10) })
  await ground.add(['a.log'])
  const report = await ground.add([''], { again: true, workers: 2 })
  assert.deepEqual(report.files.map(file => file.status).sort(), ['duplicate', 'read'])
  assert.equal(report.case_records, 10)
  await assertSound(ground.dir)
})

test('what was not read is no gap once its content was, under whatever path', async t => {
  const ground = new Ground(t, { 'h.log': `${recordLine(1)}\n` })
  await ground.add([''])
  const [{ problems }, copy] = [await readEvidence(ground.dir), join(ground.root, 'copy.log')]
  assert.equal(problems.length, 1)
  writeFileSync(copy, readFileSync(ground.path('h.log')))
  await addEvidence({ case: ground.dir, paths: [copy], format: 'default', workers: 1 })
  const c = await openCase(ground.dir)
  t.after(() => c.close())
  const dossier = await investigate(c, ['198.51.100.1'])
  assert.deepEqual([dossier.attack_surface.complete, dossier.problems.length], [true, 0])
  // Also when the reading that counts was removed and put back meanwhile.
  await removeEvidence({ case: ground.dir, files: [copy] })
  await ground.add(['h.log'])
  assert.equal((await readEvidence(ground.dir)).problems.length, 1)
  await removeEvidence({ case: ground.dir, files: [copy], undo: true })
  assert.equal((await readEvidence(ground.dir)).problems.length, 0)
})

test('what was named and cannot be read is removed too, and is no gap then, also when its folder is added again', async t => {
  const ground = new Ground(t, { 'a.log': logOf(10), 'notes.txt': 'nothing', 'x.xz': '\xfd7zXZ\0\0\x04' })
  writeFileSync(ground.path('x.xz'), Buffer.from('\xfd7zXZ\0\0\x04 whatever', 'latin1'))
  await ground.add(['a.log', 'notes.txt', 'x.xz'])
  assert.equal((await readEvidence(ground.dir)).problems.length, 2)
  rmSync(ground.path('notes.txt'))
  await ground.remove(['notes.txt', 'x.xz'])
  assert.equal((await readEvidence(ground.dir)).problems.length, 0)
  const again = await ground.add([''])
  assert.deepEqual(
    again.files.map(file => [file.path.split('/').at(-1), file.status]),
    [
      ['a.log', 'duplicate'],
      ['x.xz', 'duplicate'],
    ],
  )
  assert.match(
    again.files[1]?.problem ?? '',
    /^removed from the case: tidemark remove --undo puts it back \(byte 0: xz: the header is damaged/,
  )
  assert.equal((await readEvidence(ground.dir)).problems.length, 0)
  // Whoever names it means it.
  await ground.add(['x.xz'])
  assert.equal((await readEvidence(ground.dir)).problems.length, 1)
})

test('removed content stays out when its folder is added again, and is read when it is named', async t => {
  const ground = new Ground(t, three)
  await ground.add([''])
  await ground.remove(['b.log'])
  const folder = await ground.add([''], { again: true })
  assert.equal(folder.case_records, 40)
  assert.match(folder.files[1]?.problem ?? '', /which was removed from the case: tidemark remove --undo/)
  assert.equal((await ground.add(['b.log'])).case_records, 60)
  await refused(ground.remove(['b.log'], { undo: true }), /the same content was read again since/, /evidence shows/)
  await ground.remove(['b.log'])
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'c.log': 30 })
  await ground.remove(['b.log'], { undo: true })
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'b.log': 20, 'c.log': 30 })
  await assertSound(ground.dir)
})

test('files are named by path, folder or digest, and a name that means none changes nothing', async t => {
  const ground = new Ground(t, three)
  await ground.add([''])
  const head = readFileSync(join(ground.dir, 'ledger.head'))
  await refused(ground.remove(['a.log', 'd.log']), /not in the case: .*d\.log/, /tidemark evidence lists/)
  await refused(
    removeEvidence({ case: ground.dir, files: ['a.log'] }),
    /not in the case/,
    /did you mean .*logs\/a\.log/,
  )
  await refused(ground.remove(['a.log'], { undo: true }), /not removed/, /./)
  assert.deepEqual(readFileSync(join(ground.dir, 'ledger.head')), head)
  const { files } = await readEvidence(ground.dir)
  await removeEvidence({ case: ground.dir, files: [files[2]!.sha256!.slice(0, 12).toUpperCase()] })
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'b.log': 20 })
  await refused(ground.remove(['c.log']), /removed already/, /--undo/)
  await ground.remove([''])
  assert.deepEqual(await ground.held(), {})
  await ground.remove([''], { undo: true })
  assert.deepEqual(await ground.held(), { 'a.log': 10, 'b.log': 20, 'c.log': 30 })
  await assert.rejects(removeEvidence({ case: join(ground.root, 'none'), files: ['a.log'] }), /no case here/)
  assert.equal(existsSync(join(ground.root, 'none')), false)
})

test('a ledger that refers to a file that is not there, or to another, is not accepted', async t => {
  const ground = new Ground(t, three)
  await ground.add([''])
  await ground.remove(['a.log'])
  const removed = (await readLedger(ground.dir)).entries[2]
  assert(removed?.type === 'removed')
  const original = removed.files[0]!
  for (const change of [{ entry: 0 }, { at: 9 }, { entry: 2 }, { id: 2 }, { sha256: '0'.repeat(64) }, { id: null }]) {
    forge(ground.dir, entries => Object.assign((entries[2]!['files'] as object[])[0]!, { ...original, ...change }))
    await assert.rejects(openCase(ground.dir), /line 3 .*files\.0: no such file in entry/, JSON.stringify(change))
    assert.equal((await verifyCase(ground.dir)).intact, false)
  }
  forge(ground.dir, entries => Object.assign(entries[2]!, { type: 'renamed' }))
  await assert.rejects(openCase(ground.dir), /type: "renamed" is unknown to this version of Tidemark; a newer one/)
})

test('files are left out by single numbers and by runs', () => {
  assert.equal(notOfFiles([3]), '_file NOT IN (3)')
  assert.equal(notOfFiles([5, 3, 3, 4]), '_file NOT IN (3, 4, 5)')
  assert.equal(notOfFiles([9, 2, 3, 4, 5, 7]), '_file NOT BETWEEN 2 AND 5 AND _file NOT IN (7, 9)')
  assert.equal(notOfFiles([1, 2, 3, 4]), '_file NOT BETWEEN 1 AND 4')
})
