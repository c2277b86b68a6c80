import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { cliEntry } from '../repo.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

describe('flows, records, fields and SQL on the page', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Opened
  let c: Case

  before(async () => {
    await copyLab(folder)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928')] })
    workbench = await openWorkbench(caseDir)
    c = await openCase(caseDir)
  })
  after(async () => {
    await workbench?.close()
    await c?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const rowsOf = async (request: FlowsRequest): Promise<FlowsRow[]> => {
    const rows: FlowsRow[] = []
    for await (const row of (await queryFlows(c, request)).rows()) rows.push(row)
    return rows
  }

  test('the grid has the rows of tidemark flows, in the order that is asked for', async () => {
    const window = 'first seen >= 2023-09-28T19:00:00Z and first seen < 2023-09-28T20:00:00Z'
    const path = '/flows?q=dst+port+8889&from=2023-09-28T19:00:00Z&to=2023-09-28T20:00:00Z&cols=start,srcaddr,bytes'
    await workbench.visit(path, {}, async page => {
      for (const order of ['start', 'bytes'] as const) {
        if (order === 'bytes') await page.getByRole('button', { name: 'Bytes' }).click()
        const wanted = await rowsOf({ filter: `dst port 8889 and ${window}`, order, limit: 10 })
        await page
          .getByText(`${wanted.length === 10 ? '' : wanted.length}`)
          .first()
          .waitFor()
        const first = wanted[0]!
        await cell(page, 0, 3)
          .filter({ hasText: grouped(first['bytes']) })
          .waitFor()
        for (const [i, row] of wanted.entries()) {
          assert.equal(await cell(page, i, 1).textContent(), String(row['start']).replace('T', ' ').replace('Z', ''))
          assert.equal(await cell(page, i, 2).textContent(), row['srcaddr'])
          assert.equal(await cell(page, i, 3).textContent(), grouped(row['bytes']))
          assert.equal(await cell(page, i, 0).getByRole('link').getAttribute('data-page'), placeOf(c, row))
        }
      }
      assert.match(page.url(), /sort=bytes/)
      const total = (await queryFlows(c, { filter: `dst port 8889 and ${window}` })).counting.records
      await page.getByText(`${grouped(total)} records`).waitFor()
    })
  })

  test('by keys alone a row is chosen, narrowed by, and opened', async () => {
    await workbench.visit('/flows?q=dst+port+8889', {}, async page => {
      const grid = page.getByRole('grid', { name: 'Flow records' })
      await cell(page, 0, 0).waitFor()
      await grid.focus()
      await page.keyboard.press('j')
      const [, second] = await rowsOf({ filter: 'dst port 8889', order: 'start', limit: 2 })
      await page
        .getByRole('complementary', { name: 'The chosen record' })
        .getByText(`${second!['path']}:${second!['line']}`)
        .waitFor()
      for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight')
      await page.keyboard.press('f')
      await page.waitForURL(url => url.searchParams.get('q') === `dst port 8889 and src ip ${second!['srcaddr']}`)
      await cell(page, 0, 0).waitFor()
      const [only] = await rowsOf({
        filter: `dst port 8889 and src ip ${second!['srcaddr']}`,
        order: 'start',
        limit: 1,
      })
      await page
        .getByText('of them rejected')
        .or(page.getByText(/^\d+ records/))
        .first()
        .waitFor()
      await grid.focus()
      await page.keyboard.press('Home')
      await page.keyboard.press('Enter')
      await page.waitForURL(url => url.pathname === placeOf(c, only!))
    })
  })

  test('what is shown is exported as the command prints it, and as packets only where there are captures', async () => {
    await workbench.visit('/flows?q=dst+port+8889&sort=bytes', {}, async page => {
      await cell(page, 0, 0).waitFor()
      await page.getByRole('button', { name: 'Export all records that match' }).click()
      for (const format of ['csv', 'ndjson'] as const) {
        const downloading = page.waitForEvent('download')
        await page.getByRole('button', { name: format.toUpperCase(), exact: true }).click()
        const path = await (await downloading).path()
        const args = ['flows', 'dst port 8889', '--case', caseDir, '-O', 'bytes', '-n', '0', `--${format}`]
        const { stdout } = spawnSync(process.execPath, [cliEntry, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
        assert.equal(readFileSync(path, 'utf8'), stdout)
      }
      assert.ok(await page.getByRole('button', { name: 'Packets (pcapng)' }).isDisabled())
      const downloading = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Parquet', exact: true }).click()
      const path = join(folder, 'rows.parquet')
      await (await downloading).saveAs(path)
      const db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
      const sums = 'count(*)::INT AS rows, sum(bytes)::DOUBLE AS bytes'
      const [row] = await db.rows(`SELECT ${sums} FROM read_parquet(${quotedString(path)})`)
      db.close()
      const all = await rowsOf({ filter: 'dst port 8889', limit: null })
      assert.deepEqual(row, { rows: all.length, bytes: all.reduce((sum, one) => sum + Number(one['bytes'] ?? 0), 0) })
    })
  })

  test('a record has the line as it stands in its file, and leads to the next', async () => {
    const [row] = await rowsOf({ filter: 'dst port 8889', order: 'bytes', limit: 1 })
    const [path, line] = [String(row!['path']), Number(row!['line'])]
    await workbench.visit(placeOf(c, row!), {}, async page => {
      const current = page.locator('.record-lines [aria-current=true]')
      const text = gunzipSync(readFileSync(path)).toString().split('\n')[line - 1]!
      assert.equal(await current.locator('span').textContent(), text)
      await page
        .getByRole('row', { name: /^Bytes bytes/ })
        .getByText(grouped(row!['bytes']))
        .first()
        .waitFor()
      await page.getByRole('link', { name: 'Next record' }).click()
      await page.waitForURL(url => url.pathname.startsWith('/record/') && url.pathname !== placeOf(c, row!))
      await page.goBack()
      await page.getByRole('link', { name: 'Its conversation, both directions' }).click()
      await page.waitForURL(url => url.pathname === '/flows' && url.searchParams.get('q')!.includes('src port 8889'))
      await cell(page, 0, 0).waitFor()
    })
  })

  test('the card of a field has the groups of tidemark flows, and more of them when asked', async () => {
    await workbench.visit('/fields?q=src+net+10.0.0.0/8', {}, async page => {
      const card = page.getByRole('region', { name: 'Destination port' })
      await card.scrollIntoViewIfNeeded()
      const request: FlowsRequest = { filter: 'src net 10.0.0.0/8', by: ['dstport'], order: 'records', limit: 200 }
      const { total_rows } = await queryFlows(c, request)
      const rows = await rowsOf(request)
      await card.getByText(`${grouped(total_rows)} different`).waitFor()
      const shown = async (): Promise<string[]> =>
        (await card.locator('tbody tr').allInnerTexts()).map(text => text.replace(/\s+/, '\t'))
      const wanted = rows.map(row => `${row['dstport']}\t${grouped(row['records'])}`)
      assert.deepEqual(await shown(), wanted.slice(0, 10))
      await card.getByRole('button', { name: 'More values of Destination port' }).click()
      await card.locator('tbody tr').nth(199).waitFor()
      assert.deepEqual(await shown(), wanted)
      await page.getByText(/fields are absent/).waitFor()
    })
  })

  test('a query runs by Ctrl-Enter, with every digit; one that is refused is marked at its place', async () => {
    await workbench.visit('/sql', {}, async page => {
      const editor = page.getByRole('textbox', { name: 'Query in SQL' })
      await editor.click()
      await page.keyboard.insertText(
        'SELECT 9007199254740993 AS odd, sum(bytes) AS bytes FROM flows WHERE dstport = 8889',
      )
      await page.keyboard.press('Control+Enter')
      await cell(page, 0, 0).filter({ hasText: '9007199254740993' }).waitFor()
      const [sum] = await rowsOf({ filter: 'dst port 8889', by: [], raw: true })
      assert.equal(await cell(page, 0, 1).textContent(), String(sum!['bytes']))
      assert.match(page.url(), /_sql=SELECT/)
      await page.keyboard.press('Control+a')
      await page.keyboard.insertText("SELECT * FROM flows, read_csv('/etc/passwd')")
      await page.keyboard.press('Control+Enter')
      await page.getByRole('alert').getByText('read_csv').waitFor()
      assert.equal(await page.locator('.cm-lintRange-error').first().textContent(), 'read_csv')
      await page.keyboard.press('Control+a')
      await page.keyboard.insertText('SELECT count(*) FROM range(100000000000) AS a')
      await page.keyboard.press('Control+Enter')
      const began = performance.now()
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByRole('alert').getByText('stopped').waitFor()
      assert.ok(performance.now() - began < 5000)
    })
  })

  test('what evidence holds is shown as text, in the grid, in a record, on a card and in an answer', async () => {
    const hostile = join(folder, 'hostile')
    const text = '<img/src=x/onerror=document.title=1>\u202e"\\'
    const header =
      'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
    const line = `2 1 ${text} 10.0.0.1 10.0.0.2 1 2 6 1 60 1700000000 1700000060 ACCEPT OK`
    writeFileSync(join(folder, 'hostile.log'), `${header}\n${line}\n`)
    await addEvidence({ case: hostile, paths: [join(folder, 'hostile.log')] })
    const own = await openWorkbench(hostile)
    const shown = text.replace('\u202e', '\\u202e')
    try {
      for (const path of [
        '/flows?cols=interface_id',
        '/record/1/2',
        '/fields',
        '/sql?_sql=SELECT+interface_id+FROM+flows',
      ])
        await own.visit(path, {}, async page => {
          if (path.startsWith('/sql')) await page.getByRole('button', { name: 'Run', exact: true }).click()
          await page.getByText(shown, { exact: false }).first().waitFor()
          assert.equal(await page.locator('img:not(.cm-widgetBuffer)').count(), 0)
          if (!path.startsWith('/fields')) return
          await page.getByRole('link', { name: shown }).click()
          await page.getByRole('region', { name: 'Interface' }).getByText('1 different').waitFor()
        })
    } finally {
      await own.close()
    }
  })

  test('axe finds nothing wrong, in either look and at any width', async () => {
    const [row] = await rowsOf({ filter: 'dst port 8889', order: 'bytes', limit: 1 })
    const pages: Record<string, [path: string, ready: string]> = {
      flows: ['/flows?q=dst+port+8889', '.grid-row a.value'],
      record: [placeOf(c, row!), '.record-fields'],
      fields: ['/fields?q=dst+port+8889', '.field-card .facts-line'],
      sql: ['/sql?_sql=SELECT+srcaddr,+bytes,+action+FROM+flows+WHERE+dstport+%3D+8889', '.sql-side details'],
    }
    for (const [name, [path, ready]] of Object.entries(pages))
      for (const dark of [false, true])
        await workbench.visit(path, { dark }, async page => {
          await page.locator(ready).first().waitFor()
          if (name === 'sql') {
            await page.getByRole('button', { name: 'Run', exact: true }).click()
            await page.locator('.sql-result a.value').first().waitFor()
          }
          for (const width of [800, 1280, 2560]) {
            await page.setViewportSize({ width, height: 1000 })
            await settled(page)
            await picture(page, `${name}-${width}-${dark ? 'dark' : 'light'}`)
            assert.deepEqual((await axeFaults(page)).slice(0, 3), [], `${name}, ${width}, ${dark ? 'dark' : 'light'}`)
          }
        })
  })
})

/** Everything is there, and nothing of an earlier question. */
async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(400)
  await page.waitForFunction(() => document.querySelector('[aria-busy=true], .shown.old') === null)
}

function cell(page: Page, row: number, column: number) {
  return page.locator(`[aria-rowindex="${row + 2}"] [aria-colindex="${column + 1}"]`)
}

function grouped(count: unknown): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

function placeOf({ evidence }: Case, { path, line }: FlowsRow): string {
  return `/record/${evidence.find(file => file.path === path)!.id}/${line}`
}
