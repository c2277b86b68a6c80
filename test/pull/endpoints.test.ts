/** Who listens where the records of the subject leave it open: what is asked of the engine for that. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { openCase } from '../../src/store/case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { shown } from './shown.ts'
import { StandIn } from './stand-in.ts'

let work: Work
before(() => {
  work = workFolder()
})
after(() => work.close())

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const begin = 1_700_000_000

function folderOf(name: string, head: string, lines: readonly string[]): string {
  const folder = join(work.root, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'a_fl-0a_1.log'), `${[head, ...lines].join('\n')}\n`)
  return folder
}

test('how long other records last, which decides what is one connection, is known before endpoints are asked for', async () => {
  const line = (from: string, to: string, flags: number, at: number, seconds: number): string =>
    `2 1 eni-1 ${from} ${to} 6 3 300 ${begin + at} ${begin + at + seconds} ACCEPT OK ${flags}`
  // Within a log of ten minutes both are one connection, which each side began; apart they are two.
  const folder = folderOf('interval', `${header} tcp-flags`, [
    line('203.0.113.7 10.0.0.5', '40000 443', 2, 0, 50),
    line('10.0.0.5 203.0.113.7', '443 40000', 2, 400, 50),
    line('198.51.100.1 10.0.0.5', '50000 443', 2, 0, 300),
  ])
  const engine = await StandIn.of(folder)
  const dir = join(work.root, 'interval-case')
  const report = await (await pullOf(engine, { case: dir, subject: [parsePrefix('203.0.113.7')!] })).run()
  assert.equal(report.endpoints, 2)
  const [local, pulled] = [await caseOf(work.root, [folder], 'interval-local'), await openCase(dir)]
  const [there, here] = [await investigate(local, ['203.0.113.7']), await investigate(pulled, ['203.0.113.7'])]
  assert.deepEqual(shown(here), shown(there))
  assert.equal(here.services.length, 1)
  await Promise.all([local.close(), pulled.close(), engine.close()])
})

test('a question that an engine would find too long is not sent, and what to do is said', async () => {
  const [mine, theirs] = ['2001:db8:aaaa:aaaa:aaaa:aaaa:aaaa:1111', '2001:db8:bbbb:bbbb:bbbb:bbbb:bbbb:']
  const lines = Array.from(
    { length: 9000 },
    (_, i) =>
      `2 1 eni-1 ${mine} ${theirs}${(0x1000 + i).toString(16)} ${20_000 + i} ${40_000 + i} 6 3 300 ${begin} ${begin + 50} ACCEPT OK`,
  )
  const engine = await StandIn.of(folderOf('many', header, lines))
  const subject = [parsePrefix(mine)!]
  const isRefused = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && pattern.test(`${error.message} ${error.hint}`)
  const run = async () => (await pullOf(engine, { case: join(work.root, 'long'), subject })).run()
  await assert.rejects(run, isRefused(/open for 18000 endpoints.*900000 at most.*--from/))
  assert.equal(engine.ran.length, 2)
  const many = Array.from({ length: 20_000 }, (_, i) => parsePrefix(`10.0.${i >> 8}.${i & 255}`)!)
  await assert.rejects(
    pullOf(engine, { case: join(work.root, 'long'), subject: many }),
    isRefused(/too long for an engine: \d+ letters.*networks/),
  )
  assert.equal(engine.ran.length, 2)
  await engine.close()
})
