import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { protocolName } from '../../src/net/protocols.ts'
import type { CaseReport } from '../../src/report/case-report/document.ts'
import { read } from '../carve-reading.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { cliEntry } from '../repo.ts'
import { noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

const attacker = '20.106.124.93'
const window = 'first seen >= 2023-09-28T19:30:00Z and first seen < 2023-09-28T19:54:00Z'
const filter = `port 8889 and ${window}`

interface Rows {
  columns: { name: string }[]
  rows: Record<string, string | number | null>[]
}

const count = (value: number): string => value.toLocaleString('en')

// On the reconstruction with its capture, as somebody goes who asks what left the network.
describe('the analyst’s path', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-path-'))
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

  /** What a command that the page shows prints with `--json`. */
  function printed<Answer>(command: string): Answer {
    const script = `tidemark() { '${process.execPath}' '${cliEntry}' "$@"; }\n${command} --json`
    const run = spawnSync('bash', ['-c', script], { encoding: 'utf8', maxBuffer: 1 << 28 })
    assert.equal(run.status, 0, `${command}: ${run.stderr}`)
    return JSON.parse(run.stdout) as Answer
  }

  /** Timeline and panels come by answers of their own, and either may be first. */
  async function drawn(page: Page): Promise<void> {
    await page.locator('.timeline .plot').waitFor()
    await page.locator('.panels').waitFor()
  }

  /** The commands of the page, out of its panel of them. */
  async function commandsOf(page: Page): Promise<string[]> {
    await page.getByRole('button', { name: /^CLI/ }).click()
    await page.locator('.asked pre').first().waitFor()
    // Those of the panels come a moment after a window rests.
    await page.waitForTimeout(1500)
    const commands = await page.locator('.asked pre').allTextContents()
    await page.keyboard.press('Escape')
    return commands
  }

  const panels: Readonly<Record<string, string>> = {
    ...{ ip: 'Hosts', sensor: 'Sensors', interface_id: 'Sensors', action: 'Actions', protocol: 'Protocols' },
    ...{
      port: 'Server ports, by number',
      server_port: 'Server ports, by number',
      service_port: 'Server ports, by number',
    },
  }

  /** Each figure of the panels is in the answer of the command that the page shows for it. */
  async function panelsAreThoseOfCommands(page: Page): Promise<string[]> {
    const compared: string[] = []
    for (const command of await commandsOf(page)) {
      const { columns, rows } = printed<Rows>(command)
      const title = panels[columns[0]?.name ?? '']
      if (title === undefined || rows.length === 0 || columns[1]?.name === 'srcaddr') continue
      const shown = page.getByRole('region', { name: title }).locator('tbody tr')
      const own = await shown.evaluateAll(all =>
        all.map(row => [
          row.querySelector('th .value, th .name')?.textContent?.trim() ?? '',
          ...[...row.querySelectorAll('td')].map(cell => cell.getAttribute('title') ?? cell.textContent ?? ''),
        ]),
      )
      assert.ok(own.length > 0, title)
      const key = columns[0]!.name
      const nameOf = (value: string | number | null | undefined): string =>
        key === 'protocol' ? (protocolName(Number(value)) ?? String(value)) : String(value)
      const theirs = new Map(rows.map(row => [nameOf(row[key]), row]))
      for (const [name, bytes, records, rejected] of own) {
        const row = theirs.get(name!)
        if (row === undefined && /^no /.test(name!)) continue
        assert.ok(row !== undefined, `${title}: ${name} is in ${command}`)
        assert.equal(bytes, `${count(row['bytes'] as number)} B`, `${title} ${name}`)
        assert.equal(records, count(row['records'] as number), `${title} ${name}`)
        if (rejected !== undefined) assert.equal(rejected, count(row['rejected'] as number), `${title} ${name}`)
      }
      compared.push(title)
    }
    return [...new Set(compared)].sort()
  }

  async function totals(page: Page): Promise<Record<string, string>> {
    const figures = await page.locator('dl.totals > div').evaluateAll(all =>
      all.map(one => {
        const text = one.querySelector('dd b')?.textContent ?? ''
        return [one.querySelector('dt')?.textContent ?? '', one.querySelector('dd')?.getAttribute('title') ?? text]
      }),
    )
    return Object.fromEntries(figures) as Record<string, string>
  }

  /** The totals are the sums of the groups that `flows` prints. */
  function totalsOf(asked: string): Record<string, string> {
    const { rows } = printed<Rows>(`tidemark flows '${asked}' -A action --case '${caseDir}'`)
    const sum = (name: string): number => rows.reduce((all, row) => all + Number(row[name] ?? 0), 0)
    const [records, rejected] = [sum('records'), sum('rejected')]
    return {
      ...{ records: count(records), accepted: count(records - rejected), rejected: count(rejected) },
      ...{ bytes: `${count(sum('bytes'))} B`, packets: count(sum('packets')) },
    }
  }

  async function totalsAre(page: Page, asked: string): Promise<void> {
    const wanted = totalsOf(asked)
    await page
      .locator('dl.totals b')
      .filter({ hasText: new RegExp(`^${wanted['records']}$`) })
      .first()
      .waitFor()
    const shown = await totals(page)
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map(name => [name, shown[name]])), wanted)
  }

  /** The packets of a file, as `tidemark carve` takes the same. */
  function arePacketsOf(file: string, asked: string): void {
    const out = join(folder, 'carved.pcapng')
    const { status, stderr } = tidemark(['carve', asked, '--case', caseDir, '-o', out, '--force'])
    assert.equal(status, 0, stderr)
    const [own, theirs] = [read(readFileSync(file)), read(readFileSync(out))]
    assert.ok(own.packets.length > 1000)
    assert.deepEqual(own, theirs)
  }

  function lineOf(text: string): string {
    const { path, line } = JSON.parse(text) as { path: string; line: number }
    return gunzipSync(readFileSync(path)).toString().split('\n')[line - 1]!
  }

  test('from the overview by brush, click and filter to the connections, lines, packets and the report', async () => {
    await workbench.visit('/', {}, async page => {
      await drawn(page)
      await totalsAre(page, 'any')
      const layer = (await page.locator('.brush-layer').first().boundingBox())!
      const at = (hour: number): number => layer.x + (layer.width * (hour - 17)) / 7
      await page.mouse.move(at(19.5), layer.y + 50)
      await page.mouse.down()
      await page.mouse.move(at(19.7), layer.y + 60, { steps: 5 })
      await page.mouse.move(at(19.9), layer.y + 60, { steps: 5 })
      await page.mouse.up()
      await page.waitForURL(/from=2023-09-28T19%3A30%3A00Z&to=2023-09-28T19%3A54%3A00Z/)
      await totalsAre(page, window)
      const ports = page.getByRole('region', { name: 'Server ports, by number' })
      await ports.getByRole('link', { name: '8889' }).waitFor()
      assert.deepEqual(await panelsAreThoseOfCommands(page), [
        ...['Actions', 'Hosts', 'Protocols', 'Sensors', 'Server ports, by number'],
      ])
      await picture(page, 'path-1-brushed')
      await ports.getByRole('link', { name: '8889' }).click()
      await totalsAre(page, filter)
      await picture(page, 'path-2-port')

      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Flows' }).click()
      const { rows } = printed<Rows>(`tidemark flows '${filter}' --case '${caseDir}' -n 0`)
      await page.getByText(`${count(rows.length)} records.`).waitFor()
      await picture(page, 'path-3-flows')
      await page.getByRole('button', { name: 'Export' }).click()
      const [packets] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Packets (pcapng)' }).click(),
      ])
      arePacketsOf(await packets.path(), filter)
      await page.keyboard.press('Escape')

      await page.getByRole('grid').getByRole('link', { name: /:318$/ }).first().click()
      const line = page.locator('.record-lines [aria-current=true]')
      await line.waitFor()
      const first = JSON.stringify(rows.find(row => row['line'] === 318))
      assert.ok((await line.textContent())!.endsWith(lineOf(first)))
      await picture(page, 'path-4-record')

      await page.goto(`${workbench.origin}/report?_about=${attacker}&_controls=0`)
      await page.getByRole('button', { name: 'Make the report' }).click()
      await page
        .frameLocator('iframe.preview')
        .getByRole('heading', { name: `Report on ${attacker}` })
        .waitFor()
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: /^JSON/ }).click(),
      ])
      const report = JSON.parse(readFileSync(await file.path(), 'utf8')) as CaseReport
      const { status, stdout } = tidemark(['investigate', attacker, '--case', caseDir, '--json'])
      assert.equal(status, 0)
      const { records, findings, bytes } = JSON.parse(stdout) as NonNullable<CaseReport['dossier']>
      assert.deepEqual(report.dossier!.records, records)
      assert.deepEqual(report.dossier!.bytes, bytes)
      assert.equal(report.findings.length, findings.length)
      await picture(page, 'path-5-report')
    })
  })

  /** Goes on by Tab until something with that name has the focus. */
  async function tabTo(page: Page, name: RegExp): Promise<void> {
    for (let i = 0; i < 120; i++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const { activeElement: now } = document
        const label = now?.closest('label')?.textContent
        return now?.getAttribute('aria-label') ?? label ?? now?.textContent ?? ''
      })
      if (name.test(focused.trim())) return
    }
    assert.fail(`nothing with the name ${name} is reached by Tab`)
  }

  async function pressed(page: Page, ...keys: string[]): Promise<void> {
    for (const key of keys) await page.keyboard.press(key)
  }

  test('the same path by keyboard alone', async () => {
    await workbench.visit('/', {}, async page => {
      await drawn(page)
      // A window of 24 minutes from 19:30 on, by bars of a minute: the first, moved by 150, and longer by 23.
      await pressed(page, 'ArrowRight', ...Array<string>(15).fill('Control+ArrowRight'))
      await pressed(page, 'Control+Shift+ArrowRight', 'Control+Shift+ArrowRight')
      await pressed(page, ...Array<string>(3).fill('Shift+ArrowRight'))
      await page.waitForURL(/from=2023-09-28T19%3A30%3A00Z&to=2023-09-28T19%3A54%3A00Z/)
      await totalsAre(page, window)
      await page.keyboard.press('/')
      await page.keyboard.type('port 8889')
      await pressed(page, 'Enter')
      await totalsAre(page, filter)
      await page.locator('main').focus()
      await pressed(page, 'g', 't')
      const { rows } = printed<Rows>(`tidemark flows '${filter}' --case '${caseDir}' -n 0`)
      await page.getByText(`${count(rows.length)} records.`).waitFor()
      await tabTo(page, /^Export/)
      await page.keyboard.press('Enter')
      await tabTo(page, /^Packets/)
      const [packets] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
      arePacketsOf(await packets.path(), filter)
      await page.keyboard.press('Escape')
      await page.getByRole('grid').focus()
      await pressed(page, 'ArrowDown', 'ArrowUp', 'Enter')
      const line = page.locator('.record-lines [aria-current=true]')
      await line.waitFor()
      assert.match((await line.textContent()) ?? '', / 8889 /)
      await page.locator('main').focus()
      await pressed(page, 'g', 'r')
      await tabTo(page, /^About/)
      await page.keyboard.type(attacker)
      await tabTo(page, /^Controls and their trial/)
      await page.keyboard.press('Space')
      await tabTo(page, /^Make the report/)
      await page.keyboard.press('Enter')
      await page
        .frameLocator('iframe.preview')
        .getByRole('heading', { name: `Report on ${attacker}` })
        .waitFor()
      await tabTo(page, /^HTML/)
      const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
      assert.match(readFileSync(await file.path(), 'utf8'), /^<!doctype html>/)
    })
  })
})
