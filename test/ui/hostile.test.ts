/** Five hundred texts that a browser would obey, in every field of text that evidence and the analyst bring, on every page that shows them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { flowFields } from '../../src/records/fields.ts'
import { changedNotes } from '../../src/server/notes.ts'
import { openCase } from '../../src/store/case.ts'
import { visible } from '../../src/visible.ts'
import { hostileTexts } from '../report/hostile-texts.ts'
import { defaultHeader, recordLine } from '../robustness/support.ts'
import { noBrowser, type Opened, openWorkbench } from './workbench.ts'

/** As a line in UTF-8 can hold them: a field is one word without control characters. */
const raw = hostileTexts.map(text => Buffer.from(text).toString())
const texts = raw.map(text => text.replace(/[\s\p{Cc}]/gu, encodeURIComponent))
const fields = flowFields
  .filter(({ name, type }) => type === 'text' && name !== 'log_status' && name !== 'action')
  .map(({ name }) => name)
/** Of field `f` in row `i`: each field has each of the texts. */
const textOf = (f: number, i: number): string => texts[(i + 37 * f) % texts.length]!
const shown = new Set(texts.map(visible))
const longest = 120

describe('texts that a browser would obey', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-hostile-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Opened

  before(async () => {
    writeFileSync(join(folder, 'flows.log'), logOf())
    const files = join(folder, 'files')
    mkdirSync(files)
    for (const [i, text] of raw.entries())
      writeFileSync(join(files, nameOf(text, i)), `${defaultHeader}\n${recordLine(i)}\n${text}\n`)
    await addEvidence({ case: caseDir, paths: [join(folder, 'flows.log'), files] })
    for (const text of raw.slice(0, 60)) {
      await changedNotes(caseDir, { do: 'add-note', text, about: { kind: 'value', text }, url: '/' }, new Date())
      await changedNotes(
        caseDir,
        { do: 'add-bookmark', name: text, url: `/sql?_sql=${encodeURIComponent(text)}` },
        new Date(),
      )
    }
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the grid of flows has each of them as text, in each field', async () => {
    const columns = fields.join(',')
    await workbench.visit(`/flows?cols=${columns}&q=version+%3D+5`, { width: 2560, height: 2000 }, async page => {
      const seen = fields.map(() => new Set<string>())
      const grid = page.getByRole('grid')
      await grid.locator('a').first().waitFor()
      assert.equal(await grid.getAttribute('aria-rowcount'), String(texts.length + 1))
      let active = 'none'
      for (let last = 0; last < texts.length; await grid.press('PageDown')) {
        // A key is answered in a later frame: a page that is not drawn yet would be passed over.
        await page.waitForFunction(before => {
          const active = document.querySelector('[role=grid]')?.getAttribute('aria-activedescendant') ?? ''
          const drawn = active !== before && document.getElementById(active) !== null
          return drawn && document.querySelector('.grid-row.unread') === null
        }, active)
        active = (await grid.getAttribute('aria-activedescendant'))!
        const rows = await grid
          .locator('.grid-row')
          .evaluateAll(all =>
            all.map(row => [Number(row.ariaRowIndex) - 1, ...[...row.children].map(one => one.textContent!)] as const),
          )
        for (const [, , ...cells] of rows) for (const [f, cell] of cells.entries()) seen[f]!.add(cell)
        last = Math.max(...rows.map(([index]) => index))
      }
      for (const [f, name] of fields.entries()) {
        const missing = [...shown].filter(text => !seen[f]!.has(text))
        assert.deepEqual(missing, [], name)
      }
      await untouched(page)
    })
  })

  test('a record, its menu, and the view that the menu leads to have them as text', async () => {
    for (const line of [2, 60, 333]) {
      await workbench.visit(`/record/${await fileId()}/${line}`, { height: 3000 }, async page => {
        const table = page.locator('.record-fields')
        await table.waitFor()
        for (const [f, name] of fields.entries()) {
          const cell = table
            .locator('tr', { has: page.locator(`code:text-is("${name}")`) })
            .locator('td')
            .first()
          assert.equal(await cell.textContent(), visible(textOf(f, line - 2)), name)
        }
        const text = textOf(fields.indexOf('vpc_id'), line - 2)
        await table
          .locator('td', { hasText: visible(text) })
          .first()
          .locator('a')
          .click({ button: 'right' })
        assert.equal(await page.locator('.menu-title').textContent(), visible(text))
        await page.getByRole('menuitem', { name: 'Only this' }).click()
        await page.waitForURL(/[?]q=/)
        await page.goto(`${workbench.origin}/flows?${new URL(page.url()).searchParams}&cols=vpc_id`)
        await page
          .locator('.grid-row', { hasText: visible(text) })
          .first()
          .waitFor()
        await page.getByText('Flow records where').waitFor()
        await untouched(page)
      })
    }
  })

  test('panels, coverage, fields, hosts, graph and findings have them as text', async () => {
    for (const path of ['/', '/hosts', '/fields', '/graph', '/host/10.0.0.1', '/evidence', '/notes', '/report'])
      await workbench.visit(path, { width: 1600, height: 3000 }, async page => {
        await settled(page)
        await showMore(page)
        await settled(page)
        if (path === '/') await seen(page, '[aria-labelledby=panel-sensors] a.value', 150)
        if (path === '/fields') await seen(page, 'a.value', 150)
        if (path === '/notes') await seen(page, '.words', 50)
        await untouched(page)
      })
  })

  test('names of files are text on the page of evidence, of a file’s record and in its title', async () => {
    const names = new Set(raw.map((text, i) => visible(nameOf(text, i))))
    for (let number = 1; names.size > 0 && number <= 12; number++)
      await workbench.visit(`/evidence?_page=${number}`, { height: 3000 }, async page => {
        await page.locator('tr.file').first().waitFor()
        for (const text of await page
          .locator('tr.file [title]')
          .evaluateAll(all => all.map(one => one.getAttribute('title')!)))
          names.delete(text.split('/').at(-1)!)
        await untouched(page)
      })
    assert.deepEqual([...names], [])
  })

  test('an answer in SQL has them as text, in cells and as names of columns; the editor too', async () => {
    const names = texts.slice(0, 40).map((text, i) => `1 AS "${`${text} ${i}`.replaceAll('"', '""')}"`)
    const sql = `SELECT vpc_id, ${names.join(', ')} FROM flows WHERE version = 5`
    await workbench.visit(`/sql?_sql=${encodeURIComponent(sql)}`, { width: 2560, height: 2000 }, async page => {
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      await page.locator('.sql-result [role=gridcell]').first().waitFor()
      const heads = await page.locator('.sql-result [role=columnheader]').allTextContents()
      for (const [i, text] of texts.slice(0, 40).entries())
        assert.ok(
          heads.some(head => head.includes(visible(`${text} ${i}`))),
          text,
        )
      await untouched(page)
    })
  })

  test('addresses of the workbench with them are met as text', async () => {
    for (const text of raw.filter((_, i) => i % 100 === 0)) {
      const part = encodeURIComponent(text)
      for (const path of [
        `/notes?q=${part}&p=${part}`,
        `/sql?_sql=${part}`,
        `/report?_about=${part}`,
        `/notes/${part}`,
      ])
        await workbench.visit(path, {}, async page => {
          await settled(page)
          await untouched(page)
        })
    }
  })

  async function fileId(): Promise<number> {
    const c = await openCase(caseDir)
    try {
      return c.evidence.find(({ path }) => path.endsWith('flows.log'))!.id!
    } finally {
      await c.close()
    }
  }
})

