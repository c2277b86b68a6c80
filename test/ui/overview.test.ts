import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

const whole = { from: '2023-09-28T19:30:00Z', to: '2023-09-28T20:30:00Z' }
const brushedPath = `/?q=port+8889&from=${whole.from}&to=${whole.to}`

describe('the overview', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Opened

  before(async () => {
    await copyLab(folder)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928')] })
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** As the page has it: Playwright hears of a changed address later. */
  const query = async (page: Page): Promise<URLSearchParams> =>
    new URLSearchParams(await page.evaluate<string>('location.search'))
  /** Waits until the panels are of what is brushed. */
  const settled = async (page: Page): Promise<void> => {
    const windowOf = (selector: string): Promise<string | null> => page.locator(selector).getAttribute('data-window')
    for (const late = Date.now() + 60_000; Date.now() < late; await page.waitForTimeout(50)) {
      const [panels, layer] = [await windowOf('.panels'), await windowOf('.brush-layer')]
      if (panels !== null && panels === layer) return
    }
    assert.fail('the panels are not of what is brushed')
  }
  const figures = (page: Page): Promise<string[]> => page.locator('.totals b').allTextContents()

  test('its figures are those of the command that it prints', async () => {
    await workbench.visit(brushedPath, {}, async page => {
      await settled(page)
      const filter = `port 8889 and first seen >= ${whole.from} and first seen < ${whole.to}`
      const { stdout } = tidemark(['flows', filter, '--case', caseDir, '-s', 'ip/bytes', '-n', '12', '--json'])
      const { counting, rows } = JSON.parse(stdout) as {
        counting: Record<string, number>
        rows: { ip: string; records: number }[]
      }
      const [records, accepted, rejected] = (await figures(page)).map(text => Number(text.replaceAll(',', '')))
      assert.deepEqual([records, rejected], [counting['records'], counting['rejected']])
      assert.equal(accepted, records! - rejected!)
      const table = page.locator('[aria-labelledby=panel-hosts] tbody tr')
      const shown = await table.evaluateAll(all =>
        all.map(row => [...row.children].map(cell => cell.textContent!.trim())),
      )
      assert.deepEqual(
        shown.map(([host, , count]) => [host, Number(count!.replaceAll(',', ''))]),
        rows.map(({ ip, records: count }) => [ip, count]),
      )
      await picture(page, 'overview-brushed')
    })
  })

  test('a window that is open at an end has its own figures, and says so', async () => {
    await workbench.visit(`/?q=port+8889&from=${whole.from}`, {}, async page => {
      const filter = `port 8889 and first seen >= ${whole.from}`
      const { stdout } = tidemark(['flows', filter, '--case', caseDir, '-s', 'ip/bytes', '-n', '1', '--json'])
      const { counting } = JSON.parse(stdout) as { counting: Record<string, number> }
      await page.locator('.window-line b').getByText('from 2023-09-28 19:30:00 UTC').waitFor()
      await page.locator(`.panels[data-window="${Date.parse(whole.from) / 1000}-"]`).waitFor()
      assert.equal((await figures(page))[0]!.replaceAll(',', ''), String(counting['records']))
      await page.getByRole('button', { name: 'Clear', exact: true }).click()
      await page.waitForURL(url => url.searchParams.get('from') === null)
    })
  })

  test('dragging brushes, edges are handles, a click takes a bin, and going back undoes it', async () => {
    await workbench.visit('/', {}, async page => {
      await settled(page)
      const box = (await page.locator('.brush-layer').boundingBox())!
      const y = box.y + 40
      const x = (share: number): number => box.x + share * box.width
      await page.mouse.move(x(0.3), y)
      await page.mouse.down()
      await page.mouse.move(x(0.5), y, { steps: 5 })
      assert.equal((await query(page)).get('from'), null, 'nothing is kept before the brush is let go')
      await page.mouse.up()
      await settled(page)
      const first = await query(page)
      assert.match(first.get('from')!, /^2023-09-28T19:0\d:00Z$/)
      await page.mouse.move(x(0.5), y)
      await page.mouse.down()
      await page.mouse.move(x(0.6), y, { steps: 5 })
      await page.mouse.up()
      assert.equal((await query(page)).get('from'), first.get('from'))
      assert.ok((await query(page)).get('to')! > first.get('to')!)
      await page.goBack()
      assert.equal((await query(page)).get('to'), first.get('to'))
      await page.mouse.click(x(0.9), y)
      const length = Date.parse((await query(page)).get('to')!) - Date.parse((await query(page)).get('from')!)
      assert.equal(length, 60_000)
      await settled(page)
    })
  })

  test('keys move, resize, zoom and clear the brush, and change what is summed up', async () => {
    await workbench.visit(`/?from=${whole.from}&to=${whole.to}`, {}, async page => {
      await settled(page)
      await page.getByRole('group', { name: 'Timeline' }).focus()
      const press = async (key: string): Promise<[string | null, string | null]> => {
        await page.keyboard.press(key)
        return [(await query(page)).get('from'), (await query(page)).get('to')]
      }
      const day = '2023-09-28T'
      assert.deepEqual(await press('ArrowRight'), [`${day}19:31:00Z`, `${day}20:31:00Z`])
      assert.deepEqual(await press('Control+ArrowLeft'), [`${day}19:21:00Z`, `${day}20:21:00Z`])
      assert.deepEqual(await press('Shift+ArrowLeft'), [`${day}19:21:00Z`, `${day}20:20:00Z`])
      await press('z')
      assert.deepEqual(
        [(await query(page)).get('z0'), (await query(page)).get('z1')],
        [`${day}19:21:00Z`, `${day}20:20:00Z`],
      )
      await press('m')
      assert.equal((await query(page)).get('m'), 'packets')
      assert.deepEqual(await press('Escape'), [null, null])
      await settled(page)
    })
  })

  test('where nothing matches a button drops the term that leaves nothing', async () => {
    await workbench.visit('/?q=dst+port+8889+and+proto+udp', {}, async page => {
      await page.getByText('No record matches.').waitFor()
      await picture(page, 'overview-empty')
      await page.getByRole('button', { name: 'Drop this term' }).last().click()
      assert.equal((await query(page)).get('q'), 'dst port 8889')
    })
  })

  test('axe finds nothing, at any width, light and dark', async () => {
    for (const width of [800, 1280, 2560]) {
      for (const dark of [false, true]) {
        for (const path of [brushedPath, '/hosts']) {
          await workbench.visit(path, { width, height: 1400, dark }, async page => {
            await (path === '/hosts' ? page.locator('.hosts tbody tr').first().waitFor() : settled(page))
            assert.deepEqual(await axeFaults(page), [])
            await picture(page, `${path === '/hosts' ? 'hosts' : 'overview'}-${width}-${dark ? 'dark' : 'light'}`)
          })
        }
      }
    }
  })
})
