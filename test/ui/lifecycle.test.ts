/** What the page says and does while the workbench is gone, a process of it dies, or the case grows. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { startWorkbench, type Workbench } from '../../src/server/listen.ts'
import { cliEntry } from '../repo.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { launchBrowser, noBrowser } from './workbench.ts'

describe('a workbench that changes under the page', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-life-'))
  const caseDir = join(folder, 'case.tidemark')
  let browser: Browser

  before(async () => {
    const lines = Array.from({ length: 50 }, (_, i) => recordLine(i))
    writeFileSync(join(folder, 'a.log'), `${[defaultHeader, ...lines].join('\n')}\n`)
    await addEvidence({ case: caseDir, paths: [join(folder, 'a.log')] })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function opened(url: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    page.setDefaultTimeout(60_000)
    await page.addInitScript("try { localStorage.setItem('tidemark.tour', 'seen') } catch {}")
    await page.goto(url)
    await records(page, 50)
    return page
  }

  const records = (page: Page, count: number): Promise<void> =>
    page
      .locator('.totals b', { hasText: new RegExp(`^${count}$`) })
      .first()
      .waitFor()
  const gone = (page: Page) => page.getByText('The workbench does not answer.')

  test('where it stops answering the page says so, keeps what it shows, and goes on when it answers again', async () => {
    const child = spawn(process.execPath, [cliEntry, 'ui', '--case', caseDir, '--no-open'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const page = await opened(await linkOf(child))
      await page.route('**/api/events', route => route.abort())
      await page.goto(`${new URL(page.url()).origin}/hosts`)
      await gone(page).waitFor()
      await page.unroute('**/api/events')
      await gone(page).waitFor({ state: 'hidden' })
      await page.locator('.hosts tbody tr').first().waitFor()
      const ended = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGINT')
      await ended
      await gone(page).waitFor()
      await page.getByText('start it again with tidemark ui').first().waitFor()
      assert.ok((await page.locator('.hosts tbody tr').count()) > 0)
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('a process that is killed is said to be started again, and the page is answered', async () => {
    await workbenchOf(async workbench => {
      const page = await opened(workbench.url)
      for (const kind of ['view', 'work'] as const) {
        for (const pid of workbench.pids()[kind]) process.kill(pid, 'SIGKILL')
        await page.getByText(`The process “${kind}” ended`).waitFor()
        await page.getByRole('button', { name: 'Dismiss' }).click()
      }
      await page.goto(`${new URL(page.url()).origin}/?q=port+443`)
      await page.locator('.totals b').first().filter({ hasNotText: '…' }).waitFor()
      await page.goto(`${new URL(page.url()).origin}/flows`)
      await page.getByText('50 records').first().waitFor()
    })
  })

  test('records that are added elsewhere are told of, left out until they are wanted, and then in every figure', async () => {
    await workbenchOf(async workbench => {
      const page = await opened(workbench.url)
      writeFileSync(join(folder, 'b.log'), `${defaultHeader}\n${recordLine(60)}\n${recordLine(61)}\n`)
      await addEvidence({ case: caseDir, paths: [join(folder, 'b.log')] })
      await page.getByText('The case has new records; what is shown is without them.').waitFor()
      await records(page, 50)
      await page.getByRole('button', { name: 'Load the new records' }).click()
      await records(page, 52)
      await page.getByText('52 records', { exact: true }).waitFor({ state: 'attached' })
      assert.equal(await page.getByText('The case has new records').count(), 0)
    })
  })

  async function workbenchOf(work: (workbench: Workbench) => Promise<void>): Promise<void> {
    const workbench = await startWorkbench({ caseDir, port: 0, demo: false })
    try {
      await work(workbench)
    } finally {
      await workbench.close()
    }
  }
})

/** The link that it prints. */
function linkOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout!.on('data', piece => {
      said += String(piece)
      if (said.includes('\n')) resolve(said.split('\n')[0]!)
    })
    child.once('close', () => reject(new Error('it ended')))
  })
}
