import assert from 'node:assert/strict'
import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FlowsRequest } from '../../src/flows/request.ts'
import { type FlowsOptions, queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { SectionFile, SectionWriter } from '../../src/store/section-file.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { randomFrom } from '../filter/flows.ts'
import { randomCases, randomLines, randomRequest, writeLog } from './random-case.ts'
import { type Work, workFolder } from './support.ts'

let work: Work
let cases: Awaited<ReturnType<typeof randomCases>>
before(async () => {
  work = workFolder()
  cases = await randomCases(work.root, 600, 1)
})
after(() => work.close())

const top: FlowsRequest = { stat: { element: 'srcip' }, order: 'bytes', limit: 3 }
const kept: FlowsOptions = { largeFrom: 0 }
const plain: FlowsOptions = { largeFrom: Number.POSITIVE_INFINITY }

async function ask(c: Case, request: FlowsRequest, options: FlowsOptions): Promise<unknown> {
  const result = await queryFlows(c, request, options)
  const { rows: read, parquet: _, ...rest } = result
  const rows: unknown[] = []
  for await (const row of read()) rows.push(row)
  return { ...rest, rows }
}

async function askIn(dir: string, request: FlowsRequest, options: FlowsOptions): Promise<unknown> {
  const c = await openCase(dir)
  try {
    return await ask(c, request, options)
  } finally {
    await c.close()
  }
}

const answersOf = (dir: string): string[] => readdirSync(join(dir, 'cache')).filter(name => name.startsWith('answer-'))

function copy(name: string): string {
  const dir = join(work.root, name)
  cpSync(cases.logs, dir, { recursive: true })
  rmSync(join(dir, 'cache'), { recursive: true, force: true })
  return dir
}

test('an answer is the same the first and the second time, and as without being kept', async () => {
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 3))
  let found = 0
  for (const dir of [cases.logs, cases.four, cases.packets]) {
    const c = await openCase(dir)
    try {
      for (let i = 0; i < 25; i++) {
        const request = randomRequest(random)
        const wanted = await ask(c, request, plain)
        const first = (await ask(c, request, kept)) as { sql: string }
        // Where all addresses are IPv4 the statement is shorter.
        same({ ...first, sql: (wanted as { sql: string }).sql }, wanted, JSON.stringify(request))
        same(await ask(c, request, kept), first, `again: ${JSON.stringify(request)}`)
        found = Math.max(found, answersOf(dir).length)
      }
    } finally {
      await c.close()
    }
  }
  assert(found > 10, 'answers are kept')
})

test('what is kept is what answers: a row that is dropped from it is missing', async () => {
  const dir = copy('dropped')
  const wanted = (await askIn(dir, top, kept)) as { rows: unknown[] }
  forge(dir, text => {
    const answer = JSON.parse(text) as { rows: unknown[] }
    return JSON.stringify({ ...answer, rows: answer.rows.slice(1) })
  })
  const found = (await askIn(dir, top, kept)) as { rows: unknown[] }
  assert.equal(found.rows.length, wanted.rows.length - 1)
  const { findings } = await verifyWhole(dir)
  assert.deepEqual(
    findings.map(({ what, path }) => [what, path]),
    [['altered', `cache/${answersOf(dir)[0]}`]],
  )
})

/** Puts other content under the name that its digest asks for, as only somebody who means it does. */
function forge(dir: string, change: (text: string) => string): void {
  const [name] = answersOf(dir)
  const path = join(dir, 'cache', name!)
  const file = new SectionFile(path)
  const content = Buffer.from(file.read(0, new Uint8Array(file.lengthOf(0)))).toString()
  const about = Uint8Array.from(file.about)
  file.close()
  rmSync(path)
  const writer = new SectionWriter(path)
  writer.add(Buffer.from(change(content)))
  writer.finish(about)
  const [key] = name!.split('.')
  const again = new SectionFile(path)
  renameSync(path, join(dir, 'cache', `${key}.${again.digest(`${key}\n`)}.sections`))
  again.close()
}

test('verify asks kept answers again and finds them right', async () => {
  const dir = copy('sound')
  for (const request of [
    top,
    { ...top, raw: true },
    { filter: 'dst port $p', params: { p: '443' }, by: [], bin_ms: 60_000 },
  ])
    await askIn(dir, request, kept)
  assert.equal(answersOf(dir).length, 3)
  assert.deepEqual((await verifyWhole(dir)).findings, [])
})

