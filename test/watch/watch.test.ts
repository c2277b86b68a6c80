/** A watch as a whole: files that grow, are replaced, are removed, cannot be read; the lock; how it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { soundLedger } from '../../src/store/case-folder.ts'
import type { EvidenceEntry } from '../../src/store/ledger.ts'
import { standingsOf } from '../../src/store/standing.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import {
  awsName,
  casesIn,
  guessLines,
  healthIn,
  isIdle,
  listen,
  logOf,
  put,
  type Running,
  recordsIn,
  startWatch,
  until,
} from './support.ts'

const at = Date.UTC(2026, 0, 10, 12) / 1000
/** A log-in that is guessed sixty times, in one file. */
const attack = logOf(Array.from({ length: 60 }, (_, i) => guessLines(1, i, at + 10 * i)).flat())
const canary = 'canary-1b5d2e'

interface Place {
  root: string
  folder: string
  out: string
  health: string
  /** Options that make it quick. */
  quick: string[]
}

function placeFor(t: TestContext): Place {
  const root = temporaryFolder(t)
  const [folder, out, health] = ['in', 'out', 'health.json'].map(name => join(root, name)) as [string, string, string]
  mkdirSync(folder)
  return {
    root,
    folder,
    out,
    health,
    quick: [folder, '--out', out, '--settle', '60ms', '--every', '100ms', '--health', health],
  }
}

async function stop(running: Running): Promise<void> {
  running.child.kill('SIGTERM')
  assert.deepEqual(await running.ended, { status: 0, signal: null }, running.said.err)
}

const total = async (out: string): Promise<number> =>
  [...(await recordsIn(out)).values()].reduce((sum, n) => sum + n, 0)

test('what is there is read once, looked at, and told; a second run tells nothing again', async t => {
  const { folder, out, health } = placeFor(t)
  put(folder, awsName(at, 'a'), attack)
  put(folder, 'README.md', '# not a log\n')
  mkdirSync(join(folder, 'below'))
  put(join(folder, 'below'), awsName(at, 'copy'), attack)
  const args = ['watch', folder, '--out', out, '--once', '--settle', '50ms', '--health', health]
  const first = tidemark(args)
  assert.equal(first.status, 0, first.stderr)
  const alerts = first.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { id: string; rule: string; case: string; next: string[] })
  assert.ok(
    alerts.some(({ rule }) => rule === 'D02-brute-force'),
    first.stdout,
  )
  const [guessing] = alerts.filter(({ rule }) => rule === 'D02-brute-force')
  assert.deepEqual(guessing!.next[0], `tidemark investigate 203.0.113.1 --case ${guessing!.case}`)
  assert.ok(existsSync(guessing!.case))
  assert.equal(await total(out), 120)
  const state = healthIn(health)!
  assert.equal(state.state, 'stopped')
  assert.deepEqual([state.read.files, state.read.records, state.read.known, state.read.not_evidence], [1, 120, 1, 1])
  const again = tidemark(args)
  assert.deepEqual([again.status, again.stdout], [0, ''], again.stderr)
  // What is remembered of files may be lost: their content is known.
  rmSync(join(out, 'seen.jsonl'))
  const third = tidemark(args)
  assert.deepEqual([third.status, third.stdout], [0, ''], third.stderr)
  assert.equal(await total(out), 120)
})

test('a file that is still written is left alone until it is whole; one that grew later counts once', async t => {
  const { folder, out, health, quick } = placeFor(t)
  const running = startWatch(t, [...quick, '--settle', '400ms'])
  await until('it watches', () => healthIn(health)?.state === 'watching', running)
  const path = join(folder, awsName(at, 'grows'))
  const lines = attack.trim().split('\n')
  writeFileSync(path, '')
  for (let from = 0; from < 60; from += 6) {
    appendFileSync(path, `${lines.slice(from, from + 6).join('\n')}\n`)
    await wait(80)
  }
  await until('it is read', () => isIdle(healthIn(health), 1), running)
  assert.equal(healthIn(health)!.read.records, 59)
  appendFileSync(path, `${lines.slice(60).join('\n')}\n`)
  await until('the rest is read', () => healthIn(health)!.read.grown === 1 && isIdle(healthIn(health), 2), running)
  assert.equal(await total(out), 120)
  assert.ok([...(await recordsIn(out)).values()].every(n => n === 1))
  await stop(running)
})

