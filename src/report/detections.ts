/** Who behaves like an attacker, as a page: hosts, then findings, then what could not be decided. */

import type { CaseFinding, Detections, SuspectHost } from '../detect/detect.ts'
import { severities } from '../rules/finding.ts'
import {
  address,
  alarm,
  type Block,
  command,
  entry,
  gap,
  heading,
  limited,
  line,
  list,
  paragraph,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { countText, integerText, spanText } from './numbers.ts'
import { gapItemsOf } from './surface.ts'

const hostsAtMost = 10
const findingsAtMost = 50
const gapsAtMost = 4
const findingsOfHostAtMost = 4

/** @param commandOf the command that prints a host's dossier. @param all whether every host and finding is listed. */
export function detectionsPage(found: Detections, commandOf: (host: string) => string, all: boolean): Block[] {
  return [
    title(strong('Who behaves like an attacker')),
    gap,
    paragraph(verdict(found)),
    ...coverage(found),
    heading(`Hosts (${integerText(found.hosts_total)})`),
    ...hostBlocks(found, commandOf, all),
    heading(`Findings (${integerText(found.findings.length)})`),
    ...findingBlocks(found, all),
    heading('What could not be decided'),
    list(undecidedItems(found)),
  ]
}

function verdict({ hosts, hosts_total, records, connections }: Detections): Text {
  const [first] = hosts
  const of = `in ${countText(records.total, 'flow record')}, ${countText(connections, 'connection')}`
  if (first === undefined)
    return line`${strong(`No host stands out ${of}.`)} What was not looked for, and what could not be seen, stands below.`
  return line`${strong(`${countText(hosts_total, 'host')} ${hosts_total === 1 ? 'stands' : 'stand'} out ${of}`)}; first of them ${address(first.address)}.`
}

function coverage({
  coverage: { complete, gaps, gaps_not_listed, cannot_tell },
  selection,
  window,
}: Detections): Block[] {
  const { from, to, hosts, rules, min_severity } = selection
  const only = [
    ...(from === null ? [] : [`connections that begin at ${from} or later`]),
    ...(to === null ? [] : [`connections that begin before ${to}`]),
    ...(hosts.length === 0 ? [] : [`findings of ${hosts.join(', ')}`]),
    ...(rules.length === 0 ? [] : [`rules ${rules.join(', ')}`]),
    ...(min_severity === null ? [] : [`findings of severity ${min_severity} or above`]),
  ]
  const items: Text[] = [
    ...(window === null ? [] : [`Connections from ${spanText(window.first_start, window.last_end)}.`]),
    ...(only.length === 0 ? [] : [`Only ${only.join('; ')}.`]),
    ...gapItemsOf(gaps, gaps_not_listed, gapsAtMost),
    ...cannot_tell.map(text => `This evidence cannot tell: ${text}.`),
  ]
  return [gap, ...(complete ? [] : [warning('This answer has holes.')]), list(items)]
}

function hostBlocks(found: Detections, commandOf: (host: string) => string, all: boolean): Block[] {
  const { hosts, hosts_total } = found
  if (hosts.length === 0) return [paragraph('None.')]
  const listed = all ? hosts : hosts.slice(0, hostsAtMost)
  const left = hosts_total - listed.length
  return [
    table(
      [
        { title: 'rank', align: 'right' },
        { title: 'host' },
        { title: 'role' },
        { title: 'in order of time' },
        { title: 'its dossier', hangs: true },
      ],
      listed.map(host => ({ cells: [...cellsOf(host), command(commandOf(host.address))] })),
    ),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'more host')}: --all lists them.`)] : []),
  ]
}

function cellsOf({ rank, address: text, role, tactics, findings }: SuspectHost): Text[] {
  const named = limited(findings, findingsOfHostAtMost, left => `${integerText(left)} more`)
  return [String(rank), address(text), role, `${tactics.join(' → ')} (${named.join(', ')})`]
}

function findingBlocks({ findings, findings_other }: Detections, all: boolean): Block[] {
  if (findings.length === 0) return [paragraph('None.')]
  const weight = ({ severity }: CaseFinding): number => severities.indexOf(severity)
  // The sort is stable: of the same severity, in order of time.
  const sorted = [...findings].sort((a, b) => weight(b) - weight(a))
  const listed = all ? sorted : sorted.slice(0, findingsAtMost)
  const left = sorted.length - listed.length
  return [
    ...listed.map(findingEntry),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'more finding')}: --all lists them.`)] : []),
    ...findings_other.map(({ rule, count }) =>
      paragraph(
        `${rule}: ${countText(count, 'more finding')}, of less weight, ${count === 1 ? 'is' : 'are'} not listed.`,
      ),
    ),
  ]
}

function findingEntry(finding: CaseFinding): Block {
  const { id, severity, confidence, rule, technique, first_start, last_end, scores, counter_hypotheses, would_change } =
    finding
  const grave = severity === 'high' ? alarm('HIGH') : severity
  return entry(id, strong(finding.title), [
    paragraph(
      line`${grave}, ${confidence} confidence; ${time(spanText(first_start, last_end))}; ${rule}${technique === null ? '' : `; if so, ATT&CK ${technique}`}`,
    ),
    paragraph(finding.summary),
    paragraph(
      `Measured: ${scores.map(({ name, value, threshold }) => `${name} ${integerText(value)} (${threshold})`).join('; ')}.`,
    ),
    paragraph(`Could also be: ${counter_hypotheses.join('; or ')}. It would be silent with: ${would_change}.`),
  ])
}

function undecidedItems({ not_decidable, not_looked_for, coverage: { not_logged } }: Detections): Text[] {
  return limited(
    [
      ...not_decidable.map(({ rule, reason }) => `${rule}: ${reason}.`),
      ...(not_logged.length === 0 ? [] : [`In no flow log: ${not_logged.join('; ')}.`]),
      `Not looked for by this version: ${not_looked_for.join(', ')}.`,
    ],
    100,
    left => `… and ${integerText(left)} more: --json has them.`,
  )
}
