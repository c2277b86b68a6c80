/** Of the whole case: who stands out, whom they reached, and what could not be decided. */

import type { CaseFinding, Detections } from '../../detect/detect.ts'
import { isOfVictims } from '../../detect/ranking.ts'
import { type Block, figure, heading, line, list, paragraph, type Row, type Text, table } from '../block.ts'
import { otherColour } from '../drawings/series.ts'
import { type Heads, whoDrawings, whoTable } from '../drawings/who.ts'
import { addressOf, countOf, timeOf, wordsOf } from '../figures.ts'
import type { ReportFinding } from './document.ts'
import { byVerdict } from './verdicts.ts'

const hostsMax = 50
/** Hosts with findings of severity info alone are shown while there are fewer. */
const slightMax = 10
const waysMax = 10
const heads: Heads = ['who acted', 'finding', 'on whom']

export function hostsBlocks(found: Detections, own: readonly ReportFinding[]): Block[] {
  return [heading('Hosts'), ...hostTable(found), heading('Who reached whom'), ...whoBlocks(found, own)]
}

function hostTable({ hosts, hosts_total }: Detections): Block[] {
  if (hosts.length === 0) return [paragraph('No host has a finding.')]
  const shown = hosts.slice(0, hostsMax).filter(({ severity }, i) => severity !== 'info' || i < slightMax)
  const rows = shown.map((host, i): Row => {
    const at = `detections.hosts.${i}`
    return {
      label: wordsOf(host.rank, `${at}.rank`),
      cells: [
        addressOf(host.address, `${at}.address`),
        host.role,
        host.severity,
        host.tactics.join(', '),
        host.findings.flatMap((id, n) => [...(n > 0 ? [' '] : []), wordsOf(id, `${at}.findings.${n}`)]),
        timeOf(host.first_start, `${at}.first_start`),
        timeOf(host.last_end, `${at}.last_end`),
      ],
      detail: wordsOf(host.why, `${at}.why`),
    }
  })
  const columns = ['host', 'role', 'severity', 'tactics', 'findings', 'first', 'last'].map(title => ({ title }))
  const left = hosts_total - shown.length
  return [
    table(columns, rows, 'Hosts with findings, those that behave most like an attacker first'),
    ...(left > 0
      ? [
          paragraph(
            line`${countOf(left, `detections.hosts_total - ${shown.length}`)} more hosts have findings of less weight.`,
          ),
        ]
      : []),
  ]
}

function whoBlocks(found: Detections, own: readonly ReportFinding[]): Block[] {
  const standing = byVerdict(found.findings, own).filter(({ verdict }) => verdict !== 'refuted')
  const isAnyRefuted = standing.length < found.findings.length
  const chosen = standing.slice(0, waysMax).map(({ finding }) => finding)
  if (chosen.length === 0)
    return [paragraph(isAnyRefuted ? 'The examiner refuted all that the rules found.' : 'No rule found anything.')]
  const ways = chosen.map(finding => {
    const at = `detections.findings.${found.findings.indexOf(finding)}`
    return {
      from: endText(finding, isOfVictims(finding.rule) ? 'peers' : 'subject', at),
      via: line`${wordsOf(finding.id, `${at}.id`)} ${finding.tactic}`,
      to: endText(finding, isOfVictims(finding.rule) ? 'subject' : 'peers', at),
      weight: Math.log10(finding.connections + 10),
      colour: finding.severity === 'high' ? 1 : otherColour,
      cells: [countOf(finding.connections, `${at}.connections`), finding.severity],
    }
  })
  return [
    figure({
      title: 'Who reached whom',
      description: `The gravest findings${isAnyRefuted ? ', but for those that the examiner refuted' : ''}: who acted on the left, on whom on the right. Widths grow with the logarithm of the connections.`,
      ...whoDrawings(
        ways,
        heads,
        'Who reached whom',
        'Bands from hosts that acted through findings to their peers. The table below has the same.',
      ),
      data: whoTable(ways, heads, [{ title: 'connections', align: 'right' }, { title: 'severity' }]),
    }),
  ]
}

function endText(finding: CaseFinding, side: 'subject' | 'peers', at: string): Text {
  const [first] = finding[side]
  const total = finding[`${side}_total`]
  if (total === 1 && first !== undefined) return addressOf(first, `${at}.${side}.0`)
  return line`${countOf(total, `${at}.${side}_total`)} hosts`
}

/** Why rules could not decide. */
export function undecidedBlocks({ not_decidable, rules_failed }: Detections): Block[] {
  return [
    ...(not_decidable.length === 0
      ? []
      : [
          paragraph('Rules that could not decide, and why:'),
          list(
            not_decidable.map(
              ({ rule, reason }, i) =>
                line`${wordsOf(rule, `detections.not_decidable.${i}.rule`)}: ${wordsOf(reason, `detections.not_decidable.${i}.reason`)}`,
            ),
          ),
        ]),
    ...rules_failed.map(({ rule, problem }, i) =>
      paragraph(
        line`The rule ${wordsOf(rule, `detections.rules_failed.${i}.rule`)} failed: ${wordsOf(problem, `detections.rules_failed.${i}.problem`)}.`,
      ),
    ),
  ]
}
