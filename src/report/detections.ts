/** Who behaves like an attacker, as a page: hosts, then findings, then what could not be decided. */

import type { CaseFinding, Detections, SuspectHost } from '../detect/detect.ts'
import { severities } from '../rules/finding.ts'
import type { Tactic } from '../rules/rule.ts'
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
  path,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { countText, integerText, spanText } from './numbers.ts'
import { numbersText } from './rule-list.ts'
import { gapItemsOf } from './surface.ts'
import { saidWords } from './who.ts'

const hostsAtMost = 10
const findingsAtMost = 50
const gapsAtMost = 4

/** Tactics in a word each: ten hosts are read at a glance. */
const steps: Readonly<Record<Tactic, string>> = {
  reconnaissance: 'scan',
  discovery: 'discovery',
  'credential-access': 'guessing',
  'initial-access': 'access',
  'lateral-movement': 'lateral',
  collection: 'staging',
  'command-and-control': 'C2',
  exfiltration: 'egress',
  impact: 'abuse',
}

/**
 * @param commandOf the command that prints a host's dossier.
 * @param all whether every host and finding is listed, those of severity info alone among them.
 */
export function detectionsPage(found: Detections, commandOf: (host: string) => string, all: boolean): Block[] {
  return [
    title(strong('Who behaves like an attacker')),
    gap,
    paragraph(verdict(found)),
    ...coverage(found),
    heading('Hosts'),
    ...hostBlocks(found, commandOf, all),
    heading('Findings'),
    ...findingBlocks(found, all),
    heading('What could not be decided'),
    list(undecidedItems(found)),
  ]
}

/** Hosts of which more is known than what is of severity info; they stand before the others. */
function suspects({ hosts }: Detections): SuspectHost[] {
  return hosts.filter(({ severity }) => severity !== 'info')
}

/** How many hosts stand out, and which comes first. */
export function verdict(found: Detections): Text {
  const { hosts_total, records, connections, selection } = found
  const some = suspects(found)
  const of =
    selection.filter === null
      ? `in ${countText(records.total, 'flow record')}, ${countText(connections, 'connection')}`
      : `in ${integerText(connections)} of ${countText(selection.filter.of_connections, 'connection')}`
  const [first] = some
  if (first !== undefined)
    return line`${strong(`${countText(some.length, 'host')} ${some.length === 1 ? 'stands' : 'stand'} out ${of}`)}; first of them ${address(first.address)}.`
  const slight =
    hosts_total === 0
      ? ''
      : ` ${countText(hosts_total, 'host')} ${hosts_total === 1 ? 'has' : 'have'} findings of severity info.`
  return line`${strong(`No host stands out ${of}.`)}${slight} What could not be decided stands below.`
}

function coverage({
  coverage: { complete, gaps, gaps_not_listed, cannot_tell },
  selection,
  window,
  connections,
  enrichment,
  enrichment_problems,
}: Detections): Block[] {
  const { from, to, hosts, rules, min_severity, filter, set, internal, scanners, own_rules } = selection
  const only = [
    ...(from === null ? [] : [`connections that begin at ${from} or later`]),
    ...(to === null ? [] : [`connections that begin before ${to}`]),
    ...(hosts.length === 0 ? [] : [`findings of ${hosts.join(', ')}`]),
    ...(rules.length === 0 ? [] : [`rules ${rules.join(', ')}`]),
    ...(min_severity === null ? [] : [`findings of severity ${min_severity} or above`]),
  ]
  const items: Text[] = [
    ...(window === null
      ? []
      : [`Connections${filter === null ? '' : ' of the case'} from ${spanText(window.first_start, window.last_end)}.`]),
    ...(only.length === 0 ? [] : [`Only ${only.join('; ')}.`]),
    ...(filter === null ? [] : filterItems(filter, connections)),
    ...(set.length === 0 ? [] : [`Thresholds that were set: ${set.map(setText).join('; ')}.`]),
    ...(internal.length === 0 ? [] : [`Networks of your own, besides the private ones: ${internal.join(', ')}.`]),
    ...(scanners.length === 0 ? [] : [`Scanners of your own: ${scanners.join(', ')}.`]),
    ...(own_rules === null ? [] : [line`Rules of your own: ${path(own_rules)}.`]),
    ...fileItems(enrichment, enrichment_problems),
    ...gapItemsOf(gaps, gaps_not_listed, gapsAtMost),
    ...cannot_tell.map(text => `This evidence cannot tell: ${text}.`),
  ]
  return [gap, ...(complete ? [] : [warning('This answer has holes.')]), list(items)]
}

