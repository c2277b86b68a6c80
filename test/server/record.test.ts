import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { RecordAnswer } from '../../src/server/contract/record.ts'
import { recordWork } from '../../src/server/work/record.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { type Work, workFolder, writeRandomNfcapd } from '../flows/support.ts'
import { asked } from './asking.ts'

describe('one record', () => {
  let work: Work
  let c: Case
  const ask = (file: number | string, line: number): Promise<RecordAnswer> =>
    asked<RecordAnswer>(recordWork, c, 'record', { file: String(file), line })
  const fileOf = (name: string) => c.evidence.find(({ path }) => path.endsWith(name))!

  before(async () => {
    work = workFolder()
    const odd = ['2 1 eni-a - - - - - - - 1700000000 1700000060 - NODATA -', 'this is no line of a flow log', '']
    const lines = randomLines(60, 3)
    writeLog(join(work.root, 'plain.log'), [...lines.slice(0, 20), ...odd, ...lines.slice(20)])
    writeLog(join(work.root, 'other.log'), randomLines(30, 4))
    writeFileSync(
      join(work.root, 'packed.log.gz'),
      gzipSync(readFileSync(join(work.root, 'other.log'), 'utf8').replaceAll('eni-a', 'eni-\u202ec')),
    )
    writeRandomNfcapd(join(work.root, 'nfcapd.1'), 20, 5)
    const paths = readdirSync(work.root).map(name => join(work.root, name))
    await addEvidence({ case: join(work.root, 'case'), paths, workers: 1 })
    c = await openCase(join(work.root, 'case'))
  })
  after(async () => {
    await c.close()
    work.close()
  })

  test('has the line of its file, byte for byte, and ten lines before and after', async () => {
    for (const name of ['plain.log', 'packed.log.gz']) {
      const file = fileOf(name)
      const text =
        name === 'plain.log'
          ? readFileSync(file.path, 'utf8')
          : readFileSync(join(work.root, 'other.log'), 'utf8').replaceAll('eni-a', 'eni-\u202ec')
      const lines = text.split('\n')
      for (const line of [2, 15, 30, lines.length - 1]) {
        const answer = await ask(file.id!, line)
        assert.equal(answer.text.state, 'same')
        assert.equal(answer.text.header, lines[0])
        const first = Math.max(1, line - 10)
        assert.deepEqual(
          answer.text.lines.map(one => [one.line, one.text]),
          lines
            .slice(first - 1, line + 10)
            .flatMap((own, i) => (own === '' && first + i > lines.length - 1 ? [] : [[first + i, own]])),
        )
      }
    }
  })

  test('has the fields that tidemark flows has, by the number of the file and by its digest', async () => {
    for (const name of ['plain.log', 'nfcapd.1']) {
      const file = fileOf(name)
      const evidence = name === 'plain.log' ? 'logs' : 'packets'
      const result = await queryFlows(c, { evidence, limit: null })
      let compared = 0
      for await (const row of result.rows() as AsyncIterable<Record<string, unknown>>) {
        if (row['path'] !== file.path || ++compared > 8) continue
        const line = Number(row['line'] ?? row['packet'])
        const answer = await ask(compared % 2 === 0 ? file.id! : file.sha256!, line)
        assert.equal(answer.records.length, 1)
        for (const [i, column] of answer.columns.entries())
          assert.equal(String(answer.records[0]![i]), String(row[column.name]), column.name)
        assert.equal(answer.is, name === 'plain.log' ? 'line' : 'record')
      }
      assert.ok(compared > 8)
    }
  })

  test('leads to the record before and after it, over lines that are none', async () => {
    const { id } = fileOf('plain.log')
    const before = await ask(id!, 21)
    assert.deepEqual([before.previous, before.next], [20, 25])
    assert.equal((await ask(id!, 2)).previous, null)
  })

  test('says of a line that is none what it is', async () => {
    const { id } = fileOf('plain.log')
    const said = await Promise.all([1, 22, 23].map(async line => (await ask(id!, line)).otherwise))
    assert.match(said[0]!, /header/)
    assert.match(said[1]!, /NODATA/)
    assert.match(said[2]!, /could not be read/)
  })

  test('of a file without lines says so', async () => {
    const answer = await ask(fileOf('nfcapd.1').id!, 1)
    assert.equal(answer.text.state, 'not-text')
    assert.match(answer.text.problem!, /not lines of text/)
  })

  test('of a file that is not in the case is refused', async () => {
    await assert.rejects(ask(4000, 1), /no file of the case/)
    await assert.rejects(ask('0'.repeat(64), 1), /no file of the case/)
  })

  test('of a file that changed gives no line, but what was read of it', async () => {
    const file = fileOf('other.log')
    writeFileSync(file.path, readFileSync(file.path, 'utf8').replace('OK', 'Ok'))
    const changed = await ask(file.id!, 3)
    assert.deepEqual([changed.text.state, changed.text.lines, changed.text.header], ['changed', [], null])
    assert.match(changed.text.problem!, /has changed since it was added/)
    assert.equal(changed.records.length, 1)
    rmSync(file.path)
    const gone = await ask(file.id!, 3)
    assert.deepEqual([gone.text.state, gone.text.lines, gone.records.length], ['not-there', [], 1])
  })
})
