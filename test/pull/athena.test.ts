import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { openCase } from '../../src/store/case.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { writeCleanFolder } from './clean-folder.ts'
import { shown } from './shown.ts'
import { type Form, StandIn } from './stand-in.ts'
import { answerFrom, withAthena } from './through-athena.ts'

const folders = Number(process.env['TIDEMARK_PULL_FOLDERS'] ?? 3)
const subjects = [['20.106.124.93'], ['2001:db8:bad::93', '10.0.9.101']]
const forms: Form[] = ['text', 'folders', 'pushed']

test('what is pulled from Athena makes the dossier of all the logs, and the ledger names its statements', async () => {
  let compared = 0
  await withAthena(async (stub, athena) => {
    for (let i = 0; i < Math.ceil(folders / 2); i++) {
      const work = workFolder()
      try {
        const folder = join(work.root, 'logs')
        if (!(await writeCleanFolder(work.root, 7000 + i, folder))) continue
        compared++
        const local = await caseOf(work.root, [folder], 'local')
        for (const [n, texts] of subjects.entries()) {
          const table = await StandIn.of(folder, forms[(i + n) % forms.length])
          answerFrom(stub, table)
          const before = stub.started.length
          const dir = join(work.root, `pulled-${n}`)
          const pull = await pullOf(athena(), { case: dir, subject: texts.map(text => parsePrefix(text)!) })
          const { statements } = await pull.run()
          const started = stub.started.slice(before).map(({ id }) => id)
          assert.ok(statements.length > 1)
          for (const { query } of statements) assert.ok(started.includes(query), query)
          assert.deepEqual((await verifyCase(dir)).findings, [])
          const pulled = await openCase(dir)
          const [there, here] = [await investigate(local, texts), await investigate(pulled, texts)]
          await Promise.all([pulled.close(), table.close()])
          assert.deepEqual(shown(here), shown(there), `folder ${i}, ${texts.join(' ')}`)
        }
        await local.close()
      } finally {
        work.close()
      }
    }
  })
  assert.ok(compared > 0)
})

test('a question that is longer than Athena takes is refused before anything is run', async () => {
  await withAthena(async (stub, athena) => {
    const work = workFolder()
    const folder = join(work.root, 'logs')
    assert.ok(await writeCleanFolder(work.root, 7001, folder))
    const table = await StandIn.of(folder, 'text')
    try {
      answerFrom(stub, table)
      const subject = Array.from({ length: 4000 }, (_, i) => parsePrefix(`10.${i >> 8}.${i & 255}.9`)!)
      await assert.rejects(pullOf(athena(), { case: join(work.root, 'c'), subject }), (error: UserError) => {
        assert.match(error.message, /^the question is too long for an engine: \d+ letters, of 262144 at most$/)
        return error instanceof UserError
      })
      assert.equal(stub.started.length, 0)
    } finally {
      await table.close()
      work.close()
    }
  })
})
