import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { marked, type Token, type Tokens } from 'marked'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import { controls } from '../../src/controls/controls.ts'
import type { CaseReport } from '../../src/report/case-report/document.ts'
import { caseReport } from '../../src/report/case-report/gather.ts'
import type { Notes } from '../../src/report/case-report/notes.ts'
import { reportText } from '../../src/report/case-report/page.ts'
import { visible } from '../../src/report/text.ts'
import type { Severity } from '../../src/rules/finding.ts'
import { openCase } from '../../src/store/case.ts'
import { golden } from '../golden.ts'
import { hostileTexts } from './hostile-texts.ts'
import { attacker, type Lab, openLab, someControls, withText } from './lab-report.ts'
import { childrenOf, compareMarks, textOf } from './marks.ts'

let lab: Lab
let ofAttacker: CaseReport
let ofCase: CaseReport

const notes: Notes = {
  ...{ title: 'Intrusion of 28 September', case_number: '2023-117', examiner: 'A. Example' },
  summary: 'First line, 1.\nSecond line, 2.',
  sections: [{ title: 'How it was found, part 1', text: 'On the 29th.' }],
  findings: [
    {
      key: `interactive-session | ${attacker} | ${attacker} to 10.130.8.94:22 TCP`,
      ...{ first_start: null, id: 'F9', title: 'was F9', status: 'confirmed', note: 'The account of 1 employee.' },
    },
    { key: 'gone | 192.0.2.1', first_start: null, id: 'F2', title: 'old', status: 'refuted', note: 'A scanner, 2022.' },
  ],
}

before(async () => {
  lab = await openLab()
  ofAttacker = await lab.report([attacker], notes, someControls)
  ofCase = await lab.report([])
})
after(() => lab.remove())

test('every value of the page equals the JSON document, and none is without a mark', () => {
  for (const [report, least] of [
    [ofAttacker, 3000],
    [ofCase, 3000],
  ] as const) {
    const { compared, faults } = compareMarks(reportText(report, 'html'), exact(reportText(report, 'json')))
    assert.deepEqual(faults.slice(0, 20), [])
    assert.ok(compared > least, String(compared))
  }
})

/** The document as a program has it that knows no integers beyond 2^53. */
function exact(json: string): unknown {
  return JSON.parse(json.replaceAll(': 9007199254740993', ': "9,007,199,254,740,993 B (8.0 PiB)"'))
}

test('a value that is altered, and one that has lost its mark, are noticed', () => {
  const html = reportText(ofAttacker, 'html')
  const document = exact(reportText(ofAttacker, 'json'))
  const altered = html.replaceAll('>33,232<', '>33,233<')
  assert.match(compareMarks(altered, document).faults.join('\n'), /dossier.records.subject: the page says 33,233/)
  const bare = html.replace(' data-figure="dossier.records.total"', '')
  assert.match(compareMarks(bare, document).faults.join('\n'), /without a mark: 172,211/)
})

test('a report has the figures of the dossier, and the lines of the evidence as they are', () => {
  const json = JSON.parse(reportText(ofAttacker, 'json').replaceAll('9007199254740993', '1'))
  assert.equal(json.dossier.records.subject, 33_232)
  const sent = json.dossier.findings.findIndex((one: { rule: string }) => one.rule === 'data-pushed-out')
  assert.equal(json.findings[sent].lines.length, 6)
  for (const { text } of json.findings[sent].lines)
    assert.match(text, /^5 us-east-2 \d+ i-\w+ eni-\w+ IPv4 .* 8889 |^5 .* 8889 /)
  assert.ok(json.findings.every((one: { scores: unknown[] }) => Array.isArray(one.scores)))
  assert.equal(json.evidence.files.length, 580)
  assert.match(json.evidence.ledger_head, /^[0-9a-f]{64}$/)
  assert.equal(json.coverage.sensors.length, 5)
})

