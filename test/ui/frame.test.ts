import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { repoRoot } from '../repo.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

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

  test('the header and the title name the case, and what it holds', async () => {
    await workbench.visit('/', {}, async page => {
      await page.getByText('172,211 records', { exact: true }).waitFor()
      await page.getByText('2023-09-28 17:00:00 – 23:59:59 UTC').waitFor()
      assert.match(await page.title(), /^Overview · .*case\.tidemark · Tidemark$/)
      await page.getByRole('link', { name: 'Evidence' }).click()
      await page.waitForFunction(() => document.title.startsWith('Evidence'))
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
    })
  })

  test('a filter is completed, explained, wrong at its place, applied by Enter and left by Escape', async () => {
    await workbench.visit('/notes', {}, async page => {
      await loaded(page)
      await page.keyboard.press('/')
      await page.keyboard.type('dst po')
      const offered = page.getByRole('option')
      await offered.getByText('port', { exact: true }).first().waitFor()
      // An older list, of fewer letters, may stand there: a key chooses in the list of all of them.
      await offered.first().filter({ hasText: /^port/ }).waitFor()
      await chooseFirst(page)
      assert.match(await chosen(page).innerText(), /^port/)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => document.querySelector('[role=textbox]')?.textContent?.startsWith('dst port'))
      await page.keyboard.type('8889x')
      const marked = page.locator('.wrong-place')
      await marked.filter({ hasText: /^8889x$/ }).waitFor()
      assert.equal(await page.locator('.filter-said .wrong').isVisible(), true)
      assert.equal(await editor(page).getAttribute('aria-invalid'), 'true')
      await picture(page, 'frame-wrong-filter')
      await page.keyboard.press('Enter')
      assert.equal(queryOf(page).get('q'), null)

      await page.keyboard.press('Backspace')
      await page.getByText('Flow records where the destination port is 8889.').waitFor()
      assert.equal(await marked.count(), 0)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.search === '?q=dst+port+8889')

      await page.keyboard.type(' and src')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.waitForFunction(() => document.activeElement?.id === 'main')
      assert.equal(await editor(page).textContent(), 'dst port 8889')
    })
  })

  test('back and forward give every view again, and the buttons know when there is none', async () => {
    await workbench.visit('/notes', {}, async page => {
      await loaded(page)
      const back = page.getByRole('button', { name: 'Back' })
      const forward = page.getByRole('button', { name: 'Forward' })
      assert.equal(await back.isDisabled(), true)
      await typeFilter(page, 'port 443')
      await typeFilter(page, 'port 22')
      await page.getByRole('button', { name: 'Raw' }).click()
      assert.equal(queryOf(page).get('raw'), '1')
      await back.click()
      await back.click()
      await page.waitForFunction(() => location.search === '?q=port+443')
      await page.waitForFunction(() => document.querySelector('.cm-content')?.textContent === 'port 443')
      await forward.click()
      await page.waitForFunction(() => location.search === '?q=port+22')
      await page.goBack()
      await page.goBack()
      await page.waitForFunction(() => location.search === '')
      assert.equal(await back.isDisabled(), true)
      await page.reload()
      await loaded(page)
      assert.equal(await editor(page).inputValue(), '')
    })
  })

  test('a filter is pinned, swapped and cleared, and a window can be taken away', async () => {
    const window = 'from=2023-09-28T19:00:00Z&to=2023-09-28T20:00:00Z'
    await workbench.visit(`/notes?q=dst+port+8889+and+src+ip+10.130.8.94&${window}`, {}, async page => {
      await page.getByText('2023-09-28 19:00:00 – 20:00:00 UTC').waitFor()
      await page.getByRole('button', { name: 'Pin', exact: true }).click()
      await page.keyboard.press('s')
      await page.waitForFunction(() => location.search.includes('q=src+port+8889+and+dst+ip+10.130.8.94'))
      await page.getByRole('link', { name: 'dst port 8889 and src ip 10.130.8.94' }).click()
      await page.waitForFunction(() => location.search.includes('q=dst+port+8889'))
      await page.getByRole('button', { name: 'Remove the pin' }).click()
      assert.equal(queryOf(page).get('p'), null)
      await page.keyboard.press('Escape')
      await page.waitForFunction(() => !location.search.includes('from='))
      await page.getByRole('button', { name: 'Clear the filter' }).click()
      assert.equal(new URL(page.url()).search, '')
      await typeFilter(page, 'port 443')
      await page.getByRole('button', { name: 'Swap source and destination' }).click()
      await page.getByText('The filter is the same in both directions.').waitFor()
    })
  })

  test('the command and the SQL of what is shown are one click away', async () => {
    await workbench.visit('/notes?q=dst+port+8889&from=2023-09-28T19:00:00Z', {}, async page => {
      await loaded(page)
      await page.getByRole('button', { name: 'CLI: commands of what is shown' }).click()
      await page.getByText("tidemark flows 'dst port 8889 and first seen >= 2023-09-28T19:00:00Z' --case").waitFor()
      await picture(page, 'frame-commands')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'SQL of what is shown' }).click()
      await page
        .getByText(/SELECT/i)
        .first()
        .waitFor()
    })
  })

  test('colours follow the system, or what was chosen, also after a reload', async () => {
    await workbench.visit('/notes', { dark: true }, async page => {
      await loaded(page)
      const shown = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      assert.equal(await shown(), 'rgb(20, 24, 29)')
      await page.getByRole('button', { name: 'Colours: as the system; change to light' }).click()
      assert.equal(await shown(), 'rgb(255, 255, 255)')
      await page.reload()
      await loaded(page)
      assert.equal(await shown(), 'rgb(255, 255, 255)')
      await page.getByRole('button', { name: 'Colours: light; change to dark' }).click()
      await page.getByRole('button', { name: 'Colours: dark; change to as the system' }).click()
      await page.emulateMedia({ colorScheme: 'light' })
      await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'light')
    })
  })

  test('the menu of a value is used by keys alone', async () => {
    await workbench.visit('/fields', { height: 700 }, async page => {
      const value = page.getByRole('link', { name: '10.130.16.40' }).first()
      await value.focus()
      await page.keyboard.press('Shift+F10')
      const items = page.getByRole('menuitem')
      await items.getByText('Only this').waitFor()
      const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.firstChild?.textContent ?? '')
      assert.equal(await focused(), 'Only this')
      await picture(page, 'frame-menu')
      assert.deepEqual(await axeFaults(page), [])
      await page.keyboard.press('ArrowUp')
      assert.equal(await focused(), 'Copy')
      await page.keyboard.press('Home')
      await page.keyboard.press('ArrowDown')
      assert.equal(await focused(), 'Not this')
      await page.keyboard.press('Escape')
      assert.equal(await items.count(), 0)
      assert.equal(await focused(), '10.130.16.40')

      await page.keyboard.press('Shift+F10')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.search.startsWith('?q=not+'))
      await page.goBack()
      await value.click({ button: 'right' })
      const box = (await page.locator('.menu').boundingBox())!
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 1280 && box.y + box.height <= 700, JSON.stringify(box))
      await page.mouse.click(600, 137)
      assert.equal(await items.count(), 0)
      await value.focus()
      await page.keyboard.press('f')
      await page.waitForFunction(() => location.search.startsWith('?q='))
      await value.focus()
      await page.keyboard.press('j')
      assert.notEqual(await focused(), '10.130.16.40')
    })
  })

  test('keys go to pages and open the list of keys, but not while somebody types, or when they are switched off', async () => {
    await workbench.visit('/notes', {}, async page => {
      await loaded(page)
      await page.keyboard.press('?')
      const help = page.getByRole('dialog', { name: 'Keys' })
      await help.waitFor()
      await picture(page, 'frame-keys')
      assert.deepEqual(await axeFaults(page), [])
      await page.keyboard.press('Escape')
      await help.waitFor({ state: 'hidden' })
      await page.keyboard.press('g')
      await page.keyboard.press('e')
      await page.waitForFunction(() => location.pathname === '/evidence')
      await page.keyboard.press('/')
      await page.keyboard.type('g n?')
      assert.equal(new URL(page.url()).pathname, '/evidence')
      assert.equal(await help.count(), 0)
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Keys and help' }).click()
      await page.getByLabel('Single letters act').uncheck()
      await page.getByRole('button', { name: 'Close' }).click()
      await page.keyboard.press('?')
      await page.keyboard.press('g')
      await page.keyboard.press('n')
      assert.equal(await help.count(), 0)
      assert.equal(new URL(page.url()).pathname, '/evidence')
    })
  })

  test('who is here for the first time is offered six steps, once', async () => {
    await workbench.visit('/', { firstRun: true }, async page => {
      await page.getByRole('button', { name: 'Take the tour' }).click()
      for (let step = 1; step <= 6; step++) {
        const card = page.getByRole('complementary', { name: `Tour, step ${step} of 6` })
        const box = (await card.boundingBox())!
        assert.ok(
          box.x >= 0 && box.y >= 0 && box.x + box.width <= 1280 && box.y + box.height <= 900,
          JSON.stringify(box),
        )
        await picture(page, `frame-tour-${step}`)
        await card.getByRole('button', { name: step === 6 ? 'Done' : 'Next' }).click()
      }
      await page.reload()
      await loaded(page)
      assert.equal(await page.locator('.tour').count(), 0)
      await page.keyboard.press('?')
      await page.getByRole('button', { name: 'Take the tour' }).click()
      await page.keyboard.press('Escape')
      assert.equal(await page.locator('.tour').count(), 0)
    })
  })

  test('the first thing that Tab reaches leads to the page', async () => {
    await workbench.visit('/notes', {}, async page => {
      await loaded(page)
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'To the page')
      await page.keyboard.press('Enter')
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
    })
  })

  for (const width of [800, 1280, 2560])
    for (const dark of [false, true])
      test(`axe finds nothing at ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
        const look = { width, dark, firstRun: true }
        await workbench.visit('/?q=dst+port+8889&p=port+443&from=2023-09-28T19:00:00Z&raw=1', look, async page => {
          await loaded(page)
          await page.getByText('destination port is 8889').waitFor()
          assert.deepEqual(await axeFaults(page), [])
          await page.getByRole('button', { name: 'CLI: commands of what is shown' }).click()
          await page.getByText('tidemark flows').first().waitFor()
          assert.deepEqual(await axeFaults(page), [])
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false)
          await picture(page, `frame-${width}-${dark ? 'dark' : 'light'}`)
        })
      })

  test('paper has the page without what is only of use on a screen', async () => {
    await workbench.visit('/notes', { dark: true }, async page => {
      await loaded(page)
      await page.emulateMedia({ media: 'print' })
      assert.equal(await page.getByRole('navigation', { name: 'Pages' }).count(), 0)
      assert.equal(await page.getByRole('heading', { level: 1 }).isVisible(), true)
    })
  })

  test('all that the first page loads is less than 500 kB', async () => {
    const ui = join(repoRoot, 'build', 'src', 'ui')
    assert.ok(readdirSync(ui).includes('app.js'))
    await workbench.visit('/', {}, async page => {
      await loaded(page)
      const names = await page.evaluate(() =>
        performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
      )
      const sizes = names
        .filter(name => /\.(js|css)$/.test(name))
        .map(name => [name, statSync(join(ui, name)).size] as const)
      const sum = sizes.reduce((all, [, size]) => all + size, 0)
      assert.ok(sum > 100_000 && sum < 500_000, `${sum}: ${sizes.join(' ')}`)
    })
  })
})

function editor(page: Page) {
  return page.getByRole('textbox', { name: 'Filter' })
}

async function loaded(page: Page): Promise<void> {
  await page.getByText('172,211 records', { exact: true }).waitFor({ state: 'attached' })
  await editor(page).waitFor()
}

function queryOf(page: Page): URLSearchParams {
  return new URL(page.url()).searchParams
}

function chosen(page: Page): Locator {
  return page.locator('[role=option][aria-selected=true]')
}

/** The editor lets a key through to the text while its list is new, so the key is pressed until something is chosen. */
async function chooseFirst(page: Page): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await page.keyboard.press('ArrowDown')
    await page.waitForTimeout(200)
    if ((await chosen(page).count()) > 0) return
  }
  assert.fail('nothing is chosen after a hundred keys')
}

async function typeFilter(page: Page, text: string): Promise<void> {
  await editor(page).focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
  await page.waitForFunction(q => new URLSearchParams(location.search).get('q') === q, text)
}
