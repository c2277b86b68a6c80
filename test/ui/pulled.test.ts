import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { workFolder } from '../flows/support.ts'
import { StandIn } from '../pull/stand-in.ts'
import { logOf } from '../robustness/support.ts'
import { axeFaults, noBrowser, openWorkbench } from './workbench.ts'

test('of a pulled case every page says that it is a part, and of what', { skip: noBrowser }, async () => {
  const work = workFolder()
  try {
    mkdirSync(join(work.root, 'logs'))
    writeFileSync(join(work.root, 'logs', 'a.log'), logOf(10))
    const engine = await StandIn.of(join(work.root, 'logs'))
    const dir = join(work.root, 'pulled')
    const subject = [parsePrefix('192.0.2.1')!]
    await (await pullOf(engine, { case: dir, subject })).run()
    await engine.close()
    const workbench = await openWorkbench(dir)
    try {
      for (const path of ['/', '/evidence'])
        await workbench.visit(path, {}, async page => {
          const said = page.getByText(
            /^This case is a part of http.*: the records of 192\.0\.2\.1, 0 of the 10 records that it has\./,
          )
          await said.waitFor()
          assert.deepEqual(await axeFaults(page), [])
          await page.emulateMedia({ media: 'print' })
          assert.equal(await said.isVisible(), true)
        })
    } finally {
      await workbench.close()
    }
  } finally {
    work.close()
  }
})
