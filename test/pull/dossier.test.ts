import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { openCase } from '../../src/store/case.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { writeCleanFolder } from './clean-folder.ts'
import { shown } from './shown.ts'
import { StandIn } from './stand-in.ts'

const folders = Number(process.env['TIDEMARK_PULL_FOLDERS'] ?? 6)
const seed = Number(process.env['TIDEMARK_SEED'] ?? 1)
const subjects = [
  ['20.106.124.93'],
  ['2001:db8:bad::93'],
  ['10.0.0.0/16'],
  ['10.0.9.101', '198.51.100.0/24'],
  ['8.8.8.8'],
]

test('the dossier of a pulled case is that of all the logs, but for the places of the evidence', async () => {
  for (let i = 0; i < folders; i++) {
    const work = workFolder()
    try {
      const folder = join(work.root, 'logs')
      await writeCleanFolder(work.root, seed * 1000 + i, folder)
      const engine = await StandIn.of(folder)
      const local = await caseOf(work.root, [folder], 'local')
      assert.equal(local.problems.length, 0)
      for (const [n, texts] of subjects.entries()) {
        const dir = join(work.root, `pulled-${n}`)
        const subject = texts.map(text => parsePrefix(text)!)
        await (await pullOf(engine, { case: dir, subject })).run()
        assert.deepEqual((await verifyCase(dir)).findings, [])
        const pulled = await openCase(dir)
        const [there, here] = [await investigate(local, texts), await investigate(pulled, texts)]
        await pulled.close()
        assert.deepEqual(shown(here), shown(there), `seed ${seed * 1000 + i}, ${texts.join(' ')}`)
      }
      assert.ok(!readdirSync(work.root).some(name => name.includes('pulling')))
      await local.close()
      await engine.close()
    } finally {
      work.close()
    }
  }
})
