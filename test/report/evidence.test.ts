import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block } from '../../src/report/block.ts'
import { addPage, evidencePage, verifyPage } from '../../src/report/evidence.ts'
import { removedPage } from '../../src/report/removed.ts'
import { terminalText } from '../../src/report/terminal.ts'
import type { PageOptions } from '../../src/report/terminal-page.ts'
import { displayWidth, hidden, plain } from '../../src/report/text.ts'
import { alreadyThere, type EvidenceReport, type VerifyReport } from '../../src/store/reports.ts'
import { golden } from '../golden.ts'
import { evidenceFile, evidenceReport, hostileText, removeReport, withText } from './fixtures.ts'

const verified: VerifyReport = {
  case: 'case.tidemark',
  intact: false,
  files_checked: 581,
  bytes_checked: 4_811_022,
  ledger_entries: 3,
  head: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  findings: [
    { what: 'altered', path: 'flow/0002.parquet', detail: '1 byte longer than the ledger says' },
    { what: 'incomplete', path: 'flow/0003.parquet.part', detail: 'left over by an interrupted write, harmless' },
  ],
}

const pages: [name: string, page: (text?: string) => Block[]][] = [
  ['add', text => addPage(filled(evidenceReport(), text))],
  ['evidence', text => evidencePage(filled(evidenceReport(), text))],
  ['verify', text => verifyPage(filled(verified, text))],
  ['removed', text => removedPage(filled(removeReport(), text))],
]

function filled<T>(value: T, text: string | undefined): T {
  return text === undefined ? value : withText(value, text)
}

for (const [name, page] of pages) {
  const render = (options: PageOptions, text?: string) => terminalText(page(text), options)

  test(`the page of ${name}`, () => {
    for (const width of [80, 140]) golden(`report-${name}-${width}.golden.txt`, render({ width, color: false }))
  })

  test(`the page of ${name} fits every width, whatever stands in the paths`, () => {
    for (const text of [undefined, hostileText]) {
      for (let width = 60; width <= 160; width += 5) {
        for (const line of render({ width, color: false }, text).split('\n')) {
          assert.ok(displayWidth(line) <= width, `${displayWidth(line)} of ${width}: ${line}`)
          assert.equal(line.search(hidden), -1, line)
        }
      }
    }
    assert.equal(plain(render({ width: 80, color: true })), render({ width: 80, color: false }))
  })
}

test('the lines of the logs add up on one line', () => {
  const text = add(evidenceReport())
  assert.match(text, /^ {2}lines 778 = headers 3 \+ records 744 \+ NODATA 2 \+ SKIPDATA 1 \+ malformed 28$/m)
  assert.doesNotMatch(text, /does not add up/)
})

test('lines that are in none of the five say so', () => {
  const report = evidenceReport()
  assert.match(add({ ...report, files: [evidenceFile({ lines: 300 })] }), /does not add up: 1 line unaccounted for/)
  assert.match(add({ ...report, files: [evidenceFile({ lines: 297 })] }), /does not add up: 2 lines too many/)
})

test('names at most 20 problems of a file and counts the rest', () => {
  assert.match(
    add(evidenceReport()),
    /lines 20, 23, .*, 71: srcaddr is no address: 10\.0\.0\.256\n.*… and 8 more: tidemark evidence --json/,
  )
})

test('files that the case has are counted, not listed, and no format was looked for', () => {
  const file = evidenceFile({ kind: null, status: 'duplicate', records: 0, lines: 0, problem: alreadyThere })
  const copy = { ...file, path: 'copy.log', problem: 'same content as a.log: already in the case' }
  const text = add({
    ...evidenceReport(),
    files: [file, file, ...Array.from({ length: 12 }, () => copy)],
    problems: [],
  })
  assert.match(text, /14 files\. 14 duplicate\./)
  assert.doesNotMatch(text, /Without a known format/)
  assert.match(text, /• copy\.log: duplicate: same content as a\.log/)
  assert.match(text, /… and 2 more: tidemark add --json lists all\n.*• 2 files: in the case already/)
  assert.ok(!text.includes(`${file.path}:`), text)
})

test('an addition that was stopped, and a case of captures alone, say what they are', () => {
  const captures = {
    ...evidenceReport(),
    interrupted: true,
    files: [evidenceFile({ kind: 'pcap', lines: 0 })],
    problems: [],
  }
  const text = add(captures)
  assert.match(text, /Stopped before every file was read: .*\n?.*The same command goes\s+on from here/)
  assert.match(text, /pcap captures: 1 read/)
  assert.doesNotMatch(text, /lines \d/)
})

test('an intact case says so, and an empty one has no head to note', () => {
  const text = terminalText(verifyPage({ ...verified, intact: true, findings: [], head: null }), {
    width: 80,
    color: false,
  })
  assert.match(text, /^Intact: every byte/)
  assert.doesNotMatch(text, /Note the head/)
})

function add(report: EvidenceReport): string {
  return terminalText(addPage(report), { width: 200, color: false })
}

test('records of logs and of packets, which may count the same traffic, are held apart', () => {
  const page = (metered: number): string =>
    terminalText(removedPage({ ...removeReport(), case_records: 9000, case_metered_records: metered }), {
      width: 140,
      color: false,
    })
  assert.match(page(1000), /in the case now: 8,000 of logs \+ 1,000 of packets\./)
  assert.match(page(0), /in the case now: 9,000\./)
  assert.match(page(9000), /in the case now: 9,000\./)
})
