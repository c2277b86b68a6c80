/** What a document must say of the artefacts, worked out from them alone. */

import type { CodeFormat } from '../../src/as-code/artefact.ts'
import type { CodeItem } from '../../src/as-code/code.ts'
import type { AclEntry, GroupRule, Traffic } from '../../src/network-rules/network.ts'
import { visible } from '../../src/visible.ts'

/** What was read of a document, or must be read: one line for each rule, entry, alarm, rate rule and flow log, sorted. */
export type Statements = string[]

/** Fields of one statement, in any order: what is null or undefined is left out. */
export function statement(fields: Record<string, unknown>): string {
  const told = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return JSON.stringify(Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1))))
}

export function sorted(statements: Iterable<string>): Statements {
  return [...statements].sort()
}

/** Texts that AWS takes in groups and their rules: read off the API reference. */
const allowedInGroups = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. _-:/()#,@[]+=&;{}!$*')

function inGroups(text: string): string {
  const taken = [...text].map(character => (allowedInGroups.has(character) ? character : '_')).join('')
  const trimmed = taken.trim()
  return trimmed.length > 255 ? `${trimmed.slice(0, 252)}...` : trimmed
}

export function expectedOf(items: readonly CodeItem[], format: CodeFormat): Statements {
  const groups = new Map(
    items.flatMap(({ id, artefact }) =>
      artefact.what === 'security-group' && artefact.group.id !== ''
        ? [[artefact.group.id, id.toLowerCase()] as const]
        : [],
    ),
  )
  const statements = items.flatMap(item => statementsOf(item, groups))
  return sorted(format === 'cloudformation' ? statements.map(inTemplate) : statements)
}

/** CloudFormation would put a secret in the place of the one, and its linter takes the other for a mistake. */
function inTemplate(text: string): string {
  return text.replaceAll('{{resolve:', '{ {resolve:').replace(/\$\{([A-Z])/g, '$ {$1')
}

function statementsOf({ id, artefact }: CodeItem, groups: ReadonlyMap<string, string>): string[] {
  const of = id.toLowerCase()
  switch (artefact.what) {
    case 'security-group': {
      const rules = artefact.group[artefact.direction].map(rule => groupRule(of, artefact.direction, rule, groups))
      return [statement({ of, what: 'group' }), ...withoutTwins(rules)]
    }
    case 'network-acl':
      return [
        statement({ of, what: 'acl' }),
        ...artefact.ingress.map(entry => aclEntry(of, false, entry)),
        ...artefact.egress.map(entry => aclEntry(of, true, entry)),
      ]
    case 'metric-alarm': {
      const { comparison, threshold, period, periods, missing, statistic, pattern } = artefact
      const metric =
        pattern !== null
          ? 'Tidemark'
          : artefact.unit === 'Bytes'
            ? 'AWS/Logs IncomingBytes'
            : 'AWS/Logs IncomingLogEvents'
      const fields = {
        comparison,
        threshold: Number(threshold.toPrecision(12)),
        period,
        periods,
        missing,
        statistic,
        metric,
      }
      const watched = statement({ of, what: 'alarm', ...fields })
      if (pattern === null) return [watched]
      return [
        watched,
        statement({ of, what: 'filter', pattern: visible(pattern), value: artefact.value, unit: artefact.unit }),
      ]
    }
    case 'rate-rule':
      return [statement({ of, what: 'rate', limit: artefact.limit, window: artefact.window })]
    case 'flow-log': {
      const format = artefact.fields.map(field => `\${${field}}`).join(' ')
      return [statement({ of, what: 'flow-log', format, interval: artefact.interval, type: artefact.resourceType })]
    }
    case 'advice':
      return []
  }
}

interface Rule {
  /** What makes two rules the same for AWS: all but the description. */
  key: string
  text: string
}

function withoutTwins(rules: Rule[]): string[] {
  const seen = new Map<string, string>()
  for (const { key, text } of rules) if (!seen.has(key)) seen.set(key, text)
  return [...seen.values()]
}

function groupRule(of: string, direction: string, rule: GroupRule, groups: ReadonlyMap<string, string>): Rule {
  const { remote } = rule
  const to =
    remote.kind === 'prefix'
      ? cidr(remote.prefix.text)
      : remote.kind === 'group'
        ? idOr(remote.group, /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/, groups)
        : idOr(remote.list, /^pl-([0-9a-f]{8}|[0-9a-f]{17})$/, new Map())
  const range = rangeOf(rule)
  const fields = { of, what: 'rule', direction, protocol: rule.protocol ?? -1, ...range, to }
  // Two ids that the evidence does not tell are two variables.
  const key = JSON.stringify([fields, remote.kind === 'prefix' ? null : remote])
  return { key, text: statement({ ...fields, description: inGroups(rule.description) }) }
}

function idOr(id: string, form: RegExp, made: ReadonlyMap<string, string>): string {
  if (made.has(id)) return `made ${made.get(id)}`
  return form.test(id) ? id : 'variable'
}

function aclEntry(of: string, egress: boolean, entry: AclEntry): string {
  const fields = { number: entry.number, action: entry.action, protocol: entry.protocol ?? -1 }
  return statement({ of, what: 'entry', egress, ...fields, ...rangeOf(entry), to: cidr(entry.prefix.text) })
}

function rangeOf({ protocol, ports, icmp }: Traffic): { from?: number; upTo?: number } {
  if (protocol === 1 || protocol === 58) return { from: icmp?.type ?? -1, upTo: icmp?.code ?? -1 }
  if (protocol === 6 || protocol === 17) return { from: ports?.from ?? 0, upTo: ports?.to ?? 65_535 }
  return {}
}

function cidr(text: string): string {
  if (text.includes('/')) return text
  return text.includes(':') ? `${text}/128` : `${text}/32`
}

/** As rules of groups name protocols. */
export function protocolNumber(name: unknown): number {
  const names: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }
  return names[String(name)] ?? Number(name)
}
