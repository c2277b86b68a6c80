/**
 * Sigma rules, a YAML document each: for every finding one of the hosts that it names and, where Sigma can say it, one of what they did.
 *
 * Source: the Sigma specification 2.1, rules and correlations, https://sigmahq.io/sigma-specification. Field names are those of Sigma's taxonomy
 * for the category `firewall`.
 */
import { microsecondsOf } from '../net/time.ts'
import type { Severity } from '../rules/finding.ts'
import { sidesOf } from './finding-hosts.ts'
import type { ExportContext, ExportedFinding, Printer } from './items.ts'
import { ownNamespace, uuidOf } from './uuid.ts'
import { yamlDocument } from './yaml.ts'

/** Addresses of one list of a rule: of more the rule names none, and says so. */
const addressesMost = 500

const levels: Record<Severity, string> = { info: 'informational', low: 'low', medium: 'medium', high: 'high' }

const logsource = {
  ...{ category: 'firewall', product: 'aws', service: 'vpcflow' },
  definition:
    'VPC flow logs with the names of the firewall taxonomy: src_ip = srcaddr, src_port = srcport, dst_ip = dstaddr, dst_port = dstport; action and protocol are as the log writes them. An event is a flow record: one direction of a conversation in one interval.',
}

/** What of a rule Sigma cannot say: by the rule's number. */
const beyond: Readonly<Record<string, string>> = {
  D03: 'Sigma has no measure of how regular times are',
  D04: 'Sigma has no sum: a threshold of bytes over several records cannot be said',
  D05: 'Sigma has no order of sessions that fit into each other',
  D06: 'the list of addresses is not part of a rule',
  D07: 'Sigma can count a rejected record and an accepted one, not that the second came of the first',
  D08: 'Sigma has no difference of times: the length of a session over several records cannot be said',
  D09: 'which service speaks behind a port is not in a flow record',
  D10: 'Sigma has no memory of who was seen before',
  D11: 'Sigma has no sum: a threshold of bytes over several records cannot be said',
  D12: 'Sigma does not know who began a session, and has no sum',
  D14: 'Sigma has no sum: a threshold of bytes over several records cannot be said',
  D15: 'Sigma has no sum: rates of bytes and packets over several records cannot be said',
  D16: 'Sigma has no sum, and no length of a session',
}

/** What is counted of a behaviour, by rule. */
interface Counted {
  type: 'event_count' | 'value_count'
  by: readonly string[]
  field?: string
}

const countedOf: Readonly<Record<string, Counted>> = {
  'D01-scan': { type: 'value_count', by: ['src_ip'], field: 'dst_ip' },
  'D02-brute-force': { type: 'event_count', by: ['src_ip', 'dst_ip'] },
  'D02-spray': { type: 'value_count', by: ['src_ip'], field: 'dst_ip' },
  'D05-admin-fan-out': { type: 'value_count', by: ['src_ip'], field: 'dst_ip' },
  'D13-failed-callbacks': { type: 'event_count', by: ['src_ip', 'dst_ip'] },
  'D15-flood': { type: 'event_count', by: ['dst_ip'] },
}

export function sigmaPrinter(context: ExportContext): Printer {
  return {
    begin: () =>
      `# Sigma rules made by Tidemark ${context.version} of what it found. They are drafts: try them on your own logs before they raise an alarm.\n`,
    finding: finding => {
      const rules = [...rulesOf(finding, context)]
      return rules.length === 0
        ? { left: 'too many hosts on either side, or none: a rule of Sigma would match everything' }
        : rules.map(yamlDocument).join('')
    },
  }
}

function* rulesOf(finding: ExportedFinding, context: ExportContext): Generator<object> {
  yield* hostsRule(finding, context)
  const counted = countedOf[finding.rule]
  if (counted === undefined || finding.port === null) return
  const isScan = counted.field === 'dst_ip' && finding.peers_total === 1
  yield* countRules(finding, isScan ? { ...counted, field: 'dst_port', by: ['src_ip', 'dst_ip'] } : counted, context)
}

function commonOf(finding: ExportedFinding, context: ExportContext, what: string): Record<string, unknown> {
  const { id, rule, technique, tactic } = finding
  const [date] = (finding.last_end ?? finding.first_start ?? '').split('T')
  return {
    ...{ id: uuidOf(ownNamespace, `sigma ${context.key} ${id} ${rule} ${what}`) },
    status: finding.verdict === 'confirmed' ? 'test' : 'experimental',
    author: 'Tidemark',
    ...(date !== '' && { date }),
    ...(technique !== null && {
      references: [`https://attack.mitre.org/techniques/${technique.replace('.', '/')}`],
    }),
    tags: [
      ...(tactic === null ? [] : [`attack.${tactic}`]),
      ...(technique === null ? [] : [`attack.${technique.toLowerCase()}`]),
    ],
  }
}

