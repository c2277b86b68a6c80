import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import * as block from '../../src/report/block.ts'
import { csvWriter } from '../../src/report/csv.ts'
import { dossierPage } from '../../src/report/dossier.ts'
import { addPage, evidencePage, verifyPage } from '../../src/report/evidence.ts'
import { lineFormat } from '../../src/report/flow-lines.ts'
import type { FlowsPage } from '../../src/report/flow-table.ts'
import { explainedPage, flowsPage } from '../../src/report/flows.ts'
import { element } from '../../src/report/html-text.ts'
import { overviewPage } from '../../src/report/overview.ts'
import { removedPage } from '../../src/report/removed.ts'
import { pageRow, resultPage } from '../../src/report/result.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { displayWidth, hidden, plain } from '../../src/report/text.ts'
import { utc } from '../../src/report/zone.ts'
import { repoRoot } from '../repo.ts'
import {
  caseOverview,
  evidenceReport,
  hostileText,
  labDossier,
  removeReport,
  sweepDossier,
  unseenDossier,
  withText,
} from './fixtures.ts'

/** What makes characters of a tree: for a terminal, and for programs. */
const printers = /^(terminal[\w-]*|html[\w-]*|markdown-(text|printer)|text|csv|flow-lines|json|rows)\.ts$/

test('only printers escape, colour, pad and wrap', () => {
  const folder = join(repoRoot, 'src', 'report')
  const others = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts') && !printers.test(name),
  )
  const forbidden =
    /\b(visible|hidden|displayWidth|truncate|truncateStart|wrap|pad|padStart|padEnd|repeat)\(|picocolors|\\u001b|\\x1b|from '\.\.?\/(text|terminal[\w-]*)\.ts'/
  assert.ok(others.length > 12)
  for (const name of others) assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), forbidden, name)
})

/** Every kind of block, with the text in every place that takes one. */
function everyBlock(text: string): block.Block[] {
  const parts = block.line`a ${block.strong(text)} ${block.alarm(text)} ${block.good(text)} ${text} ${block.path(text)} ${block.path(text, 9)}`
  const columns: block.Column[] = [{ title: text }, { title: text, align: 'right', hangs: true }]
  const bin = { start: 1_700_000_000, seconds: 60 }
  const bar: block.BarLine = { label: text, unit: 'bytes', values: [1] }
  return [
    block.title(parts),
    block.heading(text),
    block.paragraph(parts),
    block.shortened(text, 2, text),
    block.note(text),
    block.warning(parts),
    block.list([text, parts]),
    block.facts([block.fact(text, text, parts)]),
    block.table(columns, [{ label: text, cells: [text, parts], detail: text }]),
    block.table([{ title: 'a' }, { title: 'b' }], [{ label: text, cells: [text, ''] }]),
    block.sheet({ columns, rows: [[text, null]], below: [text, text] }),
    block.bars({
      ...{ what: text, bins: [bin], lines: [bar], linesAtMost: 1, gapsLabel: text },
      ...{ whole: { ...bar, unit: 'count' }, gaps: [{ from: bin.start, to: bin.start }] },
    }),
    block.figure({
      ...{ title: text, description: parts },
      ...{ drawing: element('svg', { class: text }, text), narrow: element('svg', { class: text }, text) },
      data: block.table([{ title: text, of: text }], [{ cells: [block.value(text, text)], above: text }], text),
    }),
    block.quotes([{ where: parts, text: block.value(text, text) }]),
    block.fold(text, [block.code('SELECT 1'), block.subheading(block.value(text, text))]),
    block.entry(text, parts, [block.paragraph(text), block.inset(2, [block.paragraph(text)])], { look: 'no', text }),
    block.paragraph(block.struck(text)),
    block.either(80, [block.paragraph(text)], [block.list([text])]),
    block.sharedPaths(text, [block.list([block.path(`${text}/a`), block.path(`${text}/b`)])]),
  ]
}

/** At most a dozen of everything: each kind of thing is there. */
const sweep = dozen(sweepDossier()) as ReturnType<typeof sweepDossier>

function dozen(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(-12).map(dozen)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, dozen(inner)]))
}

const row = { start: 's', srcaddr: 'a', dstaddr: 'b', path: 'p/q', line: 7, interface_id: 'eni', bytes: 12 }

