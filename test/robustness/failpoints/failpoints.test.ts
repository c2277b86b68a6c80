import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { readEvidence } from '../../../src/store/evidence-report.ts'
import { verifyCase } from '../../../src/store/verify.ts'
import { captureOf, talk } from '../../handmade.ts'
import { cliEntry, repoRoot, skipWithout } from '../../repo.ts'
import { chanceFrom, folderFor, logOf, recordsOfFiles, setting, sha256 } from '../support.ts'

/** Of each command so many of its calls are made to fail, chosen at random; 0: every one. */
const points = setting('FAILPOINTS', 6)
const seed = setting('FAILPOINT_SEED', 20261126)
/** A folder of evidence to use instead of the small one, for a long run. */
const evidenceFolder = process.env['TIDEMARK_FAILPOINT_EVIDENCE']
const subject = process.env['TIDEMARK_FAILPOINT_SUBJECT'] ?? '198.51.100.7'

interface Run {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Calls on files of the case that were made. */
  calls: number
  /** The call that failed, e.g. `12 write /…/ledger.jsonl`; empty where none did. */
  failed: string
}

class Ground {
  readonly root: string
  readonly evidence: string
  /** The case that commands work on; `pristine` is what it is put back to. */
  readonly dir: string
  readonly pristine: string
  private readonly library: string

  constructor(t: TestContext) {
    this.root = folderFor(t)
    this.evidence = evidenceFolder ?? join(this.root, 'evidence')
    this.dir = join(this.root, 'case')
    this.pristine = join(this.root, 'pristine')
    this.library = join(this.root, 'failpoints.so')
    const source = join(repoRoot, 'test', 'robustness', 'failpoints', 'failpoints.c')
    const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', this.library, source, '-ldl'], { encoding: 'utf8' })
    assert.equal(built.status, 0, built.stderr)
    if (evidenceFolder !== undefined) return
    mkdirSync(this.evidence)
    // Two logs of the same sensors at the same times, one that is not read whole, and packets: every kind of segment.
    writeFileSync(join(this.evidence, 'a.log'), logOf(300))
    writeFileSync(
      join(this.evidence, 'b.log'),
      `${logOf(200, 250)}not a record\n2 1 eni-0 - - - - - - - 1700000000 1700000060 - NODATA\n`,
    )
    writeFileSync(
      join(this.evidence, 'c.pcap'),
      captureOf(talk({ at: 1_700_000_010, client: '198.51.100.7 40000', server: '10.0.0.7 443' })),
    )
  }

  /** Puts the case back: as the first command of a test found it. */
  reset(): void {
    rmSync(this.dir, { recursive: true, force: true })
    if (existsSync(this.pristine)) cpSync(this.pristine, this.dir, { recursive: true })
  }

  run(args: readonly string[], failAt: number): Run {
    const counter = join(this.root, 'count')
    const log = join(this.root, 'failed')
    writeFileSync(counter, new Uint8Array(8))
    rmSync(log, { force: true })
    const child = spawnSync(process.execPath, [cliEntry, ...args, '--case', this.dir], {
      encoding: 'utf8',
      cwd: this.root,
      timeout: 120_000,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 28, // 256 MiB
      env: {
        PATH: process.env['PATH'],
        HOME: this.root,
        LD_PRELOAD: this.library,
        FAILPOINT_FOLDER: this.dir,
        FAILPOINT_AT: String(failAt),
        FAILPOINT_COUNT: counter,
        FAILPOINT_LOG: log,
      },
    })
    return {
      status: child.status,
      signal: child.signal,
      stdout: child.stdout,
      stderr: child.stderr,
      calls: Number(readFileSync(counter).readBigUInt64LE()),
      failed: existsSync(log) ? readFileSync(log, 'utf8').trim() : '',
    }
  }
}

/** Every file below a folder with its digest, but for what a case may work out again. */
function digests(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  if (!existsSync(folder)) return found
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    if (/^(cache|incoming)(\/|$)|^write\.lock/.test(name)) continue
    const path = join(folder, name)
    found.set(name, lstatSync(path).isFile() ? sha256(readFileSync(path)) : 'folder')
  }
  return found
}