/** The hosts of a finding, each way; nothing where neither side is named: a port alone is in everybody's traffic. */
function* hostsRule(finding: ExportedFinding, context: ExportContext): Generator<object> {
  const { id, port, title, summary, counter_hypotheses, severity } = finding
  const { from, to, fromTotal, toTotal } = sidesOf(finding)
  const there = { ...side('src_ip', from, fromTotal), ...side('dst_ip', to, toTotal) }
  const back = { ...side('dst_ip', from, fromTotal), ...side('src_ip', to, toTotal) }
  if (Object.keys(there).length === 0) return
  const description = [
    summary,
    `Finds the hosts of this finding again, either way, and not what they did. Figures of the summary are of the recorded flows.`,
    ...finding.comments.map(one => `Note of the analyst: ${one}`),
    ...cannotSay(finding),
    ...(fromTotal > addressesMost || toTotal > addressesMost
      ? [`Left out, for their number: hosts beyond ${addressesMost} on one side (${fromTotal} to ${toTotal}).`]
      : []),
  ].join('\n')
  yield {
    title: `${title} (${id}, hosts)`.slice(0, titleMost),
    ...commonOf(finding, context, 'hosts'),
    ...{ description, logsource },
    detection: {
      there: { ...there, ...(port !== null && { dst_port: port }) },
      back: { ...back, ...(port !== null && { src_port: port }) },
      condition: 'there or back',
    },
    falsepositives: counter_hypotheses.length === 0 ? ['Unknown'] : counter_hypotheses,
    level: levels[severity],
  }
}

const titleMost = 250

function side(name: string, hosts: readonly string[], total: number): Record<string, readonly string[]> {
  if (hosts.length === 0 || total > addressesMost || hosts.length < total) return {}
  return { [name]: hosts }
}

function cannotSay({ rule }: ExportedFinding): string[] {
  const why = beyond[rule.slice(0, 3)]
  return why === undefined ? [] : [`Not in this rule: ${why}.`]
}

/** Five minutes, in which half as much as in the finding is counted. */
const windowMinutes = 5

/** What is counted, and the correlation that counts it. */
function* countRules(finding: ExportedFinding, counted: Counted, context: ExportContext): Generator<object> {
  const { id, title, summary, port, protocol, severity, counter_hypotheses } = finding
  const selection = { ...(counted.field !== 'dst_port' && { dst_port: port }), ...(protocol !== null && { protocol }) }
  // Without a part it would be every record there is.
  if (Object.keys(selection).length === 0) return
  const base = commonOf(finding, context, 'records')
  const least = leastOf(finding, counted)
  yield {
    title: `${title} (${id}, records)`.slice(0, titleMost),
    ...base,
    name: String(base['id']),
    description: 'Records that the correlation after it counts: of no meaning alone.',
    logsource,
    detection: {
      selection,
      condition: 'selection',
    },
    level: 'informational',
  }
  const what = counted.field === undefined ? 'records' : `different ${counted.field}`
  yield {
    title: `${title} (${id}, counted)`.slice(0, titleMost),
    ...commonOf(finding, context, 'counted'),
    description: [
      summary,
      `Counts ${what} of any host: ${least} in ${windowMinutes} minutes are half of what this finding has on the average; set it by your own baseline.`,
      'A flow record is one direction in one interval: a long session counts once an interval.',
      ...cannotSay(finding),
    ].join('\n'),
    correlation: {
      type: counted.type,
      rules: [String(base['id'])],
      'group-by': counted.by,
      timespan: `${windowMinutes}m`,
      condition: { ...(counted.field !== undefined && { field: counted.field }), gte: least },
    },
    falsepositives: counter_hypotheses.length === 0 ? ['Unknown'] : counter_hypotheses,
    level: levels[severity],
  }
}

function leastOf(finding: ExportedFinding, { type }: Counted): number {
  const { first_start, last_end, connections, basis_total, peers_total } = finding
  const minutes =
    first_start === null || last_end === null
      ? windowMinutes
      : Math.max(windowMinutes, (microsecondsOf(last_end) - microsecondsOf(first_start)) / 60e6)
  const count = type === 'value_count' && peers_total > 1 ? peers_total : (connections ?? basis_total)
  return Math.max(5, Math.floor((count * windowMinutes) / minutes / 2))
}