test('a report has the controls of its own findings and services, as controls has them', async () => {
  const opened = await openCase(lab.caseDir)
  const about = { tool: { name: 'Tidemark', version: '0' }, made: '2026-01-02T03:04:05Z' }
  try {
    const report = await caseReport(opened, [attacker], about)
    assert.equal(report.controls_left_out, null)
    assert.deepEqual(report.controls, await controls(opened, [attacker]))
    const known = [
      ...report.dossier!.findings.map(({ id }) => id),
      ...report.dossier!.services.map((_, i) => `S${i + 1}`),
    ]
    const answered = report.controls!.controls.flatMap(({ answers }) => answers)
    assert.ok(answered.length > 0 && answered.every(id => known.includes(id)))
    assert.equal(compareMarks(reportText(report, 'html'), report).faults.join('\n'), '')
    const whole = await caseReport(opened, [], about)
    assert.deepEqual(whole.controls, await controls(opened, []))
  } finally {
    await opened.close()
  }
})

test('a report of a part of the evidence has no controls, which are of the whole, and says so', async () => {
  const opened = await openCase(lab.caseDir)
  const from_us = Date.parse('2023-09-28T21:00:00Z') * 1000
  const about = { tool: { name: 'Tidemark', version: '0' }, made: '2026-01-02T03:04:05Z' }
  const sensors = ['eni-04d8e2519a6fc7b3e']
  try {
    for (const [subjects, part] of [
      [[attacker], { investigate: { selection: { from_us } } }],
      [[attacker], { investigate: { selection: { sensors } } }],
      [[], { detect: { from_us } }],
    ] as const) {
      const report = await caseReport(opened, [...subjects], { ...about, ...part })
      assert.equal(report.controls, null)
      for (const format of ['html', 'md'] as const)
        assert.match(reportText(report, format), /Controls are left out: .*this report is of a part of the evidence/)
    }
  } finally {
    await opened.close()
  }
})

