/**
 * Nodes of the engine that end in the middle of what is asked of them: the answer is right, or a clear message; a pull leaves a sound case or
 * nothing; and once the node is back, the answer is there.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Trino } from '../../src/engines/trino.ts'
import { UserError } from '../../src/errors.ts'
import { engineQuestion } from '../../src/flows/engine-question.ts'
import type { FlowsRequest, FlowsResult } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { shown } from '../pull/shown.ts'
import { cliEntry } from '../repo.ts'
import { type Chance, chanceFrom, setting } from '../robustness/support.ts'
import { control, lake, withTrino } from './cluster.ts'
import { ask, ownSchema } from './trino.ts'

const kills = setting('LAKE_KILLS', 3)
const seed = setting('LAKE_SEED', 20261127)
const files = 24
const linesEach = 2500
const subject = '203.0.113.7'
const options = { ...withTrino, timeout: 3_600_000 }
const fields =
  'version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status'
const columns = fields.split(' ').map(name => `"${name}" varchar`)

let schema = ''
let work: Work
let local: Case

before(async () => {
  if (withTrino.skip !== false) return
  schema = await ownSchema('kills')
  work = workFolder()
  const folder = join(lake().lake, schema, 'logs')
  mkdirSync(folder, { recursive: true })
  const chance = chanceFrom(seed)
  for (let i = 0; i < files; i++) {
    const lines = Array.from({ length: linesEach }, () => lineOf(chance))
    const text = `${[fields.replaceAll('_', '-'), ...lines].join('\n')}\n`
    writeFileSync(join(folder, `${i}_fl-0${i % 3}_x.log.gz`), gzipSync(text, { level: 1 }))
  }
  local = await caseOf(work.root, [folder], 'local')
  await ask(
    `CREATE TABLE hive.${schema}.logs (${columns}) WITH (format = 'TEXTFILE', textfile_field_separator = ' ', skip_header_line_count = 1, null_format = '-', external_location = 'local:///${schema}/logs')`,
  )
})
after(async () => {
  if (withTrino.skip !== false) return
  await local.close()
  await ask(`DROP TABLE hive.${schema}.logs`)
  rmSync(join(lake().lake, schema), { recursive: true, force: true })
  work.close()
})

/** A line of somebody outside who talks with a server, or of the answer. */
function lineOf(chance: Chance): string {
  const outside = chance.maybe(0.02) ? subject : `198.51.${chance.int(0, 3)}.${chance.int(1, 250)}`
  const server = `10.0.0.${chance.int(1, 40)}`
  const [client, port] = [chance.int(1024, 65_535), chance.pick([22, 80, 443, 3389])]
  const ends = chance.maybe(0.5) ? [outside, server, client, port] : [server, outside, port, client]
  const packets = chance.int(1, 900)
  const start = 1_700_000_000 + chance.int(0, 7200)
  const action = chance.maybe(0.8) ? 'ACCEPT' : 'REJECT'
  return `2 1 eni-${chance.int(0, 5)} ${ends.join(' ')} 6 ${packets} ${packets * chance.int(40, 1400)} ${start} ${start + chance.int(1, 60)} ${action} OK`
}

function client(): Trino {
  const at = { origin: lake().trino!, catalog: 'hive', schema, table: 'logs' }
  return new Trino(at, { user: 'tidemark', password: null, token: null })
}

/** Something that is asked of the engine, and its answer from all the logs here. */
interface Asked {
  name: string
  ofEngine(engine: Trino): Promise<unknown>
  wanted: unknown
  /** Milliseconds of an answer, and its statements, where nothing ends. */
  usual: { ms: number; statements: number }
}