function chosen(calls: number): number[] {
  const all = Array.from({ length: calls }, (_, i) => i + 1)
  if (points === 0 || points >= calls) return all
  const chance = chanceFrom(seed)
  return Array.from({ length: points }, () => all.splice(chance.int(0, all.length - 1), 1)[0]!).sort((a, b) => a - b)
}

/** What is wrong with how a command ended whose n-th call failed: it says so with status 1, or gives the right answer all the same. */
function faultOf(run: Run, right: Run): string | null {
  if (run.signal !== null) return `ended by ${run.signal}`
  if (run.status === right.status)
    return answerOf(run) === answerOf(right) ? null : 'another answer with the status of the right one'
  if (run.status !== 1) return `status ${run.status}`
  return run.stderr.trim() === '' ? 'fails without a word' : null
}

/** What a command answered, without the SQL that it shows: that reads from the cache, or works out once more what could not be kept there. */
function answerOf({ stdout }: Run): string {
  return stdout.replace(/"sql":\s*"(?:[^"\\]|\\.)*"/, '"sql":""')
}

const able = skipWithout('cc')
if (process.platform !== 'linux') able.skip = 'needs LD_PRELOAD'

test('a question any call of which fails gives the right answer or says that it has none', able, async t => {
  const ground = new Ground(t)
  assert.notEqual(ground.run(['add', ground.evidence, '--workers', '1'], 0).status, 1)
  cpSync(ground.dir, ground.pristine, { recursive: true })
  const record = digests(ground.dir)
  const outside = digests(ground.evidence)
  const wrong: string[] = []
  for (const args of [
    ['flows', '-s', 'dstip/bytes', '-n', '0', '--json'],
    ['flows', 'port 443 and role client', '-n', '0', '--csv'],
    ['sql', 'SELECT srcaddr, sum(bytes) AS b FROM flows GROUP BY ALL ORDER BY ALL', '--json'],
    ['investigate', subject, '--json'],
    ['evidence', '--json'],
    ['verify', '--json'],
  ]) {
    ground.reset()
    const right = ground.run(args, 0)
    assert.ok(right.status === 0 || right.status === 3, right.stderr)
    const places = chosen(right.calls)
    for (const at of places) {
      ground.reset()
      const run = ground.run(args, at)
      const where = `${args[0]}, call ${run.failed} of ${right.calls}`
      const fault = args[0] === 'verify' ? faultOfVerify(run, right) : faultOf(run, right)
      if (fault !== null) wrong.push(`${where}: ${fault}\n${run.stderr}`)
      assert.deepEqual(digests(ground.dir), record, `${where}: the record is as it was`)
      const again = ground.run(args, 0)
      if (answerOf(again) !== answerOf(right))
        wrong.push(`${where}: what it left makes the next answer wrong\n${again.stderr}`)
    }
    t.diagnostic(`${args[0]}: ${places.length} of ${right.calls} calls`)
  }
  assert.deepEqual(digests(ground.evidence), outside)
  assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'))
})

/** What cannot be read is a finding of verify. */
function faultOfVerify(run: Run, right: Run): string | null {
  return run.status === 1 || run.status === 3 ? null : faultOf(run, right)
}

