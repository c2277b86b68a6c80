/** Findings with what they rest on: figures beside thresholds, lines of the evidence, other explanations, the examiner's verdict. */
import type { CaseFinding } from '../../detect/detect.ts'
import type { Finding } from '../../investigate/dossier.ts'
import {
  type Block,
  code,
  entry,
  fold,
  heading,
  line,
  list,
  paragraph,
  quotes,
  type Row,
  strong,
  type Text,
  table,
} from '../block.ts'
import { bytesOf, countOf, pathOf, timeOf, wordsOf } from '../figures.ts'
import { bytesText, integerText } from '../numbers.ts'
import type { CaseReport, ReportFinding, ReportLine } from './document.ts'
import { noteBlocks, verdictBadge } from './own-words.ts'
import { byVerdict } from './verdicts.ts'

const shownMax = 100
/** Those of severity info are shown while there are fewer: what the internet does to every address would bury the others. */
const slightMax = 25

export function findingsBlocks(r: CaseReport): Block[] {
  const of = r.dossier !== null ? 'dossier' : 'detections'
  const { findings, findings_other: others } = (r.dossier ?? r.detections)!
  const shown = byVerdict<Finding | CaseFinding>(findings, r.findings)
    .slice(0, shownMax)
    .filter(({ finding: { severity }, verdict }, i) => severity !== 'info' || verdict !== 'not judged' || i < slightMax)
  const left = findings.length - shown.length
  return [
    heading('Findings'),
    ...(findings.length === 0 ? [paragraph('None. That is not proof that nothing happened.')] : []),
    ...shown.map(({ finding, at }) => findingEntry(finding, `${of}.findings.${at}`, r.findings[at]!, `findings.${at}`)),
    ...(left > 0
      ? [
          paragraph(
            line`${countOf(left, `|${of}.findings| - ${shown.length}`)} more findings are in the JSON document; these are the gravest.`,
          ),
        ]
      : []),
    ...others.map((one, i) =>
      paragraph(
        line`${countOf(one.count, `${of}.findings_other.${i}.count`)} more of ${wordsOf(one.rule, `${of}.findings_other.${i}.rule`)} are not listed.`,
      ),
    ),
  ]
}

function findingEntry(finding: Finding | CaseFinding, at: string, own: ReportFinding, ownAt: string): Block {
  const { severity, confidence, technique, technique_name, counter_hypotheses: other } = finding
  const word: Text = severity === 'high' ? { kind: 'alarm', text: 'high' } : severity
  const attack: Text =
    severity === 'info' || technique === null
      ? ''
      : line`; if so, ATT&CK ${wordsOf(technique, `${at}.technique`)} ${technique_name === null ? '' : wordsOf(technique_name, `${at}.technique_name`)}`
  const body = [
    paragraph(
      line`severity ${word}, confidence ${confidence}; ${timeOf(finding.first_start, `${at}.first_start`)} – ${timeOf(finding.last_end, `${at}.last_end`)}; rule ${wordsOf(finding.rule, `${at}.rule`)}${attack}`,
    ),
    paragraph(wordsOf(finding.summary, `${at}.summary`)),
    ...noteBlocks(own, ownAt),
    ...scoresBlocks(own, ownAt),
    ...evidenceBlocks(own, ownAt),
    ...(other.length === 0
      ? []
      : [
          paragraph(strong('It could also be:')),
          list(other.map((text, i) => wordsOf(text, `${at}.counter_hypotheses.${i}`))),
        ]),
    fold(
      'The SQL behind it',
      [code(finding.sql, `${at}.sql`)],
      'The SQL behind it is in the HTML, on a screen, and in the JSON.',
    ),
  ]
  return entry(wordsOf(finding.id, `${at}.id`), wordsOf(finding.title, `${at}.title`), body, verdictBadge(own, ownAt))
}

/** What was measured, beside what the rule asks for. */
function scoresBlocks({ scores, would_change }: ReportFinding, at: string): Block[] {
  const rows = scores.map(({ name, value, threshold }, i): Row => {
    const of = `${at}.scores.${i}`
    return {
      cells: [
        wordsOf(name, `${of}.name`),
        (/^bytes\b/.test(name) ? bytesOf : countOf)(value, `${of}.value`),
        wordsOf(thresholdText(threshold, /^bytes\b/.test(name)), `${of}.threshold`),
      ],
    }
  })
  return [
    ...(rows.length === 0
      ? []
      : [
          table(
            [{ title: 'measured' }, { title: 'value', align: 'right' }, { title: 'asked for' }],
            rows,
            'What the rule measured',
          ),
        ]),
    ...(would_change === null || would_change === ''
      ? []
      : [paragraph(line`The rule would not report: ${wordsOf(would_change, `${at}.would_change`)}.`)]),
  ]
}

/** `at least 100,000,000 B (95.4 MiB)` for `>= 100000000`; what has another form stands as it is. */
function thresholdText(threshold: string, isBytes: boolean): string {
  const [, sign, number] = /^(>=|<=) (\d+(?:\.\d+)?)$/.exec(threshold) ?? []
  if (sign === undefined || number === undefined) return threshold
  const isWhole = /^\d{1,15}$/.test(number)
  const amount = !isWhole ? number : isBytes ? bytesText(Number(number)) : integerText(Number(number))
  return `${sign === '>=' ? 'at least' : 'at most'} ${amount}`
}

function evidenceBlocks({ lines, unread, records }: ReportFinding, at: string): Block[] {
  const of = countOf(records, `${at}.records`)
  const none = lines.length === 0 && unread.length === 0
  return [
    paragraph(
      none
        ? line`It rests on ${of} records; the SQL gives all of them.`
        : line`${strong('Evidence')}, some of ${of} records, as they stand in the files:`,
    ),
    ...(lines.length === 0 ? [] : [quotes(lines.map((one, i) => quoted(one, `${at}.lines.${i}`)))]),
    ...unread.map((one, i) => {
      const place = `${at}.unread.${i}`
      return paragraph(
        line`Not shown: ${countOf(one.lines, `${place}.lines`)} of ${pathOf(one.path, `${place}.path`)}: ${wordsOf(one.problem, `${place}.problem`)}.`,
      )
    }),
  ]
}

function quoted({ path, line: number, text, characters, start }: ReportLine, at: string) {
  const cut: Text =
    text.length === characters ? '' : line`, cut: it has ${countOf(characters, `${at}.characters`)} characters`
  return {
    where: line`${pathOf(path, `${at}.path`)}:${wordsOf(number, `${at}.line`)}${start === null ? '' : line`, start ${timeOf(start, `${at}.start`)}`}${cut}`,
    text: wordsOf(text, `${at}.text`),
  }
}