async function rowsIn(result: FlowsResult): Promise<string[]> {
  const rows: string[] = []
  for await (const { path: _, line: __, ...row } of result.rows())
    rows.push(JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
  return rows.sort()
}

async function flows(name: string, request: FlowsRequest): Promise<Asked> {
  const wanted = await rowsIn(await queryFlows(local, { ...request, raw: true }))
  assert.ok(wanted.length > 0)
  return timed(name, wanted, async engine => rowsIn(await (await engineQuestion(engine, request)).ask()))
}

/** A pull: the case is sound and its dossier that of all the logs, or nothing of it is there. */
async function pull(): Promise<Asked> {
  const dir = join(work.root, 'pulled')
  return timed('pull', await wantedDossier(), async engine => {
    try {
      await (await pullOf(engine, { case: dir, subject: [parsePrefix(subject)!] })).run()
    } catch (error) {
      assert.deepEqual(leftOf('pulled'), [])
      throw error
    }
    return dossierIn(dir)
  })
}

async function wantedDossier(): Promise<unknown> {
  return shown(await investigate(local, [subject]))
}

/** The dossier of a pulled case, which must be sound; the case is removed. */
async function dossierIn(dir: string): Promise<unknown> {
  assert.deepEqual((await verifyCase(dir)).findings, [])
  const pulled = await openCase(dir)
  try {
    return shown(await investigate(pulled, [subject]))
  } finally {
    await pulled.close()
    rmSync(dir, { recursive: true })
  }
}

/** What is there of a case that was made, or begun. */
function leftOf(name: string): string[] {
  return readdirSync(work.root).filter(one => one.startsWith(name))
}

async function timed(name: string, wanted: unknown, ofEngine: Asked['ofEngine']): Promise<Asked> {
  // The first time Java compiles.
  assert.deepEqual(await ofEngine(client()), wanted, name)
  const engine = client()
  const begun = performance.now()
  await ofEngine(engine)
  return { name, ofEngine, wanted, usual: { ms: performance.now() - begun, statements: engine.ran.length } }
}

test(`answers are right, or there is a clear message, where a worker ends: ${kills} times`, options, async t => {
  const chance = chanceFrom(seed + 1)
  const all = [
    await flows('groups', { by: ['srcip', 'dstip'], order: 'bytes', limit: 50 }),
    await pull(),
    await flows('listing', { filter: `host ${subject}`, limit: null }),
  ]
  const seen = { right: 0, refused: 0, statements_run_again: 0 }
  for (let i = 0; i < kills; i++) {
    const asked = all[i % all.length]!
    const worker = chance.pick(['worker-1', 'worker-2'])
    const at = chance.int(0, Math.round(asked.usual.ms))
    const what = `${asked.name}, ${worker} ended after ${at} of ${Math.round(asked.usual.ms)} ms`
    const engine = client()
    const begun = performance.now()
    const [answer, killed] = await Promise.allSettled([
      asked.ofEngine(engine),
      sleep(at).then(() => control('kill', worker)),
    ])
    if (killed.status === 'rejected') throw killed.reason
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    if (answer.status === 'fulfilled') {
      assert.deepEqual(answer.value, asked.wanted, what)
      seen.right++
      seen.statements_run_again += engine.ran.length - asked.usual.statements
      t.diagnostic(`${what}: right after ${seconds} s`)
    } else {
      seen.refused++
      t.diagnostic(`${what}: after ${seconds} s ${refusal(answer.reason, what)}`)
    }
    await control('start', worker)
    assert.deepEqual(await asked.ofEngine(client()), asked.wanted, `${what}: once it was back`)
  }
  t.diagnostic(JSON.stringify(seen))
})

/** The message; anything but one for whoever asked is a fault. */
function refusal(reason: unknown, what: string): string {
  assert.ok(reason instanceof UserError, `${what}: ${reason instanceof Error ? reason.stack : String(reason)}`)
  assert.match(reason.message, /^the engine (refuses|cannot be reached|no longer knows the statement)/, what)
  assert.ok(reason.hint !== undefined, what)
  return `${reason.message} (${reason.hint})`
}

interface Ended {
  status: number | null
  stderr: string
}

/** `tidemark pull`, as a process of its own. */
function pullProcess(dir: string): Promise<Ended> {
  const engine = `${lake().trino!.replace(/^http/, 'trino')}/hive/${schema}/logs`
  const args = [cliEntry, 'pull', subject, '--engine', engine, '--case', dir]
  const env = { ...process.env, TIDEMARK_TRINO_USER: 'tidemark' }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', status => resolve({ status, stderr }))
  })
}

test('a pull whose coordinator ends leaves a whole case or nothing, and says why', options, async t => {
  const chance = chanceFrom(seed + 2)
  const dir = join(work.root, 'by-process')
  const wanted = await wantedDossier()
  const begun = performance.now()
  const { status, stderr } = await pullProcess(dir)
  const ms = performance.now() - begun
  assert.equal(status, 0, stderr)
  assert.deepEqual(await dossierIn(dir), wanted)
  for (let i = 0; i < Math.max(1, Math.ceil(kills / 4)); i++) {
    const at = chance.int(Math.round(ms * 0.2), Math.round(ms))
    const what = `coordinator ended after ${at} of ${Math.round(ms)} ms`
    const [ended] = await Promise.all([pullProcess(dir), sleep(at).then(() => control('kill', 'coordinator'))])
    if (ended.status === 0) assert.deepEqual(await dossierIn(dir), wanted, what)
    else {
      assert.equal(ended.status, 1, `${what}: ${ended.stderr}`)
      assert.match(ended.stderr, /the engine cannot be reached: http:/, what)
    }
    assert.deepEqual(leftOf('by-process'), [], what)
    t.diagnostic(`${what}: status ${ended.status} ${ended.stderr.trim().split('\n').join(' / ')}`)
    await control('start', 'coordinator')
    const again = await pullProcess(dir)
    assert.equal(again.status, 0, `${what}: once it was back: ${again.stderr}`)
    assert.deepEqual(await dossierIn(dir), wanted, `${what}: once it was back`)
  }
})