/** What was used of the analyst's own files, and what could not be: an entry that is not read is not one that nobody is on. */
function fileItems(files: Detections['enrichment'], problems: Detections['enrichment_problems']): Text[] {
  const named = files.map(
    ({ path: file, kind, entries }): Text => line`${path(file)} (${kind}, ${countText(entries, 'entry', 'entries')})`,
  )
  const wrong = problems.map(
    ({ path: file, line: at, problem }): Text =>
      line`Not used: ${path(at === undefined ? file : `${file}:${at}`)}: ${problem}.`,
  )
  return [
    ...named.map((one): Text => line`Your own file ${one}.`),
    ...limited(wrong, gapsAtMost, left => `… and ${integerText(left)} more that could not be used: --json has them.`),
  ]
}

function filterItems(
  { text, records, unknown, of_connections, notes }: NonNullable<Detections['selection']['filter']>,
  connections: number,
): Text[] {
  return [
    `Only connections with a record that meets ${text}: ${integerText(connections)} of ${countText(of_connections, 'connection')}, by ${countText(records, 'record')}. Roles, and what is known of hosts, are of all of them. Severity may be lower than without the filter: what D02 finds makes D08 and D18 graver, and it saw these connections alone.`,
    ...(unknown === 0 ? [] : [`Of ${countText(unknown, 'record')} it cannot be told: they choose no connection.`]),
    ...notes.map(note => `Of the filter: ${note}.`),
  ]
}

function setText({ rule, threshold, value, default: standard }: Detections['selection']['set'][number]): string {
  return `${rule}.${threshold} ${numbersText(value)} in place of ${numbersText(standard)}`
}

function hostBlocks(found: Detections, commandOf: (host: string) => string, all: boolean): Block[] {
  const { hosts, hosts_total } = found
  const some = suspects(found)
  const listed = all ? hosts : some.slice(0, hostsAtMost)
  if (hosts_total === 0) return [paragraph('None.')]
  const graveLeft = all ? 0 : some.length - listed.length
  const otherLeft = hosts_total - listed.length - graveLeft
  const left = [
    ...(graveLeft > 0 ? [countText(graveLeft, 'more host')] : []),
    ...(otherLeft > 0
      ? [
          all
            ? countText(otherLeft, 'more host')
            : `${found.findings_other.length > 0 ? 'at least ' : ''}${countText(otherLeft, 'host')} with findings of severity info alone`,
        ]
      : []),
  ]
  return [
    ...(listed.length === 0 ? [] : [hostTable(listed, commandOf)]),
    ...(left.length === 0
      ? []
      : [
          paragraph(
            `${listed.length === 0 ? '' : '… and '}${left.join(', ')}${all ? ': --json has the first 10,000.' : ': --all lists them.'}`,
          ),
        ]),
  ]
}

function hostTable(hosts: readonly SuspectHost[], commandOf: (host: string) => string): Block {
  return table(
    [
      { title: 'rank', align: 'right' },
      { title: 'host' },
      { title: 'role' },
      { title: 'in order of time' },
      { title: 'its dossier', hangs: true },
    ],
    hosts.map(({ rank, address: text, role, tactics, said }) => ({
      cells: [
        String(rank),
        address(text),
        role,
        tactics.map(tactic => steps[tactic]).join(' → '),
        command(commandOf(text)),
      ],
      ...(said !== null && { detail: saidWords(said) }),
    })),
  )
}