test('a file that is replaced by other content is read again, and both count; one that is gone stays in the case', async t => {
  const { folder, out, health, quick } = placeFor(t)
  const running = startWatch(t, quick)
  const name = awsName(at, 'same-name')
  put(folder, name, logOf(guessLines(1, 1, at)))
  await until('it is read', () => isIdle(healthIn(health), 1), running)
  put(folder, name, logOf([...guessLines(2, 2, at + 5), ...guessLines(2, 3, at + 6)]))
  await until('the other is read', () => isIdle(healthIn(health), 2), running)
  assert.equal(await total(out), 6)
  rmSync(join(folder, name))
  put(folder, awsName(at, 'next'), logOf(guessLines(3, 4, at)))
  await until('the next is read', () => isIdle(healthIn(health), 3), running)
  assert.equal(await total(out), 8)
  assert.equal(healthIn(health)!.read.grown, 0)
  await stop(running)
})

test('after a kill an earlier reading gives way to a later one of its file, and to none before it', async t => {
  const { folder, out, health } = placeFor(t)
  const name = awsName(at, 'same-name')
  const once = (): void => {
    const run = tidemark(['watch', folder, '--out', out, '--once', '--settle', '50ms', '--health', health])
    assert.equal(run.status, 0, run.stderr)
  }
  put(folder, name, logOf(guessLines(1, 1, at)))
  once()
  put(folder, name, logOf([...guessLines(2, 2, at + 5), ...guessLines(2, 3, at + 6)]))
  once()
  const [first, second] = standingsOf(await soundLedger(casesIn(out)[0]!)).map(({ file }) => file)
  const growing = ({ path, sha256, id }: EvidenceEntry, later = 'not read'): void =>
    writeFileSync(join(out, 'growing.json'), JSON.stringify([{ day: '2026-01-10', path, sha256, later, after: id }]))
  growing(second!)
  once()
  assert.equal(await total(out), 6)
  assert.equal(readFileSync(join(out, 'growing.json'), 'utf8'), '[]\n')
  growing(first!)
  once()
  assert.equal(await total(out), 4)
  assert.equal(healthIn(health)!.read.grown, 1)
  // What it has grown to may be there under another name.
  put(folder, awsName(at, 'other'), logOf(guessLines(3, 4, at)))
  once()
  assert.equal(await total(out), 6)
  const third = standingsOf(await soundLedger(casesIn(out)[0]!)).at(-1)!.file
  growing({ ...second!, id: third.id }, third.sha256!)
  once()
  assert.equal(await total(out), 2)
})

test('what cannot be read is named once, tried again more and more seldom, and read when it can be', async t => {
  const { root, folder, health, quick } = placeFor(t)
  const name = awsName(at, 'later')
  symlinkSync(join(root, 'elsewhere'), join(folder, name))
  put(folder, awsName(at, 'sound'), logOf(guessLines(1, 1, at)))
  const running = startWatch(t, quick)
  await until('the other is read', () => isIdle(healthIn(health), 1), running)
  await wait(500)
  assert.equal(healthIn(health)!.unread.total, 1)
  assert.match(healthIn(health)!.unread.files[0]!.problem, /broken link/)
  assert.equal(running.said.err.match(/cannot be read/g)!.length, 1, running.said.err)
  writeFileSync(join(root, 'elsewhere'), logOf(guessLines(2, 2, at)))
  put(folder, awsName(at, 'third'), logOf(guessLines(3, 3, at)))
  await until('it is read', () => isIdle(healthIn(health), 3), running)
  await until('it is named no more', () => healthIn(health)!.unread.total === 0, running)
  await stop(running)
})

