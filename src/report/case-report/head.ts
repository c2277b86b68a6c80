/** A report's beginning: what it is, what it says in one paragraph and in five dated lines. */
import type { CaseFinding, Detections } from '../../detect/detect.ts'
import type { Dossier, Finding } from '../../investigate/dossier.ts'
import {
  type Block,
  fact,
  facts,
  heading,
  type Inline,
  line,
  list,
  marked,
  paragraph,
  strong,
  struck,
  type Text,
  title,
  value,
  warning,
} from '../block.ts'
import { addressOf, bytesOf, countOf, lengthOf, numberOf, shareOf, timeOf, wordsOf } from '../figures.ts'
import { inOrder } from '../findings.ts'
import { isOfPart } from '../headline.ts'
import { materialWords } from '../names.ts'
import { atLeast } from '../numbers.ts'
import type { CaseReport, ReportFinding } from './document.ts'
import { ownWords } from './own-words.ts'
import { byVerdict, findingsOf, type Verdict, verdictOf, verdicts } from './verdicts.ts'

const subjectsMax = 8
const datedMax = 5

export function headBlocks(r: CaseReport): Block[] {
  const { case_number, examiner, made, tool, subject, command } = r.report
  const some = subject.slice(0, subjectsMax).map((one, i) => addressOf(one, `report.subject.${i}`))
  const about: Text =
    subject.length === 0
      ? 'the whole case'
      : [
          ...some.flatMap((one, i) => (i > 0 ? [', ', one] : [one])),
          ...(subject.length > some.length
            ? [' and others, ', numberOf(subject.length, 'report.subject'), ' in all']
            : []),
        ]
  return [
    title(wordsOf(r.report.title, 'report.title')),
    facts([
      fact('about', about),
      fact('case number', case_number === null ? 'not given' : wordsOf(case_number, 'report.case_number')),
      fact('examiner', examiner === null ? 'not given' : wordsOf(examiner, 'report.examiner')),
      fact('made', timeOf(made, 'report.made')),
      fact(
        'made with',
        line`${wordsOf(tool.name, 'report.tool.name')} ${wordsOf(tool.version, 'report.tool.version')}`,
      ),
      ...(command === null ? [] : [fact('command', marked({ kind: 'command', text: command }, 'report.command'))]),
    ]),
  ]
}

export function summaryBlocks(r: CaseReport): Block[] {
  const { dossier: d, detections } = r
  const said = d !== null ? ofDossier(d) : detections !== null ? ofCase(detections) : []
  return [
    heading('Summary'),
    ...ownWords(r.notes.summary, 'notes.summary', 'In the words of the examiner'),
    ...said,
    ...datedBlocks(r),
  ]
}

function ofDossier(d: Dossier): Block[] {
  const { records, window, bytes, attack_surface, not_listed } = d
  const subject = line`${addressOf(d.subject[0] ?? '', 'dossier.subject.0')}${d.subject.length > 1 ? line` and others, ${numberOf(d.subject.length, 'dossier.subject')} in all,` : ''}`
  if (records.subject === 0)
    return [
      paragraph(
        line`No record of ${subject} in ${isOfPart(d) ? 'the part that was asked for, of ' : ''}${countOf(records.total, 'dossier.records.total')} flow records. That is not proof of absence: the address may have been translated before it was recorded, gone past the sensors of this case, or been active outside their time.`,
      ),
    ]
  const gaps = attack_surface.gaps.length + not_listed.gaps
  const unknown = bytes.from_subject === null && bytes.to_subject === null
  const volume: Text = unknown
    ? 'How much data moved is not known: no record of accepted traffic says it.'
    : line`Sent: ${bound(d)}${bytesOf(bytes.from_subject, 'dossier.bytes.from_subject')}; received: ${bound(d)}${bytesOf(bytes.to_subject, 'dossier.bytes.to_subject')}.`
  const found = line`The rules have ${numberOf(d.findings.length, 'dossier.findings')} findings${d.findings_other.length > 0 ? ' listed and more that are counted' : ''}.`
  const complete: Text = attack_surface.complete
    ? `The ${materialWords(d)} have no gap in that time.`
    : line`${strong('Not complete:')} ${countOf(gaps, '|dossier.attack_surface.gaps| + dossier.not_listed.gaps')} gaps in the ${materialWords(d)}, so that more may have happened.`
  const of: Text = isOfPart(d)
    ? ' flow records'
    : line` of ${countOf(records.total, 'dossier.records.total')} flow records (${shareOf(records.subject, records.total, 'dossier.records.subject / dossier.records.total')})`
  return [
    paragraph(
      line`${subject} took part in ${countOf(records.subject, 'dossier.records.subject')}${of}, ${countOf(records.rejected, 'dossier.records.rejected')} of them rejected, between ${timeOf(window.first_start, 'dossier.window.first_start')} and ${timeOf(window.last_end, 'dossier.window.last_end')} (${lengthOf(window.seconds, 'dossier.window.seconds')}). ${volume} ${found} ${complete}`,
    ),
    ...(attack_surface.complete ? [] : [warning('This answer has holes: see what could not be seen.')]),
  ]
}

