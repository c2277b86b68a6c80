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
import { objectsOf } from './objects-of.ts'
import { shown } from './shown.ts'
import { type Form, StandIn } from './stand-in.ts'

const folders = Number(process.env['TIDEMARK_PULL_FOLDERS'] ?? 3)
const seed = Number(process.env['TIDEMARK_SEED'] ?? 1)
const subjects = [
  ['20.106.124.93'],
  ['2001:db8:bad::93'],
  ['10.0.0.0/16'],
  ['10.0.9.101', '198.51.100.0/24'],
  ['8.8.8.8'],
]

/** In turn, for every folder another one first. */
const ways: { form: Form; whole: boolean }[] = [
  { form: 'text', whole: false },
  { form: 'typed', whole: false },
  { form: 'folders', whole: true },
  { form: 'pushed', whole: false },
  { form: 'text', whole: true },
]

test('the dossier of a pulled case is that of all the logs, but for the places of the evidence', async () => {
  let compared = 0
  for (let i = 0; i < folders; i++) {
    const work = workFolder()
    try {
      const folder = join(work.root, 'logs')
      if (!(await writeCleanFolder(work.root, seed * 1000 + i, folder))) continue
      compared++
      const local = await caseOf(work.root, [folder], 'local')
      assert.equal(local.problems.length, 0)
      for (const [n, texts] of subjects.entries()) {
        const { form, whole } = ways[(i + n) % ways.length]!
        const engine = await StandIn.of(folder, form)
        const dir = join(work.root, `pulled-${n}`)
        const subject = texts.map(text => parsePrefix(text)!)
        await (await pullOf(engine, { case: dir, subject, ...(whole && { objects: objectsOf(folder) }) })).run()
        assert.deepEqual((await verifyCase(dir)).findings, [])
        const pulled = await openCase(dir)
        const [there, here] = [await investigate(local, texts), await investigate(pulled, texts)]
        await Promise.all([pulled.close(), engine.close()])
        const which = `seed ${seed * 1000 + i}, ${texts.join(' ')}, ${form}${whole ? ', whole objects' : ''}`
        assert.deepEqual(shown(here), shown(there), which)
      }
      assert.ok(!readdirSync(work.root).some(name => name.includes('pulling')))
      await local.close()
    } finally {
      work.close()
    }
  }
  // A random folder may have nothing that is sound.
  assert.ok(compared > folders / 2, `${compared} of ${folders} folders`)
})
