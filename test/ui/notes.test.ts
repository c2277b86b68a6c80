import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addEvidence } from '../../src/ingest/add.ts'
import { readCaseNotes } from '../../src/store/notes.ts'
import { axeFaults, noBrowser, type Opened, openWorkbench, picture } from './workbench.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const record = '2 123456789010 eni-1 10.0.0.1 10.0.0.2 40000 443 6 10 840 1418530010 1418530070 ACCEPT OK'

describe('the notes page', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-notes-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Opened

  before(async () => {
    mkdirSync(join(folder, 'logs'))
    writeFileSync(join(folder, 'logs', 'a.log'), `${header}\n${record}\n`)
    await addEvidence({ case: caseDir, paths: [join(folder, 'logs')] })
    workbench = await openWorkbench(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const dialog = (page: Page) => page.getByRole('dialog')
  const own = (page: Page) => page.getByRole('region', { name: /^Notes/ })

  async function write(page: Page, key: string, text: string): Promise<void> {
    await page.locator('h1').first().waitFor()
    await page.locator('main').press(key)
    await dialog(page).getByRole('textbox').fill(text)
    await dialog(page).getByRole('button', { name: /^Keep/ }).click()
    await dialog(page).waitFor({ state: 'detached' })
  }

  test('n and b keep a note and a view, which lead back to what was seen', async () => {
    const view = '/fields?q=dst+port+443&from=2014-12-14T04%3A06%3A50Z'
    await workbench.visit(view, {}, async page => {
      await write(page, 'n', 'Odd.\n<b>Very</b> \u202Eodd.')
      await write(page, 'b', 'where it began')
      await page.goto(`${workbench.origin}/notes`)
      const note = own(page).getByRole('listitem').first()
      assert.match((await note.textContent()) ?? '', /Fields: dst port 443, from 2014-12-14 04:06:50 UTC/)
      assert.equal(await note.locator('.words').textContent(), 'Odd.\n<b>Very</b> \\u202eodd.')
      await page.getByRole('link', { name: 'where it began' }).click()
      assert.equal(page.url(), `${workbench.origin}${view}`)
    })
    const { notes, bookmarks } = readCaseNotes(caseDir)
    assert.deepEqual([notes[0]?.url, bookmarks[0]?.url], [view, view])
    assert.equal(notes[0]?.text, 'Odd.\n<b>Very</b> \u202Eodd.')
  })

  test('a note is changed and deleted, and asked about before it goes', async () => {
    await workbench.visit('/notes', {}, async page => {
      await write(page, 'n', 'first')
      const note = own(page).getByRole('listitem').filter({ hasText: 'first' })
      await note.getByRole('button', { name: 'Edit' }).click()
      await own(page).getByRole('textbox').fill('second')
      await own(page).getByRole('button', { name: 'Keep' }).click()
      const changed = own(page).getByRole('listitem').filter({ hasText: 'second' })
      await changed.getByText(/changed 20/).waitFor()
      await changed.getByRole('button', { name: 'Delete' }).click()
      await changed.getByRole('button', { name: 'Delete for good' }).click()
      await changed.waitFor({ state: 'detached' })
    })
    assert.deepEqual(
      readCaseNotes(caseDir).notes.map(({ text }) => text.includes('second')),
      [false],
    )
  })

  test('what another window writes is shown; what it changed meanwhile is not written over unseen', async () => {
    await workbench.visit('/notes', {}, async page => {
      await write(page, 'n', 'shared')
      await workbench.visit('/notes', {}, async other => {
        const note = (of: Page) => own(of).getByRole('listitem').filter({ hasText: 'shared' })
        await note(page).getByRole('button', { name: 'Edit' }).click()
        await own(page).getByRole('textbox').fill('mine')
        await note(other).getByRole('button', { name: 'Edit' }).click()
        await own(other).getByRole('textbox').fill('shared, theirs')
        await own(other).getByRole('button', { name: 'Keep' }).click()
        await own(page).getByRole('button', { name: 'Keep' }).click()
        await own(page).getByRole('alert').getByText('was changed meanwhile').waitFor()
        await own(page).getByText('As it is kept now: shared, theirs').waitFor()
        assert.equal(await own(page).getByRole('textbox').inputValue(), 'mine')
        await own(page).getByRole('button', { name: 'Keep' }).click()
        await own(other).getByText('mine').waitFor()
      })
    })
  })

  test('words for the report are kept, with sections', async () => {
    await workbench.visit('/notes', {}, async page => {
      await page.getByLabel('Examiner').fill('A. Example')
      await page.getByRole('button', { name: 'Add a section' }).click()
      const section = page.getByRole('group', { name: 'Section 1' })
      await section.getByLabel('Title').fill('How')
      await section.getByLabel('Text').fill('So.')
      await page.getByRole('button', { name: 'Keep the words' }).click()
      await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' })
    })
    const { examiner, sections } = readCaseNotes(caseDir).words
    assert.deepEqual({ examiner, sections }, { examiner: 'A. Example', sections: [{ title: 'How', text: 'So.' }] })
  })

  for (const width of [800, 1280, 2560])
    for (const dark of [false, true])
      test(`axe finds nothing at ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
        await workbench.visit('/notes', { width, dark }, async page => {
          await own(page).waitFor()
          assert.deepEqual(await axeFaults(page), [])
          await picture(page, `notes-${width}-${dark ? 'dark' : 'light'}`)
          await page.locator('main').press('n')
          await dialog(page).waitFor()
          assert.deepEqual(await axeFaults(page), [])
          if (width === 1280) await picture(page, `notes-writing-${dark ? 'dark' : 'light'}`)
        })
      })

  test('a file of notes is taken away, and one is read in', async () => {
    await workbench.visit('/notes', {}, async page => {
      const [taken] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download notes.json' }).click(),
      ])
      assert.deepEqual(readFileSync(await taken.path()), readFileSync(join(caseDir, 'notes.json')))
      const given = { name: 'given.json', mimeType: 'application/json', buffer: Buffer.from('{"case_number":"42"}') }
      await page.getByLabel('File of notes').setInputFiles(given)
      await page.getByText('Read: given.json').waitFor()
      assert.equal(await page.getByLabel('Case number').inputValue(), '42')
    })
  })

  test('a file that is damaged is named, and everything else goes on', async () => {
    writeFileSync(join(caseDir, 'notes.json'), '{')
    await workbench.visit('/notes', {}, async page => {
      await page.getByRole('alert').getByText('not JSON').waitFor()
      await picture(page, 'notes-damaged-light')
      await page.goto(`${workbench.origin}/report`)
      await page.getByText('the notes cannot be read').waitFor()
    })
  })
})
