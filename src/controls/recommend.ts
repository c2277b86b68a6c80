/** All controls for a situation, in the order in which they are told. */

import type { Asked } from '../detect/ask-kept.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { parsePrefix } from '../net/prefix.ts'
import type { AlarmTrial } from './alarm-trial.ts'
import { alarmsFor } from './alarms.ts'
import type { Missing, Recommended } from './control.ts'
import type { ProtectedTraffic } from './protected.ts'
import { recommendAcl } from './recommend-acl.ts'
import { recommendEgress } from './recommend-egress.ts'
import { recommendIngress } from './recommend-ingress.ts'
import { recommendRate } from './recommend-rate.ts'
import type { Traffic } from './traffic.ts'
import { addressOf } from './trial.ts'
import { usesOf } from './uses.ts'

export interface RecommendOptions {
  share: number
  approvedPorts: readonly number[]
}

export interface AllRecommended {
  recommended: RecommendedControl[]
  missing: Missing[]
  not_decidable: string[]
}

/** Alarms are tried on records, by who recommends them. */
export interface RecommendedControl extends Recommended {
  fired: AlarmTrial | null
}

export async function recommend(
  asked: Asked,
  traffic: Traffic,
  read: ProtectedTraffic,
  dossier: Dossier,
  { share, approvedPorts }: RecommendOptions,
): Promise<AllRecommended> {
  const uses = usesOf(read)
  const rules = [
    ...recommendIngress(read, uses),
    ...recommendEgress(read, uses, { share }),
    ...recommendAcl(read, uses, { share }),
    ...recommendRate(read),
  ].map((one): RecommendedControl => ({ ...one, fired: null }))
  return {
    recommended: [...rules, ...(await alarms(asked, traffic, read, dossier, approvedPorts))],
    missing: [],
    not_decidable: [],
  }
}

async function alarms(
  asked: Asked,
  traffic: Traffic,
  { incident }: ProtectedTraffic,
  { subject, services }: Dossier,
  approvedPorts: readonly number[],
): Promise<RecommendedControl[]> {
  // Without a time nothing can go off.
  if (incident === null) return []
  const hosts = [...traffic.protected.keys()].filter(host => traffic.protected[host] === 1)
  const found = await alarmsFor(asked, {
    hosts: hosts.map(host => parsePrefix(addressOf(traffic, host))!),
    subject: subject.map(text => parsePrefix(text)!),
    ...{ incident, approvedPorts },
    services: services.flatMap((one, i) => (one.findings.length === 0 ? [] : [{ ...one, id: `S${i + 1}` }])),
  })
  return found.map(({ recommended, trial }) => ({ ...recommended, fired: trial }))
}
