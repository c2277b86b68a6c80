/** Advice without code: what else would have told of an incident. */
import type { CaseRule } from '../rules/rule.ts'
import type { Recommended } from './control.ts'
import { type Incident, type RaisedType, raisedTypes } from './guard-duty.ts'

/** Where the evidence comes from. */
export interface Origins {
  accounts: readonly string[]
  regions: readonly string[]
}

const advice = { kind: 'advice', artefact: { what: 'advice' } } as const

/** Its findings for this incident, in words: `Behavior:EC2/NetworkPortUnusual (if …) for F3`. */
export function typeText({ type, findings, only }: RaisedType): string {
  return `${type}${only === null ? '' : ` (${only})`} for ${findings.join(' and ')}`
}

export function guardDuty(incident: Incident, rules: readonly CaseRule[]): Recommended {
  const types = raisedTypes(incident, rules)
  const told = new Set(types.flatMap(({ findings }) => findings))
  const findings = incident.services.flatMap(service => service.findings.map(({ id }) => id))
  const silent = [...new Set(findings)].filter(id => !told.has(id))
  return {
    ...advice,
    title: 'Amazon GuardDuty in every account and region',
    answers: types.flatMap(one => one.findings).filter((id, at, all) => all.indexOf(id) === at),
    why: [
      'It reads flow logs of its own, whether or not you keep any, and compares with what an instance did before.',
      types.length === 0
        ? 'None of its finding types fits what was found here.'
        : `Of this incident it would raise ${types.map(typeText).join('; ')}.`,
      ...(silent.length === 0 ? [] : [`No type of it is for ${silent.join(', ')}.`]),
    ].join(' '),
    cost: 'Paid by the volume of flow logs, DNS queries and events that it reads; the first 30 days are free. It keeps no flows to look into.',
    confirm: ['Whether it was on: its findings of that time, kept for 90 days, may tell more than these logs.'],
  }
}

export function resolverLogs(resolvers: number): Recommended {
  return {
    ...advice,
    title: 'Query logs of the Route 53 Resolver for every VPC',
    answers: [],
    why: `Flow logs have no query to the Amazon resolver, so the names that the hosts asked it for are in no evidence here.${resolvers === 0 ? ' No record shows a query to another one.' : ` The records show that they asked ${resolvers} other ${resolvers === 1 ? 'resolver' : 'resolvers'}, which its logs would not have.`}`,
    cost: 'Paid by the gigabyte, in CloudWatch Logs, S3 or Firehose; one configuration for each VPC.',
    confirm: ['Who may read them: the names that hosts ask for tell what people do.'],
  }
}

/** Null where all evidence is of one account and one region. */
export function centralCollection({ accounts, regions }: Origins): Recommended | null {
  if (accounts.length === 1 && regions.length === 1) return null
  const isUnknown = accounts.length === 0 || regions.length === 0
  const counts = `${accounts.length} ${accounts.length === 1 ? 'account' : 'accounts'} and ${regions.length} ${regions.length === 1 ? 'region' : 'regions'}`
  return {
    ...advice,
    title: 'All flow logs in one bucket of an account that the attacked ones cannot write to',
    answers: [],
    why: isUnknown
      ? 'Neither the names of the files nor their records tell the account and region: whether this is all that there is cannot be known.'
      : `The evidence is of ${counts} (${[...accounts, ...regions].slice(0, 12).join(', ')}): an attack that goes from one to another is whole only where all are together.`,
    cost: 'A bucket with a policy for the delivery of logs, and its storage; with Object Lock nobody can delete them before their time.',
    confirm: ['Which other accounts and regions of the organisation have VPCs, and whether these write flow logs.'],
  }
}
