import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { caseAround, fileTarget, type OutputRules, outputTarget } from '../../src/disk/output.ts'
import { clearKilledOutputs, PartFile } from '../../src/disk/part-file.ts'
import { exitStatus, UserError } from '../../src/errors.ts'
import { type Run, temporaryFolder, tidemark } from '../cli/run.ts'
import { captureOf, talk } from '../handmade.ts'
import { cliEntry } from '../repo.ts'

const posix = { skip: process.platform === 'win32' }
/** A capture of that many connections. */
const packets = (connections = 40): Uint8Array =>
  captureOf(
    Array.from({ length: connections }, (_, i) =>
      talk({ at: 1_700_000_000 + i, client: `192.0.2.1 ${i + 2000}`, server: '198.51.100.2 80' }),
    ).flat(),
  )

interface Place {
  folder: string
  at: (name: string) => string
}

/** A folder with captures and a case that was built from one of them. */
function place(t: TestContext): Place {
  const folder = temporaryFolder(t)
  const at = (name: string): string => join(folder, name)
  mkdirSync(at('captures'))
  writeFileSync(at('captures/a.pcap'), packets())
  writeFileSync(at('captures/b.pcap'), packets(20))
  writeFileSync(at('added.pcap'), packets())
  assert.equal(tidemark(['add', 'added.pcap', '--case', 'c'], { cwd: folder }).status, 0)
  return { folder, at }
}

/** Each command with an output of its own, which is last. */
const commands: Record<string, string[]> = {
  'convert a folder': ['convert', 'captures', '--case', 'c', '--to', 'csv', '-o'],
  'convert to Parquet': ['convert', 'captures', '--case', 'c', '--to', 'parquet', '-o'],
  'carve the case': ['carve', 'any', '--case', 'c', '-o'],
  'flows --parquet': ['flows', '--case', 'c', '--parquet'],
}

test('evidence and cases are not written over by any command, whatever it is forced to', posix, t => {
  const { folder, at } = place(t)
  symlinkSync('added.pcap', at('link.pcap'))
  linkSync(at('added.pcap'), at('hard.pcap'))
  const segment = `c/segments/${readdirSync(at('c/segments'))[0]!}`
  symlinkSync(at('c'), at('case-link'))
  const evidence = ['added.pcap', './captures/../added.pcap', 'link.pcap', 'hard.pcap']
  const ofCase = [
    'c/ledger.jsonl',
    segment,
    'c/new.pcap',
    'c/new/deep.pcap',
    'case-link/ledger.head',
    'c/incoming/x.pcap',
  ]
  const read = ['captures/a.pcap', 'captures/b.pcap']
  const all = [...evidence, ...read, 'c/ledger.jsonl', 'c/ledger.head', segment]
  const before = all.map(name => readFileSync(at(name)))
  const refused = (target: string, message: string, hint: string): void => {
    const what = ofCase.includes(target) ? 'lies in a case' : 'is evidence that is read'
    assert.ok(message.startsWith(`the output ${what}: ${target}`), message)
    assert.match(hint, /name another/)
  }
  const inputs = ['added.pcap', ...read].map(at)
  for (const target of [...evidence, ...read, ...ofCase]) {
    for (const force of [false, true]) {
      const error = thrown(() =>
        outputTarget(`${folder}/${target}`, { option: '-o', inputs, force, makesFolders: force }),
      )
      assert.equal(error.status, exitStatus.usage)
      refused(target, error.message.replace(`${folder}/`, ''), error.hint ?? '')
    }
  }
  for (const [name, args] of Object.entries(commands)) {
    for (const target of ['hard.pcap', 'c/new.pcap', ...(name.startsWith('convert') ? ['captures/b.pcap'] : [])]) {
      const run = tidemark([...args, target, '--force'], { cwd: folder })
      assert.equal(run.status, exitStatus.usage, `${name} ${target}: ${run.stderr}`)
      const [message = '', hint = ''] = run.stderr.split('\n')
      refused(target, message.replace('tidemark: ', ''), hint)
    }
  }
  const carved = tidemark(['carve', 'any', 'captures', '-o', 'captures/b.pcap', '--force'], { cwd: folder })
  assert.equal(carved.status, exitStatus.usage)
  const into = tidemark(['convert', 'captures', '-o', 'c/segments/'], { cwd: folder })
  assert.deepEqual([into.status, /lies in a case/.test(into.stderr)], [exitStatus.usage, true])
  assert.deepEqual(
    all.map(name => readFileSync(at(name))),
    before,
  )
  assert.equal(tidemark(['verify', '--case', 'c'], { cwd: folder }).status, 0)
})