test('a link to a folder elsewhere is named, and not followed; one within the folder is', async t => {
  const { root, folder, out } = placeFor(t)
  for (const name of ['elsewhere', 'in/below']) mkdirSync(join(root, name))
  put(join(root, 'elsewhere'), awsName(at, 'other'), logOf(guessLines(1, 1, at)))
  put(join(folder, 'below'), awsName(at, 'own'), logOf(guessLines(2, 2, at)))
  symlinkSync(join(root, 'elsewhere'), join(folder, 'away'))
  symlinkSync('.', join(folder, 'loop'))
  // Of a name that begins alike.
  mkdirSync(join(root, 'in-2'))
  put(join(root, 'in-2'), awsName(at, 'third'), logOf(guessLines(3, 3, at)))
  symlinkSync(join(root, 'in-2'), join(folder, 'beside'))
  const { status, stderr } = tidemark(['watch', folder, '--out', out, '--once', '--settle', '50ms'])
  assert.equal(status, 0, stderr)
  assert.equal(await total(out), 2)
  for (const name of ['away', 'beside'])
    assert.match(stderr, new RegExp(`passed over: ${join(folder, name)}: a link to a folder elsewhere`))
})

test('the health file is no evidence where it lies in the watched folder, and replaces none', async t => {
  const { folder, out, quick } = placeFor(t)
  put(folder, awsName(at, 'a'), logOf(guessLines(1, 1, at)))
  const health = join(folder, 'health.json')
  const args = [...quick.slice(0, -1), health]
  const running = startWatch(t, args)
  await until('it is read', () => isIdle(healthIn(health), 1), running)
  const ledger = () => readFileSync(join(casesIn(out)[0]!, 'ledger.jsonl'), 'utf8')
  const before = ledger()
  const first = healthIn(health)!.updated
  await until('it was written again', () => healthIn(health)!.updated > first, running)
  await wait(500)
  await stop(running)
  assert.equal(ledger(), before)
  assert.equal(healthIn(health)!.read.not_evidence, 0)
  // That of a watch that ended is taken over; any other file stays.
  assert.equal(tidemark(['watch', ...args, '--once']).status, 0)
  const evidence = join(folder, awsName(at, 'a'))
  const refused = tidemark(['watch', ...args.slice(0, -1), evidence, '--once'])
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /--health would replace a file that no watch has written/)
  assert.equal(readFileSync(evidence, 'utf8'), logOf(guessLines(1, 1, at)))
})

test('two watches with one folder of cases: the second is refused, and says who has it; after a kill it is free', async t => {
  const { folder, out, health, quick } = placeFor(t)
  const running = startWatch(t, quick)
  await until('it watches', () => healthIn(health)?.state === 'watching', running)
  const second = tidemark(['watch', folder, '--out', out, '--once'])
  assert.equal(second.status, 1, second.stderr)
  assert.match(second.stderr, new RegExp(`the folder is used for watching by process ${running.child.pid} `))
  running.child.kill('SIGKILL')
  await running.ended
  const other = join(folder, '..', 'other')
  mkdirSync(other)
  // Nothing was read yet: the folder may be of another source.
  for (const name of [other, folder])
    assert.equal(tidemark(['watch', name, '--out', out, '--once', '--settle', '50ms']).status, 0)
  put(folder, awsName(at, 'a'), logOf(guessLines(1, 1, at)))
  assert.equal(tidemark(['watch', folder, '--out', out, '--once', '--settle', '50ms']).status, 0)
  const foreign = tidemark(['watch', other, '--out', out, '--once'])
  assert.equal(foreign.status, 2)
  assert.match(foreign.stderr, /is that of a watch on /)
  assert.match(tidemark(['watch', folder, '--out', folder, '--once']).stderr, /^tidemark: /)
  assert.match(tidemark(['watch', join(folder, 'none')]).stderr, /no such folder/)
})

test('the folder of cases may lie in the one that is watched, and holds no evidence', async t => {
  const { folder } = placeFor(t)
  put(folder, awsName(at, 'a'), attack)
  const args = ['watch', '.', '--once', '--settle', '50ms']
  for (const records of [120, 120]) {
    const run = tidemark(args, { cwd: folder })
    assert.equal(run.status, 0, run.stderr)
    assert.equal(await total(join(folder, 'tidemark-watch')), records)
  }
})