/** At least so many of the texts are what an element says, to the letter. */
async function seen(page: Page, selector: string, count: number): Promise<void> {
  let found = 0
  for (const late = Date.now() + 60_000; Date.now() < late; await page.waitForTimeout(200)) {
    const said = new Set(await page.locator(selector).allTextContents())
    found = [...texts, ...raw].filter((text, i, all) => all.indexOf(text) === i && said.has(visible(text))).length
    if (found >= count) return
    // What came late has buttons of its own.
    await showMore(page)
  }
  assert.fail(`${selector}: ${found} of them`)
}

async function showMore(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^More / }).evaluateAll(all => {
    for (const one of all) (one as HTMLElement).click()
  })
}

async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(300)
  await page.waitForFunction(
    () =>
      document.querySelector('main [aria-busy=true]') === null && document.querySelector('main')?.textContent !== '',
  )
}

/** A line for each text. */
function logOf(): string {
  const header = ['version', 'srcaddr', 'dstaddr', 'packets', 'bytes', 'start', 'end', 'action', 'log-status']
  const lines = texts.map((_, i) =>
    [5, `192.0.2.${i % 200}`, '10.0.0.1', 1, 1000 + i, 1_700_000_000 + i, 1_700_000_059 + i, 'ACCEPT', 'OK']
      .concat(fields.map((_, f) => textOf(f, i)))
      .join(' '),
  )
  return `${[...header, ...fields.map(name => name.replaceAll('_', '-'))].join(' ')}\n${lines.join('\n')}\n`
}

/** A name that a file can have. */
function nameOf(text: string, i: number): string {
  return `${text.replaceAll('/', '\u2215').replaceAll('\0', '').slice(0, longest)} ${i}.log`
}

/** There is no element that a text brought. */
async function untouched(page: Page): Promise<void> {
  const strange =
    'img:not(.cm-widgetBuffer), iframe, object, embed, base, math, foreignObject, body script, [onload], [onerror], [onclick], [onmouseover], [onfocus], [ontoggle], a[href^="javascript"], a[href^="data"], a[href*="//"], meta[http-equiv]'
  assert.deepEqual(await page.locator(strange).evaluateAll(all => all.map(one => one.outerHTML)), [])
}