function thrown(work: () => unknown): UserError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof UserError, String(error))
    return error
  }
  return assert.fail('nothing was thrown')
}

test('another file that exists is replaced only by --force, and through a link', posix, t => {
  const { folder, at } = place(t)
  symlinkSync('old.pcap', at('link.pcap'))
  for (const [name, args] of Object.entries(commands)) {
    writeFileSync(at('old.pcap'), 'old', { mode: 0o600 })
    const kept = tidemark([...args, 'link.pcap'], { cwd: folder })
    assert.deepEqual([kept.status, readFileSync(at('old.pcap'), 'utf8')], [exitStatus.usage, 'old'], name)
    assert.match(kept.stderr, /^tidemark: the file exists: link\.pcap\n {2}hint: .*--force/)
    const run = tidemark([...args, 'link.pcap', '--force'], { cwd: folder })
    assert.equal(run.status, exitStatus.done, `${name}: ${run.stderr}`)
    assert.ok(lstatSync(at('link.pcap')).isSymbolicLink(), name)
    assert.ok(statSync(at('old.pcap')).size > 100, name)
    assert.equal(statSync(at('old.pcap')).mode & 0o777, 0o600, name)
  }
})

test('what no file can be, is told before anything is read', posix, t => {
  const { folder, at } = place(t)
  mkdirSync(at('folder.pcap'))
  writeFileSync(at('file'), '')
  symlinkSync('nowhere', at('dangling.pcap'))
  symlinkSync('circle.pcap', at('circle.pcap'))
  const rows: [target: string, status: number, says: RegExp][] = [
    ['folder.pcap', exitStatus.usage, /a folder where a file is expected: folder\.pcap/],
    ['dangling.pcap', exitStatus.usage, /a link that leads to nothing: dangling\.pcap -> nowhere/],
    ['circle.pcap', exitStatus.failed, /cannot write circle\.pcap: its links lead in a circle/],
    ['file/x.pcap', exitStatus.failed, /cannot write file\/x\.pcap: a file where a folder is expected: file/],
    [`${'x'.repeat(300)}.pcap`, exitStatus.failed, /cannot write x+\.pcap: the name is too long/],
  ]
  for (const [target, status, says] of rows) {
    const error = thrown(() => inFolder(folder, () => outputTarget(target, { option: '-o', makesFolders: true })))
    assert.deepEqual([error.status, says.test(error.message)], [status, true], error.message)
    assert.ok(error.hint, error.message)
  }
  for (const [name, args] of Object.entries(commands)) {
    const run = tidemark([...args, 'file/x.pcap'], { cwd: folder })
    assert.equal(run.status, exitStatus.failed, `${name}: ${run.stderr}`)
    assert.match(run.stderr, /^tidemark: cannot write file\/x\.pcap: a file where a folder is expected: file\n/)
  }
  if (existsSync('/proc/self')) {
    const target = fileTarget('/proc/x.pcap', { option: '-o', seeks: 'x' })
    assert.match(thrown(() => new PartFile(target)).message, /^cannot write \/proc\/x\.pcap: /)
  }
  const rest: [args: string[], says: RegExp][] = [
    [['convert', 'captures', '--to', 'csv', '-o', ''], /the name of the output is empty/],
    [['convert', 'captures', '--to', 'csv', '-o', 'new/'], /a folder where a file is expected: new\//],
    [['convert', 'captures', '-o', 'file/'], /a file where a folder is expected: file\//],
    [['flows', '--case', 'c', '--parquet', 'new/'], /a folder where a file is expected: new\//],
    [['flows', '--case', 'c', '--parquet', '-'], /Parquet cannot be written to standard output/],
    [['carve', 'any', '--case', 'c', '-o', ''], /cannot tell the format/],
  ]
  for (const [args, says] of rest) {
    const run = tidemark(args, { cwd: folder })
    assert.deepEqual([run.status, says.test(run.stderr)], [exitStatus.usage, true], `${args.join(' ')}: ${run.stderr}`)
  }
  assert.equal(lstatSync(at('dangling.pcap')).isSymbolicLink(), true)
  const names = ['added.pcap', 'c', 'captures', 'circle.pcap', 'dangling.pcap', 'file', 'folder.pcap']
  assert.deepEqual(readdirSync(folder).sort(), names)
})

function inFolder<T>(folder: string, work: () => T): T {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return work()
  } finally {
    process.chdir(before)
  }
}

/** Runs in bash, with `$T` as the command. */
function shell(folder: string, script: string): Run {
  const env = { ...process.env, T: `${process.execPath} ${cliEntry}` }
  const run = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', env, timeout: 60_000 })
  return { status: run.status, stdout: run.stdout, stderr: run.stderr }
}

test('pipes and devices are written, and stay what they are', posix, t => {
  const { folder, at } = place(t)
  const lines = (text: string): number => text.split('\n').length - 1
  const rows = tidemark(['convert', 'captures/a.pcap', '--to', 'csv', '-o', '-'], { cwd: folder }).stdout
  assert.ok(lines(rows) > 40)
  const scripts = {
    'a named pipe': 'mkfifo p.csv && { $T convert captures/a.pcap -o p.csv & cat p.csv; wait $!; }',
    'a process substitution': '$T convert captures/a.pcap --to csv -o >(cat > got) && sleep 0.5 && cat got',
    '/dev/stdout of a pipe': '$T convert captures/a.pcap --to csv -o /dev/stdout | cat',
    '/dev/stdout of a file':
      'echo first > out; $T convert captures/a.pcap --to csv -o /dev/stdout >> out; tail -n +2 out',
    'a link to /dev/stdout': 'ln -s /dev/stdout o.csv && $T convert captures/a.pcap -o o.csv | cat',
    'a descriptor': '$T convert captures/a.pcap --to csv -o /dev/fd/7 7> seven && cat seven',
  }
  for (const [name, script] of Object.entries(scripts)) {
    const run = shell(folder, script)
    assert.deepEqual([run.status, run.stdout], [0, rows], `${name}: ${run.stderr}`)
  }
  assert.ok(lstatSync(at('p.csv')).isFIFO() && lstatSync(at('o.csv')).isSymbolicLink())
  const carved = shell(
    folder,
    'mkfifo p.pcap; { $T carve any captures/a.pcap -o p.pcap & cat p.pcap > got.pcap; wait $!; }',
  )
  assert.equal(carved.status, 0, carved.stderr)
  assert.equal(readFileSync(at('got.pcap')).readUInt32LE(0), 0xa1b23c4d)
  const files = [
    'convert captures --to nfcapd -o p.csv',
    'convert captures --to parquet -o /dev/null',
    'flows --case c --parquet /dev/stdout',
  ]
  for (const args of files) {
    const run = shell(folder, `timeout 20 $T ${args}`)
    assert.equal(run.status, exitStatus.usage, `${args}: ${run.stderr}`)
    assert.match(run.stderr, /cannot be written to a pipe or device: /)
  }
  assert.ok(lstatSync('/dev/null').isCharacterDevice())
  const own = shell(folder, '$T convert captures/a.pcap --to csv -o - >> captures/a.pcap')
  assert.deepEqual([own.status, /is evidence that is read/.test(own.stderr)], [exitStatus.usage, true])
})

test('a pipe that nobody reads, or not on, holds up no signal', posix, t => {
  const { folder } = place(t)
  writeFileSync(join(folder, 'many.pcap'), packets(2000))
  const none = shell(folder, 'mkfifo p.csv; $T convert many.pcap -o p.csv & sleep 2; kill -TERM $!; wait $!')
  assert.deepEqual([none.status, none.stderr], [143, 'tidemark: stopped\n'])
  const stuck = shell(folder, '(exec 3<> p.csv; $T convert many.pcap -o p.csv & sleep 3; kill -TERM $!; wait $!)')
  assert.deepEqual([stuck.status, stuck.stderr], [143, 'tidemark: stopped\n'])
})

test('a write error is told as one, and leaves nothing', posix, t => {
  const { folder, at } = place(t)
  writeFileSync(at('many.pcap'), packets(3000))
  // Nothing is left to write when the second capture, which has no packets, has been read.
  writeFileSync(at('z.pcap'), packets(1).subarray(0, 24))
  mkdirSync(at('out'))
  for (const name of ['x.csv', 'x.ndjson', 'conn.log', 'x.nf', 'x.parquet', 'vpc.log', 'flows/']) {
    const run = shell(folder, `ulimit -f 8; $T convert many.pcap z.pcap -o out/${name}`)
    assert.equal(run.status, exitStatus.failed, `${name}: ${run.stderr}`)
    assert.match(
      run.stderr,
      /^tidemark: cannot write out\/\S+: the file becomes larger than is allowed\n {2}hint: .*\n$/,
    )
    assert.deepEqual(
      readdirSync(at('out')).filter(left => left !== 'flows'),
      [],
      name,
    )
  }
  assert.equal(tidemark(['add', 'many.pcap', '--case', 'many'], { cwd: folder }).status, 0)
  writeFileSync(at('out/x.parquet'), 'old')
  for (const args of ['carve any -o out/x.pcapng', 'flows -n 0 --parquet out/x.parquet --force']) {
    const run = shell(folder, `ulimit -f 8; $T ${args} --case many`)
    assert.equal(run.status, exitStatus.failed, run.stderr)
    assert.match(run.stderr, /^tidemark: cannot write out\/x\.\w+: the file becomes larger than is allowed\n/)
  }
  assert.deepEqual(
    [readdirSync(at('out')).sort(), readFileSync(at('out/x.parquet'), 'utf8')],
    [['flows', 'x.parquet'], 'old'],
  )
  const add = shell(folder, 'ulimit -f 8; $T add many.pcap --case full')
  assert.deepEqual(
    [add.status, /a file of the case becomes larger/.test(add.stderr)],
    [exitStatus.failed, true],
    add.stderr,
  )
  if (!existsSync('/dev/full')) return
  symlinkSync('/dev/full', at('full.pcap'))
  for (const args of ['convert many.pcap --to csv -o /dev/full', 'carve any many.pcap -o full.pcap']) {
    const run = shell(folder, `$T ${args}`)
    assert.equal(run.status, exitStatus.failed, run.stderr)
    assert.match(run.stderr, /^tidemark: cannot write \S+: no space left on the device\n {2}hint: free some space/)
  }
})

test('what a killed writer left is cleared by the next of the same output, and nothing else is', posix, async t => {
  const { folder, at } = place(t)
  const big = Buffer.concat([packets(), ...Array.from({ length: 500 }, () => packets().subarray(24))])
  writeFileSync(at('big.pcap'), big)
  mkdirSync(at('out'))
  for (const name of ['out.csv', 'out.parquet']) {
    const child = spawn(process.execPath, [cliEntry, 'convert', at('big.pcap'), '-o', at(`out/${name}`)])
    const ended = new Promise(resolve => child.on('close', resolve))
    while (readdirSync(at('out')).length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    child.kill('SIGKILL')
    await ended
    const left = readdirSync(at('out'))
    assert.ok(left.length > 0 && left.every(one => one.startsWith(`.${name}.tidemark-`)), left.join(' '))
    const run = tidemark(['convert', 'captures', '-o', 'out/other.csv', '--force'], { cwd: folder })
    assert.equal(run.status, 0, run.stderr)
    assert.deepEqual(readdirSync(at('out')).sort(), [...left, 'other.csv'].sort())
    // Of a living process, of another machine, and what is no file at all.
    const [, host] = /tidemark-([0-9a-f]{8})-/.exec(left[0]!)!
    const kept = [
      `.${name}.tidemark-${host}-${process.pid}-00000000.part`,
      `.${name}.tidemark-00000000-99999999-00000000.part`,
      `.${name}.tidemark-${host}-99999999-1.part`,
    ]
    for (const one of kept) writeFileSync(at(`out/${one}`), '')
    mkdirSync(at(`out/.${name}.tidemark-${host}-99999999-00000000.part`))
    assert.equal(tidemark(['convert', 'captures', '-o', `out/${name}`], { cwd: folder }).status, 0)
    const folderLeft = `.${name}.tidemark-${host}-99999999-00000000.part`
    assert.deepEqual(readdirSync(at('out')).sort(), [...kept, folderLeft, name, 'other.csv'].sort())
    renameSync(at('out'), at(`out-${name}`))
    mkdirSync(at('out'))
  }
})

test('a file that appears, or is changed for another, while the output is written is left as it is', t => {
  const folder = temporaryFolder(t)
  const rules: OutputRules & { seeks: string } = { option: '-o', seeks: 'x' }
  const path = join(folder, 'out')
  const appeared = new PartFile(fileTarget(path, rules))
  writeFileSync(path, 'mine')
  assert.throws(() => appeared.finish(), /another file has taken the name/)
  appeared.abandon()
  const changed = new PartFile(fileTarget(path, { ...rules, force: true }))
  renameSync(path, `${path}.moved`)
  writeFileSync(path, 'another')
  assert.throws(() => changed.finish(), /another file has taken the name/)
  changed.abandon()
  const became = new PartFile(fileTarget(join(folder, 'new', 'out'), { ...rules, makesFolders: true }))
  writeFileSync(join(folder, 'ledger.jsonl'), '{"hash":"0"}')
  assert.throws(() => became.finish(), /lies in a case/)
  became.abandon()
  assert.deepEqual(readdirSync(folder).sort(), ['ledger.jsonl', 'out', 'out.moved'])
  assert.deepEqual([readFileSync(path, 'utf8'), readFileSync(`${path}.moved`, 'utf8')], ['another', 'mine'])
  assert.equal(caseAround(join(folder, 'deep', 'er')), folder)
  assert.throws(() => outputTarget(join(folder, 'x'), { option: '-o' }), UserError)
  clearKilledOutputs(join(folder, 'nowhere'))
})

test('a capture whose name is not UTF-8 is found again', { skip: process.platform !== 'linux' }, t => {
  const { folder } = place(t)
  const script = `
    mkdir e $'odd\\xff'; cp captures/a.pcap e/$'x\\xff.pcap'; cp captures/b.pcap $'odd\\xff'/b.pcap
    $T carve any e -o 1.pcap && $T add e --case d && (cd e && $T carve any --case ../d -o ../2.pcap) &&
    (cd $'odd\\xff' && $T add b.pcap --case ../f) && $T carve any --case f -o 3.pcap &&
    $T evidence --case f --json`
  const run = shell(folder, script)
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stdout, /odd\\\\xff\/b\.pcap/)
  for (const name of ['1.pcap', '2.pcap', '3.pcap']) assert.ok(readFileSync(join(folder, name)).length > 1000, name)
})

test('the names that the user gave are shown with their controls visible', posix, t => {
  const { folder } = place(t)
  const odd = 'x\u001b[31m\u202e'
  const runs = [
    ['convert', 'captures/a.pcap', '-o', `${odd}.csv`],
    ['convert', 'captures/a.pcap', '-o', odd],
    ['carve', 'any', '--case', 'c', '-o', `${odd}.pcap`],
    ['flows', '--case', 'c', '--save', odd],
    ['investigate', '192.0.2.1', `${odd}.csv`],
    ['demo', '--out', odd, '--records', '100'],
  ]
  for (const args of runs) {
    const { stdout, stderr } = tidemark(args, { cwd: folder })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is looked for.
    assert.doesNotMatch(stdout + stderr, /[\u001b\u202e]/, args.join(' '))
  }
})
