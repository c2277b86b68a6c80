import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

describe('evidence and graph in a browser', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-evidence-'))
  const caseDir = join(folder, 'case.tidemark')
  const hostile = 'a"><img src=x onerror=alert(1)>\u202egol.log'
  let workbench: Opened

  before(async () => {
    await copyLab(folder)
    writeFileSync(join(folder, hostile), `${defaultHeader}\n${recordLine(1)}\nno record\n`)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928'), join(folder, hostile)] })
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('files are found, what they come to is shown, and names of files are text', async () => {
    await workbench.visit('/evidence?_only=troubled', {}, async page => {
      await page.getByText('✓ adds up').first().waitFor()
      const row = page.locator('tr.file')
      await row.getByText('\\u202e').first().waitFor()
      assert.equal(await row.count(), 1)
      assert.match(
        String(await row.textContent()).replace(/\s+/g, ' '),
        /lines 3 = headers 1 \+ records 1 \+ malformed 1/,
      )
      await row.getByRole('button', { name: /in no record/ }).click()
      assert.match((await row.getByRole('link', { name: 'line 3' }).getAttribute('href'))!, /^\/record\/\d+\/3/)
      await picture(page, 'evidence-troubled')
    })
  })

  test('coverage is told by the arrow keys, and Enter takes a bin as the window', async () => {
    await workbench.visit('/evidence', {}, async page => {
      const map = page.getByRole('application', { name: /What was recorded/ })
      await map.focus()
      await page.keyboard.press('ArrowRight')
      await page.locator('.coverage .tip').getByText(/UTC:/).waitFor()
      await page.keyboard.press('Enter')
      await page.waitForURL(/from=/)
      await page.locator('.coverage .window').waitFor({ state: 'attached' })
    })
  })

  test('a file is added, taken out and put back from the page', async () => {
    const path = join(folder, 'more.log')
    writeFileSync(path, `${defaultHeader}\n${recordLine(2)}\nwrong\n`)
    await workbench.visit('/evidence', {}, async page => {
      await page.getByLabel('File or folder').fill(path)
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      await page.getByText('1 file read: 1 record.').waitFor()
      await page.getByText('1 line could not be read').waitFor()
      await quiet(page)
      await page.getByLabel('Part of a path').fill('more.log')
      // Another answer comes in: what was typed stays.
      await page.getByRole('columnheader', { name: 'Size' }).getByRole('button').click()
      await page.waitForURL(/sort=/)
      await quiet(page)
      await page.getByRole('button', { name: 'Find' }).click()
      await quiet(page)
      await page.getByRole('button', { name: `Remove ${path}` }).click()
      await page.getByLabel('Why, for the ledger').fill('not of this incident')
      await picture(page, 'evidence-remove')
      await page.getByRole('button', { name: 'Remove it' }).click()
      await page
        .getByText('not of this incident')
        .waitFor({ timeout: 20_000 })
        .finally(() => picture(page, 'evidence-removed'))
      await quiet(page)
      await page.getByRole('button', { name: `Put back ${path}` }).click()
      await page.getByRole('button', { name: 'Put it back' }).click()
      await page.getByText('put back', { exact: false }).first().waitFor()
      await page.getByRole('button', { name: 'Verify' }).click()
      await page.getByText('Intact:').waitFor()
    })
  })

  test('the graph has the totals of the command, and its links open hosts', async () => {
    const c = await openCase(caseDir)
    const { counting } = await queryFlows(c, { filter: 'dst port 8889', by: [] }).finally(() => c.close())
    await workbench.visit('/graph?q=dst+port+8889', {}, async page => {
      const words = `${String(counting.bytes).replace(/\B(?=(\d{3})+$)/g, ',')} B, ${counting.records} records`
      await page.getByText(words).first().waitFor()
      await page.locator('path.band').first().waitFor({ state: 'attached' })
      await picture(page, 'graph-8889')
      await page.getByRole('button', { name: 'Hosts' }).click()
      await page.locator('g.node.internal').first().waitFor()
      await page.locator('.graph-table a.value').first().click()
      await page.waitForURL(/\/host\//)
    })
  })

  for (const [width, dark] of [
    [800, false],
    [1280, true],
    [2560, false],
  ] as const) {
    test(`nobody is kept out: ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
      for (const path of ['/evidence', '/graph', '/graph?_as=hosts']) {
        await workbench.visit(path, { width, dark, height: 1200 }, async page => {
          await page
            .locator(path === '/evidence' ? 'tr.file' : 'svg .band, svg .edge')
            .first()
            .waitFor({ state: 'attached' })
          assert.deepEqual(await axeFaults(page), [], path)
          await picture(page, `${path.replace(/\W+/g, '-').slice(1)}-${width}${dark ? '-dark' : ''}`)
        })
      }
    })
  }
})

/** Nothing is being asked: what is under way when the case is loaded again is refused. */
async function quiet(page: Page): Promise<void> {
  await page.waitForTimeout(1500)
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null)
}