test('a webhook that is down: nothing is lost, no secret is told, and the next run sends what waits', async t => {
  const { folder, out, health } = placeFor(t)
  put(folder, awsName(at, 'a'), attack)
  const listener = await listen(t, () => 503)
  const env = { TIDEMARK_WEBHOOK_SECRET: canary }
  const url = `${listener.url}?token=${canary}`
  const args = [folder, '--out', out, '--once', '--settle', '50ms', '--health', health, '--webhook', url]
  const first = startWatch(t, args, env)
  assert.equal((await first.ended).status, 1, first.said.err)
  assert.match(first.said.err, /alerts were not taken: the next run sends them/)
  const waiting = healthIn(health)!.alerts.waiting
  assert.ok(waiting > 0)
  listener.answer = () => 200
  const second = startWatch(t, args, env)
  assert.equal((await second.ended).status, 0, second.said.err)
  assert.equal(new Set(listener.heard.map(({ alert }) => alert.id)).size, waiting)
  const kept = spawnSync('grep', ['-r', canary, out, health], { encoding: 'utf8' }).stdout
  assert.equal(
    kept +
      [first, second]
        .map(({ said }) => said.err + said.out)
        .filter(one => one.includes(canary))
        .join(''),
    '',
  )
})

test('with --once files are waited for that have to be found first: many, and each settles in no time', async t => {
  const { folder, out } = placeFor(t)
  for (let n = 0; n < 1500; n++) put(folder, awsName(at, `many${n}`), logOf(guessLines(1, n, at + n)))
  const { status, stderr } = tidemark(['watch', folder, '--out', out, '--once', '--settle', '1ms'])
  assert.equal(status, 0, stderr)
  assert.equal(await total(out), 3000)
})

test('days that are older than is kept are removed, if the watch made them, and not read again', async t => {
  const { folder, out } = placeFor(t)
  const days = (n: number): number => at + n * 86_400
  for (const n of [0, 1, 2, 3]) put(folder, awsName(days(n), `d${n}`), logOf(guessLines(1, n, days(n))))
  const args = ['watch', folder, '--out', out, '--once', '--settle', '50ms']
  assert.equal(tidemark(args).status, 0)
  assert.equal(casesIn(out).length, 4)
  mkdirSync(join(out, 'days', '2020-01-01.tidemark'))
  writeFileSync(join(out, 'days', '2020-01-01.tidemark', 'mine'), '')
  for (let run = 0; run < 2; run++) {
    const { status, stderr } = tidemark([...args, '--keep', '2d'])
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      casesIn(out).map(path => path.slice(-19, -9)),
      ['2020-01-01', '2026-01-12', '2026-01-13'],
    )
  }
})

test('a full disk is told, and when there is space the watch goes on where it was', async t => {
  const { root, folder, health } = placeFor(t)
  const disk = join(root, 'disk')
  mkdirSync(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tidemark-test', disk]).status !== 0)
    return t.skip('no small file system can be mounted here')
  try {
    await onFullDisk(t, { disk, folder, health })
  } finally {
    spawnSync('umount', ['-l', disk])
  }
})

async function onFullDisk(
  t: TestContext,
  { disk, folder, health }: { disk: string; folder: string; health: string },
): Promise<void> {
  const out = join(disk, 'out')
  writeFileSync(join(disk, 'filler'), Buffer.alloc(200 << 10))
  put(folder, awsName(at, 'a'), attack)
  const running = startWatch(t, [folder, '--out', out, '--settle', '50ms', '--every', '100ms', '--health', health])
  await until('it says so', () => /disk full|no space left/.test(healthIn(health)?.last_error?.what ?? ''), running)
  spawnSync('mount', ['-o', 'remount,size=64m', disk])
  await until('it goes on', () => isIdle(healthIn(health), 1), running)
  assert.equal(await total(out), 120)
  await stop(running)
}

test('a clock that is wrong moves nothing out of reach: files of days to come are of today', async t => {
  const { folder, out } = placeFor(t)
  const path = join(folder, 'a.log')
  writeFileSync(path, attack)
  utimesSync(path, 4_000_000_000, 4_000_000_000)
  const { status, stdout, stderr } = tidemark([
    'watch',
    folder,
    '--out',
    out,
    '--once',
    '--settle',
    '50ms',
    '--keep',
    '3d',
  ])
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    casesIn(out).map(one => one.slice(-19, -9)),
    [new Date().toISOString().slice(0, 10)],
  )
  assert.equal(await total(out), 120)
  // The records are of January, and are looked at there.
  const alerts = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { day: string; case: string })
  assert.ok(alerts.length > 0)
  assert.deepEqual([...new Set(alerts.map(one => one.day))], ['2026-01-10'])
  assert.deepEqual([...new Set(alerts.map(one => one.case))], casesIn(out))
})
