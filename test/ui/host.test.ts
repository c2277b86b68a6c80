import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

const attacker = '20.106.124.93'
const exfiltration = `/connection/${encodeURIComponent(`6~10.130.8.94~36072~${attacker}~8889~1695929556000000`)}`

describe('a host and its connections on the page', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-host-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Opened

  before(async () => {
    await copyLab(folder)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928'), join(folder, 'investigate.pcap')] })
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const service = (page: Page, port: string) =>
    page.getByRole('table', { name: 'Services' }).getByRole('row').filter({ hasText: port })

  test('the page of the attacker has the figures of the dossier', async () => {
    const c = await openCase(caseDir)
    const dossier = await investigate(c, [attacker])
    await c.close()
    await workbench.visit(`/host/${attacker}`, {}, async page => {
      await page.getByText('took part in 33,232 of 172,211 flow records').waitFor()
      await page.getByText('external', { exact: true }).waitFor()
      assert.equal(await page.getByRole('heading', { name: `Findings (${dossier.findings.length})` }).count(), 1)
      const row = service(page, ':8889')
      const cells = await row.getByRole('cell').allTextContents()
      const sent = dossier.services.find(({ port }) => port === 8889)!
      assert.equal(cells.includes(String(sent.connections)), true, cells.join('|'))
      assert.equal(await row.getByTitle('265,183,813 B').count(), 1)
      assert.equal(await row.getByTitle('4,788,761 B').count(), 1)
      await page.getByText('known by who sent the SYN').first().waitFor()
      assert.equal(await page.getByText('736 connections in both, 14,949 in logs only').count(), 1)
    })
  })

  test('what the index knows stands there before the dossier, and follows the window', async () => {
    await workbench.visit(`/host/${attacker}`, {}, async page => {
      const now = page.getByLabel('At once')
      await now.getByTitle('25,973,824 B').first().waitFor()
      await now.getByTitle('457,010,892 B').first().waitFor()
      assert.equal(
        await now.getByRole('table', { name: 'Peers' }).getByRole('link', { name: '10.130.8.94' }).count(),
        1,
      )
      await now.getByRole('button', { name: 'As a table' }).click()
      const bins = now.getByRole('table', { name: 'Bytes sent and received over time' })
      await bins.getByRole('button', { name: '2023-09-28 17:22:00' }).click()
      await now.getByText('2023-09-28 17:22:00 – 17:23:00 UTC').waitFor()
      assert.match(page.url(), /from=2023-09-28T17%3A22%3A00Z/)
    })
  })

  test('by keyboard from a bar of the lanes to the connection, its records and back', async () => {
    await workbench.visit(`/host/${attacker}`, {}, async page => {
      const bars = page.getByRole('link', { name: /UTC, .*answered/ })
      await bars.first().waitFor()
      await bars.first().focus()
      await page.keyboard.press('End')
      await page.keyboard.press('Home')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowLeft')
      const name = await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))
      assert.equal(name, '2023-09-28 19:32:36 to 20:51:39 UTC, 76.1 MiB, answered, in a capture')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: '10.130.8.94:36072 → 20.106.124.93:8889' }).waitFor()
      assert.match(page.url(), /\/connection\//)
      await page.goBack()
      await page.getByText('took part in 33,232').waitFor()
    })
  })

  test('a connection tells who began it, what went each way, its flags, and the line of each record', async () => {
    await workbench.visit(exfiltration, {}, async page => {
      await page.getByText('known by who sent the SYN (98 %)').waitFor()
      await page.getByText('78,344,711 B').waitFor()
      await page.getByText('1,416,600 B').waitFor()
      // Of either way the logs count more packets than were captured.
      const part = String.raw`of [\d,]+ that the logs count`
      const ends = [`18,932 ${part} from 10.130.8.94:36072`, `9,559 ${part} from 20.106.124.93:8889`]
      await page.getByText(new RegExp(ends.join(', '))).waitFor()
      const steps = page.locator('.ladder li')
      assert.deepEqual(
        (await steps.allTextContents()).map(text => /(SYN ACK|SYN|FIN)/.exec(text)![0]),
        ['SYN', 'SYN ACK', 'FIN', 'FIN'],
      )
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Carve the packets' }).click(),
      ])
      assert.equal(download.suggestedFilename(), 'packets-10.130.8.94-36072-20.106.124.93-8889.pcapng')
      await page.getByText('28,491 packets').waitFor()
      assert.match((await page.getByText(/SHA-256/).textContent())!, /SHA-256 [\da-f]{64}/)
      const lines = page.getByRole('table', { name: 'Records of the connection' }).getByRole('link')
      assert.match((await lines.first().getAttribute('href'))!, /^\/record\/\d+\/318$/)
      assert.equal(await page.getByRole('columnheader', { name: 'investigate.pcap' }).count(), 1)
    })
  })

  test('what is brushed dims connections and findings outside', async () => {
    const brush = 'from=2023-09-28T17:30:00Z&to=2023-09-28T18:00:00Z'
    await workbench.visit(`/host/${attacker}?${brush}`, {}, async page => {
      await page.locator('.connection-lanes rect.outside').first().waitFor()
      const titles = await page.locator('.findings > li.outside h3').allTextContents()
      assert.equal(
        titles.some(title => title.includes('Data sent out')),
        true,
        titles.join('|'),
      )
      assert.equal(
        titles.some(title => title.includes('brute force')),
        false,
        titles.join('|'),
      )
    })
  })

  test('findings are looked for when asked, in order, with their evidence; those outside the brush say so', async () => {
    await workbench.visit('/?from=2023-09-28T19:30:00Z&to=2023-09-28T20:00:00Z', {}, async page => {
      const panel = page.getByRole('region', { name: 'Findings' })
      await panel.getByRole('button', { name: 'Find who behaves like an attacker' }).click()
      await panel.getByText('3 hosts stand out in 172,211 flow records').waitFor()
      const steps = panel.getByRole('list', { name: `What ${attacker} did, in order of time` }).getByRole('listitem')
      assert.match((await steps.first().textContent())!, /^2023-09-28 17:22:35.*brute force.*\(F31\)/)
      await panel.getByText(/^\d+ findings: \d+ high/).click()
      const suspects = panel.locator('.suspects > li')
      assert.match((await suspects.first().textContent())!, /^20\.106\.124\.93/)
      const titles = panel.locator('.finding-title')
      assert.match((await titles.first().textContent())!, /high.*Web log-in brute force/)
      assert.match((await panel.locator('.findings > li').first().textContent())!, /outside what is brushed/)
      await titles.first().press('Enter')
      await panel.getByText('Measured:').waitFor()
      assert.match((await panel.locator('a.place').first().getAttribute('href'))!, /^\/record\/\d+\/\d+\?/)
      await titles.first().scrollIntoViewIfNeeded()
      await picture(page, 'findings-1280-light')
      assert.deepEqual(await axeFaults(page), [])
      await steps.getByRole('link', { name: 'F169' }).click()
      await panel.locator('.findings.chosen').getByText('Measured:').waitFor()
      assert.match(page.url(), /_finding=F169/)
      await page.goto(new URL(`/host/${attacker}`, page.url()).href)
      await page
        .locator('.findings h3')
        .filter({ hasText: 'Data sent out' })
        .getByRole('link', { name: 'F169' })
        .waitFor()
    })
  })

  test('an address without records, and what is no address, are told so', async () => {
    await workbench.visit('/host/203.0.113.99', {}, async page => {
      await page.getByText('No record of 203.0.113.99').waitFor()
      await picture(page, 'host-none-1280-light')
    })
    await workbench.visit('/host/nobody', {}, async page => {
      await page.getByText('not an address or prefix: nobody').waitFor()
    })
  })

  const looks = [800, 1280, 2560].flatMap(width => [false, true].map(dark => ({ width, dark, height: 1200 })))
  for (const look of looks)
    test(`axe finds nothing at ${look.width} px, ${look.dark ? 'dark' : 'light'}`, async () => {
      const name = `${look.width}-${look.dark ? 'dark' : 'light'}`
      await workbench.visit(`/host/${attacker}`, look, async page => {
        await page.getByText('took part in 33,232').waitFor()
        await page.locator('.connection-lanes rect.answered').first().waitFor()
        await page.getByRole('table', { name: 'Peers' }).waitFor()
        await picture(page, `host-${name}`)
        assert.deepEqual(await axeFaults(page), [])
        await page.getByRole('heading', { name: 'Services (' }).scrollIntoViewIfNeeded()
        await picture(page, `host-services-${name}`)
      })
      await workbench.visit(exfiltration, look, async page => {
        await page.getByText('78,344,711 B').waitFor()
        await picture(page, `connection-${name}`)
        assert.deepEqual(await axeFaults(page), [])
      })
    })
})
