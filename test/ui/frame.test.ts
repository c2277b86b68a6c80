import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { noBrowser, type Opened, openWorkbench } from './workbench.ts'

describe('the frame of the workbench', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-'))
  let workbench: Opened

  before(async () => {
    await copyLab(folder)
    const caseDir = join(folder, 'case.tidemark')
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928')] })
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the header names the case and how many records it has', async () => {
    await workbench.visit('/', {}, async page => {
      await page.getByText('172,211 records').waitFor()
      assert.equal(await page.title(), 'Tidemark')
    })
  })
})