function findingBlocks({ findings, findings_other }: Detections, all: boolean): Block[] {
  if (findings.length === 0) return [paragraph('None.')]
  const weight = ({ severity }: CaseFinding): number => severities.indexOf(severity)
  // The sort is stable: of the same severity, in order of time.
  const sorted = [...findings].sort((a, b) => weight(b) - weight(a))
  const grave = sorted.filter(({ severity }) => severity !== 'info')
  const listed = all ? sorted : grave.slice(0, findingsAtMost)
  const left = all ? 0 : grave.length - listed.length
  return [
    ...listed.map(finding => findingEntry(finding, linesText(finding))),
    ...(left > 0 ? [paragraph(`… and ${countText(left, 'more finding')}: --all lists them.`)] : []),
    ...(all ? [] : slightBlocks(sorted.slice(grave.length))),
    ...findings_other.map(({ rule, count }) =>
      paragraph(
        `${rule}: ${countText(count, 'more finding')}, of less weight, ${count === 1 ? 'is' : 'are'} not listed.`,
      ),
    ),
  ]
}

/** Findings of severity info, counted by rule: what the internet does to every address would bury the others. */
function slightBlocks(findings: readonly CaseFinding[]): Block[] {
  const counts = new Map<string, number>()
  for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  if (counts.size === 0) return []
  const each = [...counts].map(([rule, count]) => `${integerText(count)} of ${rule}`)
  return [paragraph(`Of severity info: ${each.join(', ')}. --all lists them.`)]
}

/** All that is said of a finding. @param lines where its evidence stands; left out where that is shown otherwise. */
export function findingEntry(finding: CaseFinding, lines: Text | null): Block {
  const { id, severity, confidence, rule, technique, first_start, last_end, scores, counter_hypotheses, would_change } =
    finding
  const grave = severity === 'high' ? alarm('HIGH') : severity
  return entry(id, strong(finding.title), [
    paragraph(
      line`${grave}, ${confidence} confidence; ${time(spanText(first_start, last_end))}; ${rule}${technique === null ? '' : `; if so, ATT&CK ${technique}`}`,
    ),
    paragraph(finding.summary),
    paragraph(
      `Measured: ${scores.map(({ name, value, threshold }) => `${name} ${integerText(value)} (${grouped(threshold)})`).join('; ')}.`,
    ),
    ...(lines === null ? [] : [paragraph(lines)]),
    paragraph(`Could also be: ${counter_hypotheses.join('; or ')}. It would be silent with: ${would_change}.`),
  ])
}

/** Digits of what is asked for in groups, as those of what was measured are. */
function grouped(threshold: string): string {
  return threshold.replace(/\d{5,}/g, digits => integerText(Number(digits)))
}

/** The first line that a finding rests on. */
function linesText({ basis: [first], basis_total }: CaseFinding): Text {
  const count = `Rests on ${countText(basis_total, 'record')}`
  if (first === undefined) return `${count}.`
  const where = `${first.path}:${first.line ?? first.packet}`
  return line`${count}${basis_total > 1 ? ', the first of them ' : ': '}${path(where)}${basis_total > 1 ? ' (--json has more, and the SQL)' : ''}.`
}

/** Each reason once, with all rules that it is one of. */
function reasonsOf(undecided: Detections['not_decidable']): string[] {
  const rules = new Map<string, string[]>()
  for (const { rule, reason } of undecided) rules.set(reason, [...(rules.get(reason) ?? []), rule])
  return [...rules].map(([reason, names]) => `${names.join(', ')}: ${reason}.`)
}

/** What no rule could decide, and why. */
export function undecidedItems({ not_decidable, rules_failed, coverage: { not_logged } }: Detections): Text[] {
  return limited(
    [
      ...rules_failed.map(
        ({ rule, path, problem }) => line`${alarm(rule)} of ${path} failed, and what it found is not used: ${problem}.`,
      ),
      ...reasonsOf(not_decidable),
      ...(not_logged.length === 0 ? [] : [`In no flow log: ${not_logged.join('; ')}.`]),
    ],
    100,
    left => `… and ${integerText(left)} more: --json has them.`,
  )
}