test('the summary has five dated lines at most, and none of severity info that nobody confirmed', () => {
  const dated = (severities: readonly Severity[]): string[] => {
    const { findings: had, ...rest } = ofAttacker.dossier!
    const findings = severities.map((severity, i) => ({ ...had[0]!, id: `F${i + 1}`, severity }))
    const told = findings.map(({ id }) => ({ ...ofAttacker.findings[0]!, id, status: null }))
    const text = reportText({ ...ofAttacker, dossier: { ...rest, findings }, findings: told }, 'md')
    const [, lines = ''] = /by time \(UTC\):\*\*\n\n([\s\S]*?)\n\n/.exec(text) ?? []
    return [...lines.matchAll(/\((F\d+); severity (\w+)/g)].map(([, id, severity]) => `${id} ${severity}`)
  }
  assert.deepEqual(dated(['info', 'high', 'low']), ['F2 high', 'F3 low'])
  assert.deepEqual(dated(['info', 'info']), [])
  assert.equal(dated(Array.from({ length: 9 }, () => 'high')).length, 5)
})

test('notes stand at their findings, and those of none are kept', () => {
  const session = ofAttacker.findings.find(one => one.key.startsWith('interactive-session'))
  assert.deepEqual([session?.status, session?.notes], ['confirmed', ['The account of 1 employee.']])
  assert.deepEqual(
    ofAttacker.notes.not_found.map(({ key }) => key),
    ['gone | 192.0.2.1'],
  )
  for (const format of ['html', 'md'] as const) {
    const text = reportText(ofAttacker, format)
    for (const words of ['First line, 1.', 'Second line, 2.', 'A scanner, 2022.', 'Intrusion of 28 September'])
      assert.ok(text.includes(words), `${format}: ${words}`)
  }
})

test('the summary has what the examiner confirmed, what nobody judged and what was refuted apart', async () => {
  const note = (rule: string, status: 'confirmed' | 'refuted' | 'open', text: string) => {
    const { key } = ofAttacker.findings.find(one => one.key.startsWith(rule))!
    return { key, first_start: null, id: null, title: null, status, note: text }
  }
  const judged = await lab.report([attacker], {
    ...notes,
    findings: [
      note('data-served', 'refuted', '\nA copy that the owner ordered.\nMore.'),
      note('brute-force', 'confirmed', ''),
      note('data-pushed-out', 'open', ''),
    ],
  })
  const text = reportText(judged, 'md')
  const summary = text.slice(text.indexOf('## Summary'), text.indexOf('## How it was found'))
  const [, confirmed, open, refuted] =
    /Confirmed by([\s\S]*)Not judged by([\s\S]*)Refuted by([\s\S]*)/.exec(summary) ?? []
  assert.match(confirmed!, /brute force.*\(F2; severity high, confidence medium\)/)
  assert.match(open!, /F4;[\s\S]*F5;/)
  assert.match(refuted!, /~~Data downloaded.*~~ \(F3; .*Note of the examiner: A copy that the owner ordered\. …/)
  assert.doesNotMatch(summary, /severity info,/)
  const headings = text.match(/^### F\d .*$/gm)?.map(one => one.replace(/^### (F\d) .*\((.*)\)$/, '$1 $2'))
  assert.deepEqual(headings, ['F2 confirmed', 'F4 not judged', 'F5 not judged', 'F1 not judged', 'F3 refuted'])
  const html = reportText(judged, 'html')
  assert.match(
    html,
    /<tspan data-figure="dossier.findings.2.id">F3<\/tspan> medium, refuted<\/text>\s*<rect [^>]*fill="url/,
  )
  assert.deepEqual(compareMarks(html, exact(reportText(judged, 'json'))).faults, [])
})

test('the page is sound HTML: ids once, links lead somewhere, headings in order, tables with captions and heads', () => {
  const document = parse(reportText(ofAttacker, 'html'), { sourceCodeLocationInfo: false })
  const elements = all(document)
  const ids = elements.flatMap(one => attributeOf(one, 'id') ?? [])
  assert.equal(new Set(ids).size, ids.length)
  for (const one of elements) {
    const href = attributeOf(one, 'href')
    if (href?.startsWith('#')) assert.ok(ids.includes(href.slice(1)), href)
    for (const { name, value } of one.attrs) {
      assert.doesNotMatch(name, /^on|^style$/)
      if (['href', 'src'].includes(name)) assert.match(value, /^#|^data:,$/)
    }
    if (one.nodeName === 'table') assert.ok(childrenOf(one).some(child => child.nodeName === 'caption'))
    if (one.nodeName === 'th') assert.notEqual(attributeOf(one, 'scope'), null)
  }
  let before = 0
  for (const one of elements.filter(({ nodeName }) => /^h[1-6]$/.test(nodeName))) {
    const level = Number(one.nodeName[1])
    assert.ok(level <= before + 1, textOf(one))
    before = level
  }
})

function all(node: DefaultTreeAdapterTypes.Node): DefaultTreeAdapterTypes.Element[] {
  const own = 'attrs' in node ? [node as DefaultTreeAdapterTypes.Element] : []
  return [...own, ...childrenOf(node).flatMap(all)]
}

function attributeOf(node: DefaultTreeAdapterTypes.Element, name: string): string | undefined {
  return node.attrs.find(one => one.name === name)?.value
}

test('the reports of the lab are as they were', () => {
  // Of the list of all files, and of the values of drawings, the first lines say enough.
  const shown = (text: string, long: RegExp): string => {
    const lines = text.replaceAll(lab.folder, '/lab').replaceAll(ofAttacker.evidence.ledger_head, 'HEAD').split('\n')
    const first = new Set(lines.filter(line => long.test(line)).slice(0, 3))
    return lines.filter(line => !long.test(line) || first.has(line)).join('\n')
  }
  golden('report-attacker.golden.md', shown(reportText(ofAttacker, 'md'), /SHA-256 `|^\| 2023-09-28 \d\d:\d\d:00Z \|/))
  const page = textOf(parse(reportText(ofCase, 'html'))).replace(/\n{2,}/g, '\n')
  golden('report-case.golden.txt', shown(page.slice(page.indexOf('Contents')), /SHA-256 [0-9a-f]|^\/lab.*read/))
})

test('a report on the lab is at most 2 MB', () => {
  for (const report of [ofAttacker, ofCase]) assert.ok(Buffer.byteLength(reportText(report, 'html')) < 2e6)
})

test('500 hostile texts in every field of the document show as texts in HTML', () => {
  for (const [report, texts] of hostileReports()) {
    const harmless = skeleton(parse(reportText(withText(report, 'word'), 'html')))
    for (const text of texts) {
      const document = withText(report, text)
      const html = reportText(document, 'html')
      assert.doesNotMatch(html, hiddenCharacters, text)
      assert.equal(skeleton(parse(html)), harmless, text)
      assert.deepEqual(
        compareMarks(html, document).faults.filter(fault => !fault.startsWith('without a mark')),
        [],
        text,
      )
    }
  }
})

/** The report on the whole case differs in few fields. */
function hostileReports(): (readonly [CaseReport, readonly string[]])[] {
  return [
    [ofAttacker, hostileTexts],
    [ofCase, hostileTexts.filter((_, i) => i % 8 === 0)],
  ]
}

const hiddenCharacters = /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** Elements and the names of their attributes, in order. */
function skeleton(node: DefaultTreeAdapterTypes.Node): string {
  return all(node)
    .map(one => `${one.nodeName} ${one.attrs.map(({ name }) => name).join(' ')}`)
    .join('\n')
}

test('500 hostile texts in every field of the document show as texts in Markdown', () => {
  for (const [report, texts] of hostileReports()) {
    const harmless = reportText(withText(report, 'Wq'), 'md')
    const tokens = tokensOf(marked.lexer(harmless))
    const times = occurrences(shownText(harmless), 'Wq')
    for (const text of texts) {
      const page = reportText(withText(report, text), 'md')
      assert.doesNotMatch(page, hiddenCharacters, text)
      assert.deepEqual(tokensOf(marked.lexer(page)), tokens, text)
      assert.ok(occurrences(shownText(page), spaced(visible(text))) >= times, text)
    }
  }
})

/** Kinds of tokens, but for code in the place of a text: words that a reader might make links of. */
function tokensOf(tokens: readonly Token[]): unknown[] {
  return tokens.flatMap(token => {
    if (['text', 'escape', 'codespan', 'space'].includes(token.type))
      return 'tokens' in token && token.tokens ? tokensOf(token.tokens) : []
    if (token.type === 'table') {
      const { header, rows } = token as Tokens.Table
      return [['table', header.length, rows.map(row => row.length)]]
    }
    const inner = token.type === 'list' ? (token as Tokens.List).items : 'tokens' in token ? (token.tokens ?? []) : []
    return [[token.type, ...tokensOf(inner)]]
  })
}

function shownText(page: string): string {
  return spaced(textOf(parse(marked.parse(page, { async: false }))))
}

function spaced(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1
}

test('servers of the other side are told from those of your hosts, and thresholds have units', () => {
  assert.deepEqual(ofAttacker.own_servers, ['10.130.8.94'])
  const text = reportText(ofAttacker, 'md')
  const surface = text.slice(text.indexOf('## Attack surface'), text.indexOf('## Findings'))
  assert.match(
    surface,
    /Of your hosts:\s+(- 10\.130\.8\.94.*\s+)+Of the other side[^\n]*\s+- 20\.106\.124\.93:8889 TCP/,
  )
  assert.match(text, /265,183,813 B \(252\.9 MiB\) \| at least 100,000,000 B \(95\.4 MiB\)/)
  assert.match(text, /non-standard port \(IANA: ddi-tcp-2\)/)
  assert.match(text, /:318`?, start 2023-09-28 19:32:36Z/)
})

test('code of the controls stands once, in an annex that paper leaves out', () => {
  const html = reportText(ofAttacker, 'html')
  assert.ok(
    !/<article[\s\S]*?As Terraform[\s\S]*?<\/article>/.test(
      html.slice(html.indexOf('>Controls<'), html.indexOf('Annex: code')),
    ),
  )
  assert.match(html, /<details class="screen">\s*<summary>As Terraform/)
  assert.match(html, /<p class="paper">As Terraform: it is in the HTML/)
})
