/** What was missing in the evidence, what it would have told, and what to do about it. */
import { intervalOf } from '../conversations/intervals.ts'
import type { Dossier, Gap, OneSidedLog } from '../investigate/dossier.ts'
import { countText, integerText } from '../net/counts.ts'
import { durationWords, microsecondsOf, utcSeconds } from '../net/time.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { subjectRules } from '../rules/all.ts'
import type { Case } from '../store/case.ts'
import { centralCollection, guardDuty, resolverLogs } from './advice.ts'
import { protectedHosts } from './alarm-material.ts'
import type { AlarmRequest } from './alarm-request.ts'
import type { Missing, Recommended } from './control.ts'
import { flowLog, lackingFields, vpcOf } from './flow-log.ts'
import { type LogFormats, logFormats } from './log-formats.ts'
import { originsOf } from './origins.ts'
import { textOf } from './protected.ts'
import { type Unseen, unseenHosts } from './unseen.ts'

/** Controls that give what was missing, and what that was. */
export interface WhatWasMissing {
  recommended: Recommended[]
  missing: Missing[]
}

/** @param dossier of the subject: what it tells of gaps and of logs of one action is not worked out again. */
export async function whatWasMissing(
  c: Case,
  index: RecordIndex,
  request: AlarmRequest,
  dossier: Pick<Dossier, 'attack_surface' | 'not_listed' | 'one_sided_logs' | 'one_sided_total'>,
): Promise<WhatWasMissing> {
  const { traffic } = request
  const formats = logFormats(c)
  const interval = intervalOf(c.source, index.dictionaries.vantages) / 1e6
  const unseen = c.source === 'logs' ? await unseenHosts(index, traffic.isInternal) : null
  const hosts = new Set(protectedHosts(index, traffic).map(host => textOf(traffic, host)))
  const log = flowLog({
    ...{ format: formats.formats[0] ?? null, interval, oneSided: dossier.one_sided_total },
    ...{ unseen: unseen?.addresses.length ?? 0, vpc: await vpcOf(c) },
  })
  const central = centralCollection(await originsOf(c))
  const recommended = [
    log,
    guardDuty({ hosts, services: traffic.services, approvedPorts: request.approvedPorts }, subjectRules),
    resolverLogs(resolversOf(request)),
    central,
  ]
  return {
    recommended: recommended.flatMap(one => one ?? []),
    missing: [
      ...formatMissing(c, formats),
      ...intervalMissing(c, index),
      ...oneSidedMissing(dossier.one_sided_logs, dossier.one_sided_total),
      ...gapsMissing(dossier.attack_surface.gaps, dossier.not_listed.gaps),
      ...unseenMissing(unseen),
      ...captureMissing(c, request),
      ...(c.source === 'logs' ? [names] : []),
    ],
  }
}

const names: Missing = {
  what: 'The names that were asked of the Amazon resolver, and what the metadata service answered',
  why: 'No flow log has this traffic. Query logs of the Route 53 Resolver have the names; nothing in the network has the credentials.',
}

function formatMissing(c: Case, { formats, untold }: LogFormats): Missing[] {
  if (formats.length === 0)
    return c.source === 'packets'
      ? [
          {
            what: 'Flow logs',
            why: 'The evidence is packets of where they were captured: what did not pass there is not known, nor what a rule refused.',
          },
        ]
      : []
  const of = (records: number): string =>
    formats.length === 1 && untold === 0 ? '' : ` In ${countText(records, 'record')}.`
  const records = new Map<string, { what: string; why: string; records: number }>()
  for (const format of formats)
    for (const { fields, tells } of lackingFields(format.fields)) {
      const what = `${fields.length === 1 ? 'The field' : 'The fields'} ${fields.join(', ')}`
      const known = records.get(what)
      records.set(what, { what, why: `Would have told ${tells}.`, records: format.records + (known?.records ?? 0) })
    }
  return [...records.values()].map(one => ({ what: one.what, why: `${one.why}${of(one.records)}` }))
}

function intervalMissing(c: Case, index: RecordIndex): Missing[] {
  if (c.source !== 'logs') return []
  const { vantages } = index.dictionaries
  const long = vantages.filter(({ longest_us }) => longest_us > 60e6)
  if (long.length === 0) return []
  const most = long.reduce((max, { longest_us }) => Math.max(max, longest_us), 0)
  return [
    {
      what: 'Records of one minute',
      why: `Logs of interfaces with records of up to ${durationWords(most / 1e6)}: ${integerText(long.length)} of ${integerText(vantages.length)}. What happened within one record has no order, and short rhythms are not seen.`,
    },
  ]
}

const namedMax = 5

