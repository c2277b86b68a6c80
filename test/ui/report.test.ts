import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { CaseReport } from '../../src/report/case-report/document.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

const attacker = '20.106.124.93'

describe('the pages of reports and controls', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-report-'))
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

  async function saved(page: Page, name: RegExp): Promise<string> {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
    return readFileSync(await file.path(), 'utf8')
  }

  const looks = [800, 1280, 2560].flatMap(width => [false, true].map(dark => ({ width, dark })))

  /** At every width, in light and dark. */
  async function looked(page: Page, name: string): Promise<void> {
    for (const { width, dark } of looks) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await picture(page, `${name}-${width}-${dark ? 'dark' : 'light'}`)
      assert.deepEqual(await axeFaults(page), [], `${width} px, ${dark ? 'dark' : 'light'}`)
    }
  }

  test('a report is made of an address, looked at within the page, and kept in three formats', async () => {
    await workbench.visit('/report', {}, async page => {
      await page.getByLabel('About').fill(attacker)
      await page.getByRole('button', { name: 'Make the report' }).click()
      const frame = page.frameLocator('iframe.preview')
      await frame.getByRole('heading', { name: `Report on ${attacker}` }).waitFor()
      // Its style is there; its policy lets nothing else in.
      const width = await frame.locator('main').evaluate(main => main.getBoundingClientRect().width)
      assert.ok(width > 300)
      assert.equal(await frame.locator('script').count(), 0)
      const report = JSON.parse(await saved(page, /^JSON/)) as CaseReport
      assert.match(await saved(page, /^HTML/), /^<!doctype html>/)
      assert.match(await saved(page, /^Markdown/), /^# Report on/)
      const { subject } = report.dossier!.records
      const said = (await page.getByText(/records · \d+ findings/).textContent()) ?? ''
      assert.ok(said.startsWith(`${subject.toLocaleString('en')} records · ${report.findings.length} findings`), said)
      assert.match(said, new RegExp(`· ${report.controls!.controls.length} controls`))
      await looked(page, 'report')
    })
  })

  test('what the frame shows may run no script, even one that stands in it', async () => {
    await workbench.visit('/report?_about=203.0.113.250&_controls=0', {}, async page => {
      await page.getByRole('button', { name: 'Make the report' }).click()
      await page.frameLocator('iframe.preview').getByRole('heading').first().waitFor()
      assert.equal(await page.locator('iframe.preview').getAttribute('sandbox'), '')
    })
  })

  test('an export of the view is kept, with the command that writes the same', async () => {
    await workbench.visit('/report?q=dst+port+8889', {}, async page => {
      const exports = page.getByRole('region', { name: 'For other tools' })
      await exports.getByLabel('What').selectOption('records')
      await exports.getByRole('button', { name: 'Write the file' }).click()
      const csv = await saved(page, /^records-csv/)
      const command = (await exports.locator('.command code').textContent()) ?? ''
      assert.equal(command, `tidemark export --to csv --what records 'dst port 8889' --case ${caseDir} -o export.csv`)
      const { stdout } = tidemark(['export', '--to', 'csv', '--what', 'records', 'dst port 8889', '--case', caseDir])
      assert.equal(csv, stdout)
      await exports.getByText('is given once').waitFor()
    })
  })

  test('the packets of the records that are shown are those that the command carves', async () => {
    await workbench.visit('/flows?q=dst+port+8889', {}, async page => {
      await page.getByRole('button', { name: 'Export all records that match' }).click()
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Packets (pcapng)' }).click(),
      ])
      const carved = join(folder, 'carved.pcapng')
      const { status, stderr } = tidemark(['carve', 'dst port 8889', '--case', caseDir, '-o', carved])
      assert.equal(status, 0, stderr)
      assert.ok(readFileSync(await file.path()).equals(readFileSync(carved)))
    })
  })

  test('controls say what they stop and break as the command does, with code to keep', async () => {
    const { stdout } = tidemark(['controls', attacker, '--case', caseDir, '--json'])
    const theirs = JSON.parse(stdout) as ControlsAnswer
    await workbench.visit(`/controls?_about=${attacker}`, {}, async page => {
      await page.getByRole('button', { name: 'Recommend and try' }).click()
      const table = page.getByRole('table', { name: 'Controls, what each stops and breaks' })
      await table.waitFor()
      const count = (n: number): string => n.toLocaleString('en')
      for (const { id, title, trial } of [
        ...theirs.controls,
        { id: 'All', title: 'together', trial: theirs.set.trial },
      ]) {
        const row = table.getByRole('row').filter({ hasText: `${id} ${title}` })
        const text = (await row.getByRole('cell').allTextContents()).join(' ')
        if (trial === null) continue
        const { attack, innocent, fired_total, baseline } = trial
        if (baseline !== null || fired_total > 0) assert.match(text, new RegExp(` ${count(fired_total)}$`))
        else {
          assert.ok(text.includes(`${count(attack.stopped_connections)} of ${count(attack.connections)}`), text)
          assert.ok(text.includes(`${count(innocent.broken_connections)} of ${count(innocent.connections)}`), text)
        }
      }
      const second = theirs.controls[1]!
      await table.getByRole('link', { name: `${second.id} ${second.title}` }).click()
      const entry = page.locator(`#control-${second.id}`)
      await entry.getByRole('button', { name: 'Terraform' }).click()
      assert.equal(await entry.locator('pre').textContent(), second.code.terraform)
      assert.equal(await saved(page, /^Download$/), second.code.terraform)
      await entry
        .locator('summary')
        .filter({ hasText: /^Breaks/ })
        .click()
      await entry.getByRole('link', { name: /:\d+$/ }).first().waitFor()
      await looked(page, 'controls')
    })
  })

  test('rules of one’s own are tried, and what is wrong with them is said', async () => {
    await workbench.visit('/controls?_try=1', {}, async page => {
      await page.getByLabel('Paste JSON').fill('{"Reservations":[]}')
      await page.getByRole('button', { name: 'Try them' }).click()
      await page.getByRole('alert').getByText('pasted.json').waitFor()
      await picture(page, 'controls-wrong-light')
      const group = { GroupId: 'sg-1', GroupName: 'web', VpcId: 'vpc-1', IpPermissions: [], IpPermissionsEgress: [] }
      const addresses = [{ PrivateIpAddress: '10.130.8.94', Primary: true }]
      const nic = { NetworkInterfaceId: 'eni-1', Groups: [{ GroupId: 'sg-1' }], PrivateIpAddresses: addresses }
      await page
        .getByLabel('Paste JSON')
        .fill(JSON.stringify([{ SecurityGroups: [group] }, { NetworkInterfaces: [nic] }]))
      await page.getByRole('button', { name: 'Try them' }).click()
      await page.getByText(/connections judged/).waitFor()
      await looked(page, 'controls-tried')
    })
  })
})
