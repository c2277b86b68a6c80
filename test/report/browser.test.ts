import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import axeCore from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { reportText } from '../../src/report/case-report/page.ts'
import { repoRoot } from '../repo.ts'
import { hostileTexts } from './hostile-texts.ts'
import { attacker, type Lab, openLab, someControls, withText } from './lab-report.ts'

const executablePath = '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `no ${executablePath}`
const args =
  '--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run'
/** Kept, to be looked at. */
const shots = join(repoRoot, 'build', 'report-screenshots')

const widths = [390, 1280, 1920]
const looks = ['light', 'dark', 'print'] as const

describe('a report in a browser, from the disk', { skip }, () => {
  let lab: Lab
  let browser: Browser
  const files = { attacker: '', case: '', hostile: '' }

  before(async () => {
    lab = await openLab()
    browser = await chromium.launch({ executablePath, args: args.split(' ') })
    mkdirSync(shots, { recursive: true })
    const ofAttacker = await lab.report([attacker], undefined, someControls)
    const write = (name: keyof typeof files, html: string): void => {
      files[name] = join(lab.folder, `${name}.html`)
      writeFileSync(files[name], html)
    }
    write('attacker', reportText(ofAttacker, 'html'))
    write('case', reportText(await lab.report([]), 'html'))
    const all = hostileTexts.filter((_, i) => i % 6 === 0).join(' ')
    write('hostile', reportText(withText(ofAttacker, all), 'html'))
  })
  after(async () => {
    await browser?.close()
    lab?.remove()
  })

  /** Opens a file, runs work on it, and requires that nothing was said, asked for or forbidden meanwhile. */
  async function opened(
    file: string,
    { width = 1280, look = 'light' as (typeof looks)[number] },
    work: (page: Page) => Promise<void>,
  ): Promise<void> {
    const colorScheme = look === 'dark' ? 'dark' : 'light'
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
    const page = await context.newPage()
    page.setDefaultTimeout(180_000)
    const heard: string[] = []
    page.on('console', message => heard.push(`console: ${message.text()}`))
    page.on('pageerror', error => heard.push(`error: ${error.message}`))
    page.on('dialog', dialog => {
      heard.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', request => {
      if (request.url() !== pathToFileURL(file).href) heard.push(`request: ${request.url()}`)
    })
    await page.emulateMedia({ media: look === 'print' ? 'print' : 'screen', colorScheme })
    await page.goto(pathToFileURL(file).href)
    await work(page)
    await context.close()
    assert.deepEqual(heard, [])
  }

  /** What axe finds wrong. */
  async function axeFaults(page: Page): Promise<string[]> {
    await page.evaluate(axeCore.source)
    return page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
      const { violations } = await axe.run()
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
    })
  }

  for (const width of widths)
    for (const look of looks)
      test(`is accessible and silent, ${width} pixels wide, ${look}`, async () => {
        await opened(files.attacker, { width, look }, async page => {
          assert.deepEqual(await axeFaults(page), [])
          if (look !== 'print')
            assert.ok(
              await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'),
              'nothing is wider than the screen',
            )
          await page.screenshot({ path: join(shots, `attacker-${width}-${look}.png`), fullPage: look !== 'print' })
        })
      })

  test('drawings fit a phone, with text that can be read, and nothing but tables scrolls sideways', async () => {
    await opened(files.attacker, { width: 390 }, async page => {
      const texts = await page.evaluate<number[]>(
        `[...document.querySelectorAll('svg text')].map(one => one.getBoundingClientRect()).filter(box => box.width > 0)
          .map(box => (box.left < 0 || box.right > innerWidth ? 0 : box.height))`,
      )
      assert.ok(texts.length > 20)
      assert.ok(Math.min(...texts) >= 11, String(texts))
      const scrolls = await page.evaluate<string[]>(
        `[...document.querySelectorAll('*')].filter(one => /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1 && one.querySelector('table') === null)
          .map(one => one.outerHTML.slice(0, 80))`,
      )
      assert.deepEqual(scrolls, [])
    })
  })

  test('is accessible and silent on the whole case', async () => {
    await opened(files.case, {}, async page => {
      assert.deepEqual(await axeFaults(page), [])
      await page.screenshot({ path: join(shots, 'case-1280-light.png') })
      await page.pdf({ path: join(shots, 'case.pdf'), preferCSSPageSize: true })
    })
  })

  test('what a page asks for or breaks is heard', async () => {
    const bad = join(lab.folder, 'bad.html')
    const more = '<img src="http://127.0.0.1:9/x.png"><p style="color: red">x</p><script>alert(1)</script></main>'
    writeFileSync(bad, readFileSync(files.attacker, 'utf8').replace('</main>', more))
    await assert.rejects(
      opened(bad, {}, async page => page.waitForTimeout(200)),
      /img-src|style-src|script-src/,
    )
  })

  test('shows hostile texts and obeys none of them', async () => {
    await opened(files.hostile, {}, async page => {
      assert.equal(await page.locator('script').count(), 1)
      assert.equal(await page.locator('img, iframe, base, form, object, embed').count(), 0)
      assert.match((await page.locator('h1').textContent()) ?? '', /<script>alert\(1\)<\/script>/)
      await page.screenshot({ path: join(shots, 'hostile-1280-light.png') })
    })
  })

  test('sorts a table and puts it back, with what stands below each row', async () => {
    await opened(files.attacker, {}, async page => {
      const table = page.locator('table.sortable', { hasText: 'Who connected to which service' })
      const order = async (): Promise<string[]> => table.locator('tbody th[scope=row]').allTextContents()
      assert.deepEqual(await order(), ['S1', 'S2', 'S3'])
      await table.getByRole('button', { name: 'bytes to server' }).click()
      assert.deepEqual(await order(), ['S2', 'S1', 'S3'])
      assert.match((await table.locator('tbody tr').nth(1).textContent()) ?? '', /^320 records/)
      await table.getByRole('button', { name: 'bytes to server' }).click()
      assert.deepEqual(await order(), ['S3', 'S1', 'S2'])
    })
  })

  test('can be read without scripts, and paper has the files unfolded and a note for what it leaves out', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(pathToFileURL(files.attacker).href)
    assert.ok((await page.locator('h2').count()) >= 12)
    assert.equal(await page.locator('button').count(), 0)
    await page.emulateMedia({ media: 'print' })
    const unfolded = page.locator('details:not(.screen) table', { hasText: 'Every file with its digest' })
    assert.ok(((await unfolded.boundingBox())?.height ?? 0) > 100)
    assert.equal(await page.locator('details.screen:visible').count(), 0)
    const left = await page.locator('details.screen').count()
    assert.ok(left > 5)
    assert.equal(await page.locator('p.paper:visible').count(), left)
    await context.close()
  })
})
