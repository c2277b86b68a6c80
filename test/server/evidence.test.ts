import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { AddAnswer } from '../../src/server/contract/adding.ts'
import {
  type EvidenceAnswer,
  type EvidenceAsk,
  type FileRow,
  fileChoices,
  fileOrders,
  type ProblemsAnswer,
  type RemoveAnswer,
  type VerifyAnswer,
} from '../../src/server/contract/evidence.ts'
import { addingWork } from '../../src/server/work/adding.ts'
import { evidenceWork } from '../../src/server/work/evidence.ts'
import { keepingWork } from '../../src/server/work/keeping.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { asked } from './asking.ts'

const usual: EvidenceAsk = { offset: 0, count: 500, order: 'path', descending: false, text: '', only: 'all' }

describe('evidence', () => {
  let work: Work
  let dir: string

  before(async () => {
    work = workFolder()
    dir = join(work.root, 'case')
    const logs = join(work.root, 'logs')
    mkdirSync(logs)
    for (let file = 0; file < 30; file++) {
      const lines = Array.from({ length: 1 + ((file * 7) % 11) }, (_, i) => recordLine(file * 100 + i))
      const wrong = file % 5 === 0 ? ['no record', 'nor this'] : []
      writeFileSync(join(logs, `${file}.log`), `${[defaultHeader, ...lines, ...wrong].join('\n')}\n`)
    }
    writeFileSync(join(logs, 'cut.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]))
    await addEvidence({ case: dir, paths: [logs], workers: 1 })
  })
  after(() => work.close())

  const ask = async (change: Partial<EvidenceAsk>): Promise<EvidenceAnswer> => {
    const c = await openCase(dir)
    try {
      return await asked(evidenceWork, c, 'evidence', { ...usual, ...change } satisfies EvidenceAsk)
    } finally {
      await c.close()
    }
  }

  test('is that of the command, in any order, choice and part', async () => {
    const report = await readEvidence(dir)
    const all = await ask({})
    assert.deepEqual(
      all.files.map(({ laws: _, problems: __, ...file }) => file),
      report.files,
    )
    assert.deepEqual(all.totals, report.totals)
    assert.equal(all.problems_total, report.problems.length)
    for (const order of fileOrders)
      for (const only of fileChoices) {
        const whole = await ask({ order, only })
        const down = await ask({ order, only, descending: true })
        const parts: FileRow[] = []
        for (let offset = 0; offset < whole.matching; offset += 7)
          parts.push(...(await ask({ order, only, offset, count: 7 })).files)
        assert.deepEqual(parts, whole.files)
        const isKnown = (file: FileRow): boolean =>
          !(order === 'first' && file.first_start === null) && !(order === 'kind' && file.kind === null)
        const known = whole.files.filter(isKnown)
        const unknown = whole.files.filter(file => !isKnown(file))
        assert.deepEqual(whole.files, [...known, ...unknown])
        assert.deepEqual(down.files, [...known.reverse(), ...unknown])
      }
    const troubled = (await ask({ only: 'troubled' })).files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
    assert.deepEqual(troubled.sort(), ['0.log', '10.log', '15.log', '20.log', '25.log', '5.log', 'cut.gz'])
    assert.deepEqual((await ask({ text: all.files[3]!.sha256!.slice(0, 12) })).files, [all.files[3]])
  })

  test('of every file adds up', async () => {
    const { files, laws } = await ask({})
    for (const file of files.filter(({ status }) => status === 'read')) {
      const [law] = file.laws
      assert.equal(law!.whole, file.lines)
      assert.equal(law!.missing, 0)
    }
    assert.deepEqual(
      laws.map(({ missing }) => missing),
      [0],
    )
  })

  test('names places that are in no record, with the number of their file', async () => {
    const c = await openCase(dir)
    try {
      const path = join(work.root, 'logs', '5.log')
      const { problems, total } = await asked<ProblemsAnswer>(evidenceWork, c, 'problems', {
        path,
        offset: 0,
        count: 10,
      })
      assert.equal(total, problems.length)
      const id = c.evidence.find(file => file.path === path)!.id
      for (const problem of problems) assert.equal(problem.file, id)
      assert.ok(problems.some(({ line }) => line !== undefined))
    } finally {
      await c.close()
    }
  })

  test('counts what is wrong with a file once, where all files are asked for', async () => {
    const [caseDir, path] = [join(work.root, 'repeated-case'), join(work.root, 'repeated.log')]
    const lines = Array.from({ length: 4 }, (_, i) => [recordLine(i), 'no record']).flat()
    writeFileSync(path, `${[defaultHeader, ...lines].join('\n')}\n`)
    await addEvidence({ case: caseDir, paths: [path, join(work.root, 'logs', 'cut.gz')], workers: 1 })
    const c = await openCase(caseDir)
    try {
      const ask = { path: '', offset: 0, count: 10 }
      const all = await asked<ProblemsAnswer>(evidenceWork, c, 'problems', ask)
      assert.equal(all.total, 2)
      const { line, places } = all.problems.find(one => one.path === path)!
      assert.deepEqual([line, places], [3, 4])
      const own = await asked<ProblemsAnswer>(evidenceWork, c, 'problems', { ...ask, path })
      assert.deepEqual(
        own.problems.map(({ line, places }) => [line, places]),
        [3, 5, 7, 9].map(line => [line, 1]),
      )
    } finally {
      await c.close()
    }
  })

  test('of a folder that was replaced while it was open, that is said', async () => {
    await assert.rejects(openCase(dir, { head: '0'.repeat(64) }), error => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, /folder of the case was replaced while it was open/)
      assert.match(error.hint!, /Load the new records/)
      return true
    })
  })

  test('is as the state of the case that is open, whatever is added meanwhile', async () => {
    const c = await openCase(dir)
    try {
      const more = join(work.root, 'more.log')
      writeFileSync(more, `${defaultHeader}\n${recordLine(9999)}\n`)
      const told: (string | null)[] = []
      const context = {
        signal: new AbortController().signal,
        progress: ({ doing }: { doing: string }) => void told.push(doing),
      }
      const added = (await addingWork['add']!(dir, { paths: [more] } as never, context)) as AddAnswer
      assert.equal(added.files.read, 1)
      assert.equal(added.records, 1)
      assert.ok(told.length > 0)
      const before = await asked<EvidenceAnswer>(evidenceWork, c, 'evidence', usual)
      assert.equal(before.all, 31)
      assert.equal((await ask({})).all, 32)
    } finally {
      await c.close()
    }
  })

  test('is taken out and put back, and stays verified', async () => {
    const path = join(work.root, 'logs', '1.log')
    const context = { signal: new AbortController().signal, progress: () => undefined }
    const keep = async <Answer>(kind: string, question: unknown): Promise<Answer> =>
      (await keepingWork[kind]!(dir, question as never, context)) as Answer
    const { all } = await ask({})
    const removed = await keep<RemoveAnswer>('remove', { files: [path], undo: false, reason: 'not ours' })
    assert.equal(removed.files.length, 1)
    const without = await ask({})
    assert.equal(without.all, all - 1)
    assert.equal(without.history[0]!.events.at(-1)!.reason, 'not ours')
    await keep<RemoveAnswer>('remove', { files: [path], undo: true, reason: '' })
    assert.equal((await ask({})).all, all)
    const { intact, findings } = await keep<VerifyAnswer>('verify', {})
    assert.deepEqual({ intact, findings }, { intact: true, findings: [] })
  })

  test('that is stopped in the midst has the files that were complete, and no others', async () => {
    const many = join(work.root, 'many')
    mkdirSync(many)
    const of = 300
    for (let file = 0; file < of; file++)
      writeFileSync(join(many, `${file}.log`), `${defaultHeader}\n${recordLine(10_000 + file)}\n`)
    const stopping = new AbortController()
    const context = { signal: stopping.signal, progress: () => stopping.abort(new Error('stopped')) }
    const answer = await (addingWork['add']!(dir, { paths: [many] } as never, context) as Promise<AddAnswer>)
    assert.equal(answer.interrupted, true)
    assert.ok(answer.files.read < of, `${answer.files.read}`)
    const { files } = await ask({ text: many })
    assert.equal(files.length, answer.files.read)
    assert.ok(files.every(({ status, records }) => status === 'read' && records === 1))
  })
})