function listing(text: string, records: boolean): FlowsPage {
  return {
    sentence: text,
    notes: [text],
    columns: Object.keys(row).map(name => ({
      name: records ? name : `${name}${text}`,
      type: name === 'bytes' ? 'integer' : 'text',
      unit: null,
    })),
    list: [
      { ...withText(row, text), ...(records ? {} : Object.fromEntries(Object.keys(row).map(n => [n + text, text]))) },
    ],
    total_rows: 1,
    truncated: false,
    shares: false,
    order: null,
    records,
    zone: utc,
    counting: {
      ...{ records: 1, packets: 1, bytes: 1, rejected: 0, collapsed: 0, unknown: 0, unsummed: 0 },
      ...{ accepted_only: true, evidence: 'logs' },
    },
  } as unknown as FlowsPage
}

/** Every page of the program with the text in every field that takes one. */
function everyPage(text: string): block.Block[][] {
  const verified = {
    ...{ case: text, intact: false, files_checked: 1, bytes_checked: 2, ledger_entries: 3, head: text },
    findings: [{ what: 'altered' as const, path: text, detail: text }],
  }
  const explained = {
    ...{ sentence: text, notes: [text], sql: 'SELECT 1', parameters: [] },
    segments: [{ name: text, rows: 1, row_groups: 1, read: 1 }],
  } as unknown as Parameters<typeof explainedPage>[0]
  const extent = { total: 1, counted: 1, cut_by: null }
  return [
    everyBlock(text),
    dossierPage(withText(labDossier(), text), { showWork: false, full: true }),
    dossierPage(withText(sweep, text), { showWork: false, full: true }),
    dossierPage(withText(unseenDossier(), text), { showWork: false, full: true }),
    addPage(withText(evidenceReport(), text)),
    evidencePage(withText(evidenceReport(), text)),
    verifyPage(verified),
    removedPage(withText(removeReport(), text)),
    overviewPage(withText(caseOverview(), text), [{ line: text, why: text }]),
    flowsPage(listing(text, true)),
    flowsPage(listing(text, false)),
    explainedPage(explained),
    resultPage(
      [
        { name: text, type: 'VARCHAR' },
        { name: 'n', type: 'STRUCT' },
      ],
      [pageRow([text, { [text]: [text] }])],
      extent,
    ),
  ]
}

/** Units of UTF-16, lone surrogates included, of which the dangerous ones come often. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0x9f }),
      fc.constantFrom(0x1b, 0x0a, 0x0d, 0x202e, 0x2028, 0x200b, 0xfe0f, 0x301, 0x20, 0x2f, 0x5f),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map(units => String.fromCharCode(...units))
const named = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '\u001b[2J', '\u009b31m', hostileText]
const hostile = [...named, ...fc.sample(anyText, { numRuns: 500, seed: 11 })]

test('500 hostile texts in every field of every page reach a terminal in no line raw, and none wider than it', () => {
  for (const [i, text] of hostile.entries()) {
    const width = 60 + (i % 90)
    for (const page of everyPage(text)) {
      for (const line of terminalText(page, { width, color: false }).split('\n')) {
        assert.equal(line.search(hidden), -1, JSON.stringify(line))
        assert.ok(displayWidth(line) <= width, `${displayWidth(line)} of ${width}: ${line}`)
      }
    }
  }
})

test('colours are the only escapes of a page, whatever stands in it', () => {
  for (const text of hostile.slice(0, 60)) {
    for (const page of everyPage(text)) {
      const lines = plain(terminalText(page, { width: 90, color: true })).split('\n')
      for (const line of lines) assert.equal(line.search(hidden), -1, JSON.stringify(line))
    }
  }
})

test('code keeps its own lines and nothing in it is obeyed', () => {
  const text = terminalText([block.code(`SELECT 1\n  FROM \u001b[2J${'x'.repeat(300)}`)], { width: 60, color: false })
  assert.equal(text, `SELECT 1\n  FROM \\x1b[2J${'x'.repeat(300)}\n`)
})

test('rows for other programs hold no hostile text raw', () => {
  for (const text of hostile) {
    const columns = [{ name: 'srcaddr', type: 'text' as const, unit: null }]
    const printed = [
      csvWriter([{ name: text, type: 'VARCHAR' }]).head,
      csvWriter([{ name: 'a', type: 'VARCHAR' }]).line([text]),
      lineFormat('raw', columns).line({ srcaddr: text }),
      lineFormat('fmt:%sa|%sap', columns).line({ srcaddr: text, srcport: 1 }),
    ]
    for (const line of printed) assert.equal(line.replace(/[\r\n]/g, '').search(hidden), -1, JSON.stringify(line))
  }
})

test('a page is frozen and does not freeze what it was made of', () => {
  const d = labDossier()
  const page = dossierPage(d, { showWork: true, full: true })
  for (const one of page) assert.ok(Object.isFrozen(one))
  assert.ok(!Object.isFrozen(d.not_logged) && !Object.isFrozen(d.services))
})