test('adding with any call failing leaves a case that opens and that adding again completes', able, async t => {
  const ground = new Ground(t)
  const first = join(ground.root, 'first.log')
  writeFileSync(first, logOf(50, 9000))
  const outside = digests(ground.evidence)
  const wrong: string[] = []
  // Once where there is no case yet, once onto one that has evidence.
  for (const begin of [null, first]) {
    rmSync(ground.pristine, { recursive: true, force: true })
    ground.reset()
    if (begin !== null) {
      ground.run(['add', begin], 0)
      cpSync(ground.dir, ground.pristine, { recursive: true })
    }
    const args = ['add', ground.evidence, '--workers', '1', '--json']
    const right = ground.run(args, 0)
    const whole = await recordsOfFiles(ground.dir)
    const { totals } = await readEvidence(ground.dir)
    const places = chosen(right.calls)
    for (const at of places) {
      ground.reset()
      const run = ground.run(args, at)
      const where = `add ${begin === null ? 'to no case' : 'to a case'}, call ${run.failed} of ${right.calls}`
      const fault = faultOf({ ...run, stdout: '' }, { ...right, stdout: '' })
      if (fault !== null) wrong.push(`${where}: ${fault}\n${run.stderr}`)
      try {
        await checkAfter(ground, whole, run.status === right.status)
        const again = ground.run(args, 0)
        // What the failing run entered is there already, and is not read again.
        assert.ok(again.status === right.status || again.status === 0, again.stderr)
        assert.deepEqual(await recordsOfFiles(ground.dir), whole, 'adding again completes it')
        assert.deepEqual((await readEvidence(ground.dir)).totals, totals, 'adding again completes it')
        assert.deepEqual((await verifyCase(ground.dir)).findings, [])
      } catch (error) {
        wrong.push(`${where}: ${String(error)}\n${run.stderr}`)
      }
    }
    t.diagnostic(`add ${begin === null ? 'to no case' : 'to a case'}: ${places.length} of ${right.calls} calls`)
  }
  assert.deepEqual(digests(ground.evidence), outside)
  assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'))
})

/** The case is not there yet, or opens and holds whole files alone; all of them where `add` said that it was done. */
async function checkAfter(
  ground: Ground,
  whole: Awaited<ReturnType<typeof recordsOfFiles>>,
  done: boolean,
): Promise<void> {
  const { dir } = ground
  const ledger = join(dir, 'ledger.jsonl')
  if (!existsSync(ledger) || !readFileSync(ledger, 'latin1').includes('\n')) {
    assert.equal(done, false, 'done, and there is no case')
    return
  }
  const held = await recordsOfFiles(dir)
  for (const [path, sums] of held) assert.deepEqual(sums, whole.get(path), path)
  if (done) assert.deepEqual(held, whole)
  const { findings } = await verifyCase(dir)
  const bad = findings.filter(finding => finding.what !== 'incomplete' && finding.what !== 'unlisted')
  assert.deepEqual(bad, [])
}

test('removing, putting back and reading again with any call failing does all of it or nothing', able, async t => {
  const ground = new Ground(t)
  ground.run(['add', ground.evidence, '--workers', '1'], 0)
  const [a, b] = ['a.log', 'b.log'].map(name => join(ground.evidence, name)) as [string, string]
  ground.run(['remove', b], 0)
  cpSync(ground.dir, ground.pristine, { recursive: true })
  const before = await recordsOfFiles(ground.dir)
  const outside = digests(ground.evidence)
  const wrong: string[] = []
  for (const args of [
    ['remove', a, '--json'],
    ['remove', '--undo', b, '--json'],
    ['add', '--again', a, '--workers', '1', '--json'],
  ]) {
    ground.reset()
    const right = ground.run(args, 0)
    assert.equal(right.status, 0, right.stderr)
    const after = await recordsOfFiles(ground.dir)
    const places = chosen(right.calls)
    for (const at of places) {
      ground.reset()
      const run = ground.run(args, at)
      const where = `${args.join(' ')}, call ${run.failed} of ${right.calls}`
      if (run.signal !== null || (run.status !== 0 && run.status !== 1)) wrong.push(`${where}: ${run.status}`)
      try {
        const held = await recordsOfFiles(ground.dir)
        if (run.status === 0) assert.deepEqual(held, after)
        else
          assert.ok(
            [before, after].some(one => isDeepStrictEqual(one, held)),
            'all or nothing',
          )
        const { findings } = await verifyCase(ground.dir)
        assert.deepEqual(
          findings.filter(finding => finding.what !== 'incomplete' && finding.what !== 'unlisted'),
          [],
        )
        // The next writer completes what was left unfinished.
        ground.run(['add', ground.evidence, '--workers', '1'], 0)
        assert.deepEqual((await verifyCase(ground.dir)).findings, [])
      } catch (error) {
        wrong.push(`${where}: ${String(error)}\n${run.stderr}`)
      }
    }
    t.diagnostic(`${args[0]}: ${places.length} of ${right.calls} calls`)
  }
  assert.deepEqual(digests(ground.evidence), outside)
  assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'))
})