function oneSidedMissing(logs: readonly OneSidedLog[], total: number): Missing[] {
  if (total === 0) return []
  return (['REJECT', 'ACCEPT'] as const).flatMap(action => {
    const some = logs.filter(one => one.action === action)
    if (some.length === 0) return []
    const records = some.reduce((sum, one) => sum + one.records, 0)
    // Of those that are not listed, it is not told which action they have.
    const least = total > logs.length ? 'At least ' : ''
    const what = action === 'REJECT' ? 'What was let through' : 'What was refused'
    const why = `${least}${countText(some.length, 'flow log')} with ${countText(records, 'record')} ${some.length === 1 ? 'has' : 'have'} ${action} alone (${namesOf(some.map(({ log }) => log))}): their traffic type may be that, and the rest was never recorded.`
    return [{ what, why }]
  })
}

function namesOf(texts: readonly string[]): string {
  const left = texts.length - namedMax
  return left > 0 ? `${texts.slice(0, namedMax).join(', ')} and ${left} more` : texts.join(', ')
}

/** What each kind of gap means; others are told by their own words. */
const gapWords: Partial<Record<Gap['reason'], readonly [what: string, why: string]>> = {
  skipdata: [
    'Records that AWS dropped (SKIPDATA)',
    'each line can stand for several flows, and every count of that time is a floor',
  ],
  'time-gap': ['Time without any line of a log, not even NODATA', 'files are missing, or the interface did not exist'],
  'malformed-lines': ['Lines that could not be read', 'what they held is in no figure'],
  'unreadable-file': ['Files that could not be read', 'what they hold is in no figure'],
  'partly-read-file': ['Files that could be read in part only', 'what follows the damage is in no figure'],
  'dropped-packets': ['Packets that the capturing system dropped', 'every count there is a floor'],
  'undecoded-packets': ['Packets that could not be decoded', 'every count there is a floor'],
}

/** In the time of the incident. */
function gapsMissing(gaps: readonly Gap[], gapsLeft: number): Missing[] {
  const byReason = new Map<Gap['reason'], Gap[]>()
  for (const gap of gaps) byReason.set(gap.reason, [...(byReason.get(gap.reason) ?? []), gap])
  const found = [...byReason].flatMap(([reason, some]): Missing[] => {
    const words = gapWords[reason]
    // That of a log of rejected traffic alone is told by the log.
    if (words === undefined) return []
    const [what, why] = words
    const sensors = [...new Set(some.flatMap(({ sensor, path }) => sensor ?? path ?? []))]
    const times = some.flatMap(({ from }) => from ?? []).sort()
    const first = times.length === 0 ? '' : `, the first at ${times[0]}`
    return [
      {
        what,
        why: `${countText(some.length, 'gap')} in the time of the incident${first} (${namesOf(sensors)}): ${why}.`,
      },
    ]
  })
  return gapsLeft === 0
    ? found
    : [...found, { what: 'Further gaps', why: `${countText(gapsLeft, 'gap')} more in the time of the incident.` }]
}

function unseenMissing(unseen: Unseen | null): Missing[] {
  if (unseen === null || unseen.addresses.length === 0) return []
  const { addresses, networks } = unseen
  const apart =
    networks.length === 0
      ? ''
      : ` ${countText(networks.length, 'network')} of 256 addresses (of IPv6 /64) ${networks.length === 1 ? 'has' : 'have'} no log at all: ${namesOf(networks)}.`
  return [
    {
      what: 'Flow logs of internal hosts that the others spoke with',
      why: `${countText(addresses.length, 'internal address', 'internal addresses')} sent traffic that a log of another interface has, and no interface with a log is theirs: ${namesOf(addresses)}. What they did among themselves and outside is not known. They may be in another VPC, or not in AWS.${apart}`,
    },
  ]
}

/** The part of the incident that no capture has. */
function captureMissing(c: Case, { traffic: { incident } }: AlarmRequest): Missing[] {
  if (incident === null || c.source !== 'logs') return []
  const what = 'Packets'
  const spans = c.evidence
    .filter(({ capture, first_start, last_end }) => capture !== null && first_start !== null && last_end !== null)
    .map(file => ({ from: microsecondsOf(file.first_start!), to: microsecondsOf(file.last_end!) }))
    .sort((a, b) => a.from - b.from)
  const contents = 'flow logs tell neither names nor contents'
  if (spans.length === 0)
    return [{ what, why: `There is no capture: ${contents}. VPC traffic mirroring could have made one.` }]
  let [covered, at] = [0, incident.from_us]
  for (const { from, to } of spans) {
    const end = Math.min(to, incident.to_us)
    covered += Math.max(0, end - Math.max(at, from))
    at = Math.max(at, end)
  }
  const whole = incident.to_us - incident.from_us
  if (covered >= whole) return []
  const times = `${utcSeconds(incident.from_us)} to ${utcSeconds(incident.to_us)}`
  return [
    {
      what,
      why: `Captures cover ${durationWords(covered / 1e6)} of the ${durationWords(whole / 1e6)} of the incident (${times}), at most: for the rest ${contents}.`,
    },
  ]
}

/** How many other hosts than the Amazon resolver were asked for names. */
function resolversOf({ uses, traffic }: AlarmRequest): number {
  const asked = uses.filter(use => use.port === 53 && use.connections > 0 && traffic.isProtected(use.client))
  return new Set(asked.map(({ server }) => server)).size
}