function bound({ bytes }: Dossier): string {
  return atLeast('', bytes.at_least)
}

function ofCase(found: Detections): Block[] {
  const { records, connections, window, hosts_total, hosts, coverage } = found
  const when: Text =
    window === null
      ? 'No connection has a time.'
      : line`They were between ${timeOf(window.first_start, 'detections.window.first_start')} and ${timeOf(window.last_end, 'detections.window.last_end')}.`
  const [first] = hosts
  const who: Text =
    first === undefined
      ? 'No host stands out. What could not be decided stands below.'
      : line`${countOf(hosts_total, 'detections.hosts_total')} hosts have findings; the first of them is ${addressOf(first.address, 'detections.hosts.0.address')}.`
  return [
    paragraph(
      line`${countOf(records.total, 'detections.records.total')} flow records, ${countOf(connections, 'detections.connections')} connections were looked at. ${when} ${who} ${coverage.complete ? 'The evidence has no gap.' : 'The evidence has gaps: more may have happened.'}`,
    ),
    ...(coverage.complete ? [] : [warning('This answer has holes: see what could not be seen.')]),
  ]
}

const groupTitles: Readonly<Record<Verdict, string>> = {
  confirmed: 'Confirmed by the examiner, by time (UTC):',
  'not judged': 'Not judged by the examiner, the gravest of them by time (UTC):',
  refuted: 'Refuted by the examiner:',
}

/** The gravest findings in order of time, by what the examiner decided of them; of those not judged none of severity info. */
function datedBlocks(r: CaseReport): Block[] {
  const { findings, of } = findingsOf(r)
  if (findings.length === 0) return [paragraph('No rule found anything. That is not proof that nothing happened.')]
  const told = byVerdict<Finding | CaseFinding>(findings, r.findings)
  const groups = verdicts.map(verdict => {
    const own = told.filter(one => one.verdict === verdict && (verdict !== 'not judged' || isGrave(one.finding)))
    const chosen = own.slice(0, datedMax)
    return {
      verdict,
      chosen: inOrder(chosen.map(({ finding }) => finding)).map(f => own.find(one => one.finding === f)!),
    }
  })
  const left = groups.reduce((rest, { chosen }) => rest - chosen.length, findings.length)
  return [
    ...groups.flatMap(({ verdict, chosen }) =>
      chosen.length === 0
        ? []
        : [
            paragraph(strong(groupTitles[verdict])),
            list(chosen.map(({ finding, at }) => datedText(finding, r.findings[at]!, `${of}.${at}`, `findings.${at}`))),
          ],
    ),
    ...(left > 0
      ? [
          paragraph(
            line`Other findings, in their own section: ${countOf(left, `|${of}| - ${findings.length - left}`)}, those of severity info among them.`,
          ),
        ]
      : []),
  ]
}

const isGrave = ({ severity }: Pick<Finding, 'severity'>): boolean => severity !== 'info'

function datedText(finding: Finding | CaseFinding, own: ReportFinding, at: string, ownAt: string): Text {
  const { first_start, last_end } = finding
  const until: Text = first_start === last_end ? '' : line` – ${timeOf(last_end, `${at}.last_end`)}`
  const isRefuted = verdictOf(own) === 'refuted'
  const title = marked((isRefuted ? struck : strong)(finding.title), `${at}.title`)
  const notes = isRefuted ? own.notes.flatMap((note, i) => noteText(note, `${ownAt}.notes.${i}`)) : []
  return line`${timeOf(first_start, `${at}.first_start`)}${until}: ${title} (${wordsOf(finding.id, `${at}.id`)}; severity ${finding.severity}, confidence ${finding.confidence})${notes}`
}

/** The first line of a note that has one: the rest stands at the finding. */
function noteText(note: string, at: string): Inline[] {
  const lines = note.split(/\r\n|\n|\r/)
  const first = lines.findIndex(one => one.trim() !== '')
  if (first < 0) return []
  const more = lines.slice(first + 1).some(one => one.trim() !== '')
  return ['. Note of the examiner: ', value(lines[first]!, `${at}:${first + 1}`), ...(more ? [' …'] : [])]
}
