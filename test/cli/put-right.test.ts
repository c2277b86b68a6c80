import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { captureOf, talk } from '../handmade.ts'
import { logOf, recordLine } from '../robustness/support.ts'
import { temporaryFolder, tidemark } from './run.ts'

const subject = '198.51.100.1'

/** A working folder with a log, one without a header, and a folder that holds no evidence. */
function workFolder(t: TestContext): string {
  const cwd = temporaryFolder(t)
  for (const name of ['logs', 'pictures']) mkdirSync(join(cwd, name))
  writeFileSync(join(cwd, 'logs', 'a.log'), logOf(1200))
  writeFileSync(join(cwd, 'headless.log'), `${recordLine(1)}\n`)
  writeFileSync(join(cwd, 'pictures', 'notes.txt'), 'nothing')
  writeFileSync(
    join(cwd, 'x.pcap'),
    captureOf(talk({ at: 1_700_000_000, client: `${subject} 40000`, server: '10.0.0.7 443' })),
  )
  return cwd
}

test('a file that was read with --format at last leaves later dossiers whole', t => {
  const cwd = workFolder(t)
  assert.equal(tidemark(['add', 'logs', 'headless.log'], { cwd }).status, 3)
  assert.equal(tidemark(['investigate', subject], { cwd }).status, 3)
  assert.equal(tidemark(['add', 'headless.log', '--format', 'default'], { cwd }).status, 0)
  const { status, stdout } = tidemark(['investigate', subject, '--json'], { cwd })
  assert.deepEqual([status, JSON.parse(stdout).attack_surface.complete], [0, true])
})

test('remove takes a file out, says how to put it back, and evidence shows the history', t => {
  const cwd = workFolder(t)
  tidemark(['add', 'logs', 'headless.log', 'pictures/notes.txt'], { cwd })
  const removed = tidemark(['remove', 'headless.log', 'pictures/notes.txt', '--reason', 'not of this incident'], {
    cwd,
  })
  assert.equal(removed.status, 0, removed.stderr)
  assert.match(removed.stdout, /Removed from .*: 2 files with 0 flow records[\s\S]*tidemark remove --undo puts it back/)
  assert.equal(tidemark(['flows', '-s', 'srcip'], { cwd }).status, 0)
  const page = tidemark(['evidence'], { cwd })
  assert.equal(page.status, 0)
  assert.match(page.stdout, /History \(2\)[\s\S]*headless\.log[\s\S]*entry \d+ removed: not of this incident/)
  const { history } = JSON.parse(tidemark(['evidence', '--json'], { cwd }).stdout)
  assert.equal(
    history[0].events[1].command,
    "tidemark remove headless.log pictures/notes.txt --reason 'not of this incident'",
  )
  const undone = tidemark(['remove', '--undo', 'headless.log', '--json'], { cwd })
  assert.deepEqual([JSON.parse(undone.stdout).restored, tidemark(['evidence'], { cwd }).status], [true, 3])
  assert.equal(tidemark(['remove', 'logs/b.log'], { cwd }).status, 2)
})

test('a question with PATHs and --case says what it added to the case, and one without changes none', t => {
  const cwd = workFolder(t)
  const kept = ['--case', 'kept.tidemark']
  const first = tidemark(['flows', '-s', 'srcip', ...kept, '--', 'logs'], { cwd })
  assert.match(
    first.stderr,
    /^tidemark: added 1 file with 1,200 flow records to the case .*kept\.tidemark \(tidemark remove/m,
  )
  const second = tidemark(['investigate', subject, ...kept, '--', 'logs'], { cwd })
  assert.match(second.stderr, /nothing new was added to the case .*kept\.tidemark/)
  const carved = tidemark(['carve', 'any', 'x.pcap', '-o', 'out.pcap', ...kept], { cwd })
  assert.match(carved.stderr, /added 1 file with 2 flow records to the case/)
  const thrown = tidemark(['flows', '-s', 'srcip', '--', 'logs'], { cwd, env: { TIDEMARK_CASE: join(cwd, 'other') } })
  assert.doesNotMatch(thrown.stderr, /added/)
  assert.equal(existsSync(join(cwd, 'other')), false)
  // What is asked of a case alone says nothing of that.
  assert.equal(tidemark(['flows', '-s', 'srcip', ...kept], { cwd }).stderr, '')
})

test('a folder that was named and holds no evidence is told, with the status of what could not be read', t => {
  const cwd = workFolder(t)
  for (const args of [
    ['add', 'pictures', 'logs'],
    ['add', 'pictures', 'logs', '--json'],
    ['flows', 'any', 'pictures'],
    ['investigate', subject, 'pictures', 'logs'],
    ['carve', 'any', 'pictures', 'x.pcap', '-o', 'out.pcap'],
  ]) {
    const { status, stderr } = tidemark(args, { cwd })
    assert.equal(status, 3, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, /pictures: its one file is no flow log, capture or nfcapd file/, args.join(' '))
  }
  // The case itself lacks nothing.
  assert.equal(tidemark(['evidence'], { cwd }).status, 0)
})

test('add refuses a case that misses a segment, and names it', t => {
  const cwd = workFolder(t)
  tidemark(['add', 'logs'], { cwd })
  const segments = join(cwd, 'case.tidemark', 'segments')
  const [name] = readdirSync(segments)
  rmSync(join(segments, name!))
  const { status, stderr } = tidemark(['add', 'x.pcap'], { cwd })
  assert.equal(status, 1)
  assert.match(stderr, new RegExp(`a segment of the case is missing: .*${name}\\n  hint: tidemark verify`))
  // What is missing can be taken out of what counts; then the case goes on.
  assert.equal(tidemark(['remove', 'logs'], { cwd }).status, 0)
  assert.equal(tidemark(['add', 'x.pcap'], { cwd }).status, 0)
})

test('a path after a command that takes none is answered with --case', t => {
  for (const command of ['verify', 'evidence']) {
    const { status, stderr } = tidemark([command, 'incident.tidemark'], { cwd: temporaryFolder(t) })
    assert.equal(status, 2)
    assert.match(stderr, new RegExp(`hint: a case is named with --case DIR; tidemark ${command} --help`))
  }
})

test('an empty case that is being written says so', t => {
  const cwd = workFolder(t)
  tidemark(['add', 'logs'], { cwd })
  tidemark(['remove', 'logs'], { cwd })
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  t.after(() => child.kill('SIGKILL'))
  const lock = {
    pid: child.pid,
    host: hostname(),
    born: null,
    since: '2026-03-14T15:09:26Z',
    doing: 'tidemark add big/',
  }
  writeFileSync(join(cwd, 'case.tidemark', 'write.lock'), JSON.stringify(lock))
  for (const args of [['flows'], ['investigate', subject], ['sql', 'SELECT 1']]) {
    const { stderr } = tidemark(args, { cwd })
    assert.match(
      stderr,
      /the case is empty so far: process \d+ \(tidemark add big\/\) is writing it; try again/,
      args[0],
    )
  }
})

test('the demo in a case with files that were not read ends like every question of it', t => {
  const cwd = workFolder(t)
  tidemark(['add', 'headless.log', '--case', 'mine.tidemark'], { cwd })
  const { status, stderr } = tidemark(['demo', '--records', '2000', '--case', 'mine.tidemark'], { cwd })
  assert.equal(status, 3, stderr)
  assert.match(stderr, /headless\.log/)
})
