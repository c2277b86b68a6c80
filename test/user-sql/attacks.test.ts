import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { errorText } from '../../src/errors.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { SqlError } from '../../src/user-sql/error.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { bombs, harmless, refused } from './attacks.ts'
import { ask, caseFolder, secret, snapshot } from './support.ts'

let folder = ''
let caseDir = ''
let untouched = new Map<string, string>()
let session: QuerySession

before(async () => {
  ;({ folder, caseDir } = await caseFolder())
  untouched = snapshot(folder)
  session = new QuerySession(caseDir, 256 * 2 ** 20)
})

after(() => session.close())

function written(attack: string): string {
  const segment = readdirSync(join(caseDir, 'segments')).find(name => name.startsWith('flows-'))!
  return attack
    .replaceAll('OUTSIDE', join(folder, 'outside.csv'))
    .replaceAll('SEGMENT', join(caseDir, 'segments', segment))
}

async function assertUntouched(): Promise<void> {
  assert.deepEqual([...snapshot(folder).keys()], [...untouched.keys()])
  assert.deepEqual(snapshot(folder), untouched)
  assert.equal((await verifyCase(caseDir)).intact, true)
}

for (const [what, attacks] of Object.entries(refused)) {
  test(`refuses ${what}`, async () => {
    for (const attack of attacks) {
      const error = await ask(session, written(attack)).then(
        () => null,
        thrown => thrown as unknown,
      )
      assert.ok(error instanceof SqlError, `${attack}: ${error === null ? 'answered' : errorText(error)}`)
      assert.doesNotMatch(`${error.message} ${error.hint}`, new RegExp(secret), attack)
      assert.doesNotMatch(
        error.message,
        /Cannot access file|disabled by/,
        `${attack}: only the second line of defence held`,
      )
    }
    await assertUntouched()
  })
}

test('lets through what only looks like an attack', async () => {
  for (const query of harmless) await assert.doesNotReject(ask(session, query), query)
  await assertUntouched()
})

test('behind the gate, files outside the case and changes of settings are forbidden all the same', async () => {
  const { openCase } = await import('../../src/store/case.ts')
  const opened = await openCase(caseDir)
  try {
    await opened.db.confineTo(join(caseDir, 'segments'))
    for (const attack of [
      `FROM read_text('${join(folder, 'outside.csv')}')`,
      "SET memory_limit = '100GB'",
      'INSTALL httpfs',
    ]) {
      await assert.rejects(opened.db.rows(attack), attack)
    }
  } finally {
    await opened.close()
  }
})

/** Most memory that a process which this one started was seen to have, in bytes. */
function peakOfChildren(): number {
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const sizes = children.flatMap(pid => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      if (!new RegExp(`^PPid:\\t${process.pid}$`, 'm').test(status)) return []
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
    } catch {
      return []
    }
  })
  return Math.max(0, ...sizes)
}

test('whatever takes too much ends in time and within memory', async () => {
  const seconds = 1
  for (const bomb of bombs) {
    let peak = 0
    const watch = existsSync('/proc') ? setInterval(() => (peak = Math.max(peak, peakOfChildren())), 50) : undefined
    const from = Date.now()
    const outcome = await ask(session, bomb, { seconds, rows: 10 }).then(
      () => 'answered',
      error => errorText(error),
    )
    clearInterval(watch)
    const took = (Date.now() - from) / 1000
    const shown = bomb.slice(0, 60)
    assert.ok(took < seconds + 15, `${shown}: ${took} s, ${outcome}`)
    assert.ok(peak < 2.5 * 2 ** 30, `${shown}: ${peak / 2 ** 20} MiB, ${outcome}`)
    assert.doesNotMatch(outcome, /tidemark-sql-/, 'no path of the case is told')
  }
  await session.close()
  await assertUntouched()
  assert.deepEqual(readdirSync(join(caseDir, 'incoming')), [], 'nothing is left of what was spilled')
})