test('an answer that was altered or cut is not believed, and made again', async () => {
  const dir = copy('altered')
  const wanted = await askIn(dir, top, kept)
  const [name] = answersOf(dir)
  const path = join(dir, 'cache', name!)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 97) {
    const changed = Uint8Array.from(bytes)
    changed[at]! ^= 1
    writeFileSync(path, changed)
    assert.deepEqual(await askIn(dir, top, kept), wanted, `byte ${at}`)
    assert.deepEqual(readFileSync(path), bytes, 'it was made again')
  }
  writeFileSync(path, bytes.subarray(0, bytes.length - 9))
  assert.deepEqual(await askIn(dir, top, kept), wanted)
})

test('added evidence is in the next answer, and the old one is gone', async () => {
  const dir = copy('added')
  await askIn(dir, top, kept)
  const old = answersOf(dir)
  writeLog(join(work.root, 'more.log'), randomLines(100, 9))
  await addEvidence({ case: dir, paths: [join(work.root, 'more.log')], workers: 1 })
  assert.deepEqual(await askIn(dir, top, kept), await askIn(dir, top, plain))
  assert.equal(answersOf(dir).length, 1)
  assert.notDeepEqual(answersOf(dir), old)
})

test('the latest 64 answers stay', async () => {
  const dir = copy('many')
  const c = await openCase(dir)
  for (let limit = 1; limit <= 70; limit++) await ask(c, { ...top, limit }, kept)
  await c.close()
  assert.equal(answersOf(dir).length, 64)
})

/** The SQL that is shown reads files of the cache, where there are any. */
function withoutSql(answer: unknown): object {
  const { sql: _, ...rest } = answer as Record<string, unknown>
  return rest
}

test('a case that cannot be written is answered all the same', {
  skip: process.getuid?.() === 0 && 'root writes all',
}, async t => {
  const dir = copy('sealed')
  const wanted = await askIn(dir, top, plain)
  chmodSync(dir, 0o555)
  t.after(() => chmodSync(dir, 0o755))
  assert.deepEqual(withoutSql(await askIn(dir, top, kept)), withoutSql(wanted))
})

test('where the cache is no folder an answer is not kept, and right', async () => {
  const dir = copy('in-the-way')
  const wanted = await askIn(dir, top, { ...plain })
  rmSync(join(dir, 'cache'), { recursive: true, force: true })
  writeFileSync(join(dir, 'cache'), '')
  assert.deepEqual(withoutSql(await askIn(dir, top, kept)), withoutSql(wanted))
  assert.deepEqual(withoutSql(await askIn(dir, top, kept)), withoutSql(wanted))
})

test('lists, files of values and cases with few records are not kept', async () => {
  const dir = copy('few')
  writeFileSync(join(work.root, 'list.txt'), '10.0.0.1\n')
  const c = await openCase(dir)
  await ask(c, { filter: 'any' }, kept)
  await ask(c, { filter: 'ip in @list.txt', by: [] }, { ...kept, folder: work.root })
  await ask(c, { filter: 'role client', by: [] }, kept)
  await ask(c, top, {})
  assert.deepEqual(answersOf(dir), [])
  await c.close()
})

test('a kept answer is written as the same Parquet', async () => {
  const dir = copy('parquet')
  const c = await openCase(dir)
  const files = []
  for (const [i, options] of [plain, kept, kept].entries()) {
    const result = await queryFlows(c, top, options)
    const path = join(work.root, `${i}.parquet`)
    await result.parquet(path)
    files.push(await c.db.rows(`SELECT * FROM read_parquet('${path}')`))
  }
  assert.deepEqual(JSON.stringify(files[1], text), JSON.stringify(files[0], text))
  assert.deepEqual(JSON.stringify(files[2], text), JSON.stringify(files[0], text))
  await c.close()
})

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Says which part differs, and not all of it. */
function same(found: unknown, wanted: unknown, message: string): void {
  for (const name of Object.keys(wanted as object)) {
    const [one, other] = [found, wanted].map(answer => JSON.stringify((answer as Record<string, unknown>)[name], text))
    assert(one === other, `${message}: ${name}: ${one?.slice(0, 300)} instead of ${other?.slice(0, 300)}`)
  }
}
