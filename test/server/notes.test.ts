import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readNotes } from '../../src/report/case-report/notes.ts'
import type { NotesAnswer, NotesChange } from '../../src/server/contract/notes.ts'
import { changedNotes, notesAnswer } from '../../src/server/notes.ts'
import { checkCaseNotes } from '../../src/store/notes.ts'
import { hostileTexts } from '../report/hostile-texts.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-notes-'))
const file = join(folder, 'notes.json')
const now = new Date('2026-11-27T00:12:34.500Z')
const view = { kind: 'view', text: 'Overview' } as const

beforeEach(() => rmSync(file, { recursive: true, force: true }))
after(() => rmSync(folder, { recursive: true, force: true }))

async function change(asked: NotesChange): Promise<NotesAnswer> {
  const { notes, conflict } = await changedNotes(folder, asked, now)
  assert.equal(conflict, null)
  return notes
}

const addNote = (text: string, url = '/'): NotesChange => ({ do: 'add-note', text, about: view, url })

describe('notes of a case', () => {
  test('what is kept is there again, in the order in which it was written', async () => {
    await change(addNote('one', '/host/10.0.0.5?q=dst+port+8889'))
    await change({ do: 'add-bookmark', name: 'the theft', url: '/flows?q=dst+port+8889' })
    const kept = await change(addNote('two'))
    assert.deepEqual(notesAnswer(folder), kept)
    assert.equal(kept.revision, 3)
    assert.deepEqual(
      kept.notes.map(({ text, url, written, changed, revision }) => ({ text, url, written, changed, revision })),
      [
        { text: 'one', url: '/host/10.0.0.5?q=dst+port+8889', written: now.toISOString(), changed: null, revision: 1 },
        { text: 'two', url: '/', written: now.toISOString(), changed: null, revision: 3 },
      ],
    )
    assert.equal(kept.bookmarks[0]?.name, 'the theft')
    assert.deepEqual(checkCaseNotes(folder), [])
  })

  test('without a file there are no notes, and looking makes none', () => {
    const { revision, notes, unreadable, words } = notesAnswer(folder)
    assert.deepEqual(
      { revision, notes, unreadable, title: words.title },
      {
        ...{ revision: 0, notes: [], unreadable: null, title: '' },
      },
    )
    assert.equal(existsSync(file), false)
  })

  test('a change made of what somebody else changed meanwhile is not written, and says so', async () => {
    const [note] = (await change(addNote('one'))).notes
    const { id, revision: seen } = note!
    await change({ do: 'edit-note', id, seen, text: 'first window' })
    const before = readFileSync(file)
    for (const late of [
      { do: 'edit-note', id, seen, text: 'second window' },
      { do: 'delete-note', id, seen },
      { do: 'edit-note', id: 'gone', seen, text: 'x' },
    ] as const) {
      const { conflict, notes } = await changedNotes(folder, late, now)
      assert.match(conflict ?? '', /was changed meanwhile/)
      assert.equal(notes.notes[0]?.text, 'first window')
    }
    assert.deepEqual(readFileSync(file), before)
    const later = await change({
      do: 'edit-note',
      id,
      seen: notesAnswer(folder).notes[0]!.revision,
      text: 'knowing it',
    })
    assert.equal(later.notes[0]?.text, 'knowing it')
  })

  test('words, bookmarks and verdicts are compared each by itself', async () => {
    const words = { title: 'A', case_number: '', examiner: '', summary: '', sections: [] }
    await change({ do: 'words', seen: 0, ...words })
    const finding = { key: 'k', first_start: null, id: 'F1', title: 'T' }
    await change({ do: 'verdict', seen: null, status: 'confirmed', note: 'sure', ...finding })
    const [bookmark] = (await change({ do: 'add-bookmark', name: 'b', url: '/' })).bookmarks
    // None of the later changes makes the words old.
    await change({ do: 'words', seen: 1, ...words, title: 'B' })
    for (const late of [
      { do: 'words', seen: 1, ...words },
      { do: 'verdict', seen: null, status: 'refuted', note: '', ...finding },
      { do: 'edit-bookmark', id: bookmark!.id, seen: 0, name: 'c' },
      { do: 'delete-bookmark', id: bookmark!.id, seen: 0 },
    ] as const)
      assert.match((await changedNotes(folder, late, now)).conflict ?? '', /meanwhile/)
    const kept = notesAnswer(folder)
    assert.equal(kept.words.title, 'B')
    assert.equal(kept.findings[0]?.status, 'confirmed')
    const again = await change({ do: 'verdict', seen: 2, status: 'refuted', note: 'not so', ...finding })
    assert.deepEqual(again.findings, [{ ...finding, status: 'refuted', note: 'not so', revision: 5 }])
  })

  test('windows and processes that write at once lose nothing', async () => {
    const own = Array.from({ length: 20 }, (_, i) => changedNotes(folder, addNote(`own ${i}`), now))
    const writer = fileURLToPath(new URL('./notes-writer.ts', import.meta.url))
    const script = existsSync(writer) ? writer : writer.replace(/\.ts$/, '.js')
    const others = ['a', 'b'].map(name => promisify(execFile)(process.execPath, [script, folder, name, '20']))
    await Promise.all([...own, ...others])
    const texts = notesAnswer(folder).notes.map(({ text }) => text)
    assert.equal(texts.length, 60)
    assert.equal(new Set(texts).size, 60)
    assert.equal(notesAnswer(folder).revision, 60)
  })

  test('only addresses of this workbench are kept', async () => {
    const strange = [
      '//evil.example/x',
      '/\\evil.example',
      'http://evil.example',
      'javascript:alert(1)',
      '/\u0000',
      '/x'.repeat(5000),
    ]
    for (const url of [...strange, '', 'flows', '/app.js', '/api/notes', '/../../etc', '/fl\nows'])
      for (const asked of [addNote('x', url), { do: 'add-bookmark', name: 'x', url } as const])
        await assert.rejects(changedNotes(folder, asked, now), /not the address of a page/, url)
    assert.equal(existsSync(file), false)
  })

  test('hostile texts are kept as they are', async () => {
    for (const text of hostileTexts.slice(0, 40)) await change(addNote(text))
    await change({
      do: 'words',
      seen: 0,
      title: '\u202Egnp',
      case_number: '\ud800',
      examiner: '\u0000',
      summary: '\r\n',
      sections: [],
    })
    assert.deepEqual(
      notesAnswer(folder).notes.map(({ text }) => text),
      hostileTexts.slice(0, 40),
    )
    assert.deepEqual(checkCaseNotes(folder), [])
  })

  test('a file that is damaged, changed or something else stops nothing, is never written over, and says why', async () => {
    await change(addNote('my own'))
    const text = readFileSync(file, 'utf8')
    for (const [content, why] of [
      [text.replace('my own', 'yours'), /its digest is not that of its notes/],
      [text.slice(0, -30), /not JSON/],
      ['{"version":1}', /no "case_notes"/],
      [text.replace('"written"', '"writtne"'), /case_notes\.notes\.0: |unknown part|written/],
      [
        text.replace('"url": "/"', '"url": "//evil.example"').replace(/ *"sha256".*\n/, ''),
        /not an address of the workbench/,
      ],
    ] as const) {
      writeFileSync(file, content)
      const { unreadable, notes } = notesAnswer(folder)
      assert.match(unreadable?.error ?? '', why)
      assert.ok(unreadable?.hint)
      assert.deepEqual(notes, [])
      await assert.rejects(changedNotes(folder, addNote('x'), now), why)
      assert.equal(readFileSync(file, 'utf8'), content)
      const [finding] = checkCaseNotes(folder)
      assert.equal(finding?.what, 'altered')
    }
    rmSync(file)
    symlinkSync('/etc/passwd', file)
    assert.match(notesAnswer(folder).unreadable?.error ?? '', /symbolic link/)
    rmSync(file)
    mkdirSync(file)
    assert.match(notesAnswer(folder).unreadable?.error ?? '', /folder/)
  })

  test('who changes the file by hand deletes the digest', async () => {
    await change(addNote('my own'))
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replace('my own', 'by hand')
        .replace(/ *"sha256".*\n/, ''),
    )
    assert.equal(notesAnswer(folder).notes[0]?.text, 'by hand')
    assert.equal(checkCaseNotes(folder)[0]?.what, 'incomplete')
    await change(addNote('next'))
    assert.deepEqual(checkCaseNotes(folder), [])
  })

  test('more than 8 MiB are refused, and what was there stays', async () => {
    const long = 'x'.repeat(100_000)
    const texts = Array.from({ length: 90 }, (_, i) => ({ title: `${i}`, text: long }))
    const words = { title: '', case_number: '', examiner: '', summary: '', sections: texts }
    await change(addNote('my own'))
    await assert.rejects(changedNotes(folder, { do: 'words', seen: 0, ...words }, now), /larger than 8 MiB/)
    assert.equal(notesAnswer(folder).notes[0]?.text, 'my own')
  })

  test('the report reads the same file', async () => {
    await change({
      do: 'words',
      seen: 0,
      title: 'Intrusion',
      case_number: '7',
      examiner: '',
      summary: 'S',
      sections: [{ title: 'How', text: 'so' }],
    })
    await change({
      do: 'verdict',
      seen: null,
      status: 'refuted',
      note: 'no',
      key: 'k',
      first_start: null,
      id: 'F1',
      title: 'T',
    })
    await change(addNote('seen\nhere', '/flows?q=ip+10.0.0.5'))
    await change({ do: 'add-bookmark', name: 'theft', url: '/flows' })
    assert.deepEqual(readNotes(file), {
      ...{ title: 'Intrusion', case_number: '7', examiner: null, summary: 'S' },
      sections: [
        { title: 'How', text: 'so' },
        { title: 'Notes', text: `${now.toISOString()}, on Overview (/flows?q=ip+10.0.0.5):\nseen\nhere` },
        { title: 'Views of the workbench', text: 'theft: /flows' },
      ],
      findings: [{ key: 'k', first_start: null, id: 'F1', title: 'T', status: 'refuted', note: 'no' }],
    })
    writeFileSync(file, readFileSync(file, 'utf8').replace('Intrusion', 'intrusion'))
    assert.throws(() => readNotes(file), /not a file of notes: .*its digest/)
  })

  test('a file that is read in adds what is new, and takes nothing away', async () => {
    await change({ do: 'words', seen: 0, title: 'mine', case_number: '', examiner: '', summary: '', sections: [] })
    const filled = {
      ...{ title: 'theirs', case_number: '9', sections: [{ title: 'a', text: 'b' }] },
      findings: [
        { key: 'k', first_start: null, id: 'F1', title: 'T', status: 'confirmed', note: '' },
        { key: 'untouched', status: 'open', note: '' },
      ],
    }
    const once = await change({ do: 'import', text: JSON.stringify(filled) })
    assert.deepEqual(
      { ...once.words },
      {
        ...{ title: 'mine', case_number: '9', examiner: '', summary: '', revision: 2 },
        sections: [{ title: 'a', text: 'b' }],
      },
    )
    assert.deepEqual(
      once.findings.map(({ key, status }) => ({ key, status })),
      [{ key: 'k', status: 'confirmed' }],
    )
    await change(addNote('my own'))
    const own = readFileSync(file, 'utf8')
    const twice = await change({ do: 'import', text: own })
    assert.equal(twice.notes.length, 1)
    assert.equal(twice.words.sections.length, 1)
    await assert.rejects(changedNotes(folder, { do: 'import', text: '{}' }, now), /holds no notes/)
    await assert.rejects(changedNotes(folder, { do: 'import', text: '{"titel":1}' }, now), /unknown name "titel"/)
    await assert.rejects(changedNotes(folder, { do: 'import', text: 'x' }, now), /not a file of notes/)
  })
})
