import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { explainFlows } from '../../src/flows/explain.ts'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomCases, randomLines, randomRequest, writeLog } from './random-case.ts'
import { type Work, workFolder } from './support.ts'

let work: Work
let cases: Awaited<ReturnType<typeof randomCases>>
before(async () => {
  work = workFolder()
  cases = await randomCases(work.root, 600, 2)
})
after(() => work.close())

async function ask(c: Case, request: FlowsRequest, largeFrom: number): Promise<string> {
  const { rows: read, total_rows, truncated, counting } = await queryFlows(c, request, { largeFrom })
  const rows: unknown[] = []
  for await (const row of read()) rows.push(row)
  const answer = { total_rows, truncated, counting, rows }
  return JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

async function withCase<T>(dir: string, work: (c: Case) => Promise<T>): Promise<T> {
  const c = await openCase(dir)
  try {
    return await work(c)
  } finally {
    await c.close()
  }
}

function kept(dir: string, what: string): string[] {
  const cache = join(dir, 'cache')
  return existsSync(cache) ? readdirSync(cache).filter(name => name.startsWith(what)) : []
}

/** Answers are kept beside the totals: without them the totals answer. */
function forgetAnswers(dir: string): void {
  for (const name of kept(dir, 'answer-')) rmSync(join(dir, 'cache', name))
}

const large = 0
const small = Number.POSITIVE_INFINITY
const elements = ['srcip', 'dstip', 'srcport', 'dstport', 'proto', 'ip', 'port', 'srcip4/24', 'srcip6/64', 'dstip4/9']

test('groups are the same summed up from totals as from the records', async () => {
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 4))
  for (const dir of Object.values(cases)) {
    await withCase(dir, async c => {
      for (let i = 0; i < 30; i++) {
        const { by: _, stat: __, bin_ms: ___, distinct: ____, ...request } = randomRequest(random)
        const stat = { element: pick(random, elements), ...(random() < 0.3 && { perProtocol: true }) }
        const filter = pick(random, ['any', 'any', 'src net 10.0.0.0/8', 'dst port 443', 'proto 6'])
        const asked = { ...request, filter, ...(i % 10 === 0 ? { by: [] } : { stat }) }
        const wanted = await ask(c, asked, small)
        for (const time of ['made', 'there']) {
          forgetAnswers(dir)
          assert.equal(await ask(c, asked, large), wanted, `${time}: ${JSON.stringify(asked)}`)
        }
      }
    })
    assert(kept(dir, 'totals-').length > 5, 'totals are kept')
    const { findings } = await verifyWhole(dir)
    assert.deepEqual(findings, [])
  }
})

const top: FlowsRequest = { stat: { element: 'dstport' }, limit: null }

function copy(name: string): string {
  const dir = join(work.root, name)
  cpSync(cases.logs, dir, { recursive: true })
  rmSync(join(dir, 'cache'), { recursive: true, force: true })
  return dir
}

test('a row that is dropped from the totals is missing in the answer, and verify names the file', async () => {
  const dir = copy('dropped')
  const wanted = await withCase(dir, c => ask(c, top, large))
  forgetAnswers(dir)
  const [name] = kept(dir, 'totals-')
  const path = join(dir, 'cache', name!)
  const changed = join(work.root, 'changed.parquet')
  await withCase(dir, c =>
    c.db.run(`COPY (SELECT * FROM read_parquet('${path}') OFFSET 1) TO '${changed}' (FORMAT parquet)`),
  )
  // As only somebody who means it does: under the name that its digest asks for.
  const [key] = name!.split('.')
  const digest = createHash('sha256').update(`${key}\n`).update(readFileSync(changed)).digest('hex')
  rmSync(path)
  renameSync(changed, join(dir, 'cache', `${key}.${digest}.parquet`))
  assert.notEqual(await withCase(dir, c => ask(c, top, large)), wanted)
  forgetAnswers(dir)
  const { findings } = await verifyWhole(dir)
  assert.deepEqual(
    findings.map(one => [one.what, one.path]),
    [['altered', `cache/${key}.${digest}.parquet`]],
  )
})

test('totals that were altered are not believed, and made again', async () => {
  const dir = copy('altered')
  const wanted = await withCase(dir, c => ask(c, top, large))
  const [name] = kept(dir, 'totals-')
  const path = join(dir, 'cache', name!)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 211) {
    forgetAnswers(dir)
    const changed = Uint8Array.from(bytes)
    changed[at]! ^= 1
    writeFileSync(path, changed)
    assert.equal(await withCase(dir, c => ask(c, top, large)), wanted, `byte ${at}`)
  }
})

test('totals are of the records that the case has: added evidence is in them, and the old file is gone', async () => {
  const dir = copy('added')
  await withCase(dir, c => ask(c, top, large))
  const old = kept(dir, 'totals-')
  writeLog(join(work.root, 'more.log'), randomLines(100, 9))
  await addEvidence({ case: dir, paths: [join(work.root, 'more.log')], workers: 1 })
  await withCase(dir, async c => assert.equal(await ask(c, top, large), await ask(c, top, small)))
  assert.equal(kept(dir, 'totals-').length, old.length)
  assert.notDeepEqual(kept(dir, 'totals-'), old)
})

test('sums beyond 64 bits are asked of the records', async () => {
  const line = (bytes: bigint): string =>
    `2 1 eni-a 10.0.0.1 10.0.0.2 1 2 6 1 ${bytes} 1700000000 1700000001 ACCEPT OK 2`
  writeLog(join(work.root, 'huge.log'), [line(2n ** 64n - 1n), line(2n ** 63n), line(7n)])
  const dir = join(work.root, 'huge')
  await addEvidence({ case: dir, paths: [join(work.root, 'huge.log')], workers: 1 })
  await withCase(dir, async c => assert.equal(await ask(c, top, large), await ask(c, top, small)))
  assert.deepEqual(kept(dir, 'totals-'), [])
})

test('what is read is said: totals of a large case, where they answer', async () => {
  await withCase(cases.logs, async c => {
    const notes = async (request: FlowsRequest, largeFrom: number): Promise<string[]> =>
      (await explainFlows(c, request, { largeFrom })).notes.filter(note => note.includes('totals'))
    assert.match((await notes({ stat: { element: 'port' } }, large))[0]!, /from totals by srcport, dstport in cache\//)
    assert.match((await notes({ by: ['srcip4/24'], filter: 'src net 10.0.0.0/8' }, large))[0]!, /by srcaddr in/)
    assert.deepEqual(await notes({ stat: { element: 'port' } }, small), [])
    assert.deepEqual(await notes({ stat: { element: 'port' }, filter: 'ip 10.0.0.1' }, large), [])
    assert.deepEqual(await notes({ by: ['srcip4/24', 'dstport'] }, large), [])
    assert.deepEqual(await notes({ by: ['dstport'], distinct: ['srcip'] }, large), [])
  })
})
