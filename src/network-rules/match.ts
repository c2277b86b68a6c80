/** Whether a rule fits packets: yes, no, or why that is not known. */
import type { Address } from '../net/address.ts'
import { isIcmp } from '../net/icmp.ts'
import type { Prefix } from '../net/prefix.ts'
import { TCP, UDP } from '../net/protocols.ts'
import type { Reason } from './decision.ts'
import type { AclEntry, GroupRule, PrefixList, Remote, Traffic } from './network.ts'
import { holds, isIPv4Prefix, type Place } from './places.ts'

export type Fit = 'yes' | 'no' | Reason

/** The end that a rule's traffic goes to, or comes from, as it is seen where the rule is. */
export interface Far {
  place: Place
  /** Its address is another there: the one that stands for it outside, which is not known. */
  isTranslated: boolean
}

/** Packets in one direction. */
export interface Packets {
  /** Null: not known. */
  protocol: number | null
  icmp: { type: number; code: number | null } | null
}

/** A rule that may fit packets, if they go to one of its ports. */
export interface Candidate<R extends Traffic> {
  rule: R
  fit: Exclude<Fit, 'no'>
}

const both = (a: Fit, b: Fit): Fit => (a === 'no' || b === 'no' ? 'no' : a === 'yes' ? b : a)

/** The rules that may fit, in their order. */
export function candidatesOf<R extends GroupRule | AclEntry>(
  rules: readonly R[],
  packets: Packets,
  far: Far,
  lists: ReadonlyMap<string, PrefixList>,
): Candidate<R>[] {
  return rules.flatMap(rule => {
    const traffic = both(protocolFits(rule, packets.protocol), icmpFits(rule, packets))
    if (traffic === 'no') return []
    const fit = both(traffic, 'remote' in rule ? remoteFits(rule.remote, far, lists) : prefixFits(rule.prefix, far))
    return fit === 'no' ? [] : [{ rule, fit }]
  })
}

/** @param port null: not known. */
export function fitAt({ rule, fit }: Candidate<Traffic>, port: number | null): Fit {
  const ports = portsOf(rule)
  if (ports === null || (ports.from <= 0 && ports.to >= 65_535)) return fit
  if (port === null) return both(fit, 'unknown-port')
  return ports.from <= port && port <= ports.to ? fit : 'no'
}

/** AWS lets rules of any protocol but TCP and UDP hold for all ports, whatever ports they name. */
export function portsOf({ protocol, ports }: Traffic): Traffic['ports'] {
  return protocol === TCP || protocol === UDP ? ports : null
}

function protocolFits({ protocol }: Traffic, seen: number | null): Fit {
  if (protocol === null || protocol === seen) return 'yes'
  return seen === null ? 'unknown-protocol' : 'no'
}

function icmpFits({ protocol, icmp }: Traffic, seen: Packets): Fit {
  if (icmp === null || protocol === null || !isIcmp(protocol) || icmp.type === null) return 'yes'
  if (seen.icmp === null) return 'unknown-icmp-type'
  if (icmp.type !== seen.icmp.type) return 'no'
  if (icmp.code === null || icmp.code === seen.icmp.code) return 'yes'
  return seen.icmp.code === null ? 'unknown-icmp-type' : 'no'
}

function remoteFits(remote: Remote, far: Far, lists: ReadonlyMap<string, PrefixList>): Fit {
  if (remote.kind === 'prefix') return prefixFits(remote.prefix, far)
  if (remote.kind === 'group') return memberFits(remote.group, far)
  const prefixes = lists.get(remote.list)?.prefixes ?? null
  if (prefixes === null) return 'prefix-list'
  const fits = prefixes.map(prefix => prefixFits(prefix, far))
  return fits.find(fit => fit === 'yes') ?? fits.find(fit => fit !== 'no') ?? 'no'
}

function prefixFits(prefix: Prefix, { place, isTranslated }: Far): Fit {
  if (isIPv4Prefix(prefix) !== place.isIPv4) return 'no'
  if (isTranslated) return holdsAll(prefix) ? 'yes' : 'translated'
  return holds(prefix, place.address) ? 'yes' : 'no'
}

/** A group as a source stands for the private addresses of the interfaces that have it (Amazon VPC User Guide, "Security group referencing"). */
function memberFits(group: string, { place, isTranslated }: Far): Fit {
  if (isTranslated || place.isPublicName || place.kind === 'outside') return 'no'
  if (place.isAmbiguous) return 'ambiguous-address'
  if (place.interface === null || place.interface.groups === null) return 'group-members'
  return place.interface.groups.includes(group) ? 'yes' : 'no'
}

function holdsAll({ first, last }: Prefix): boolean {
  return same(first, 0n, 0n)
    ? same(last, 0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn)
    : same(first, 0n, 0xffff_0000_0000n) && same(last, 0n, 0xffff_ffff_ffffn)
}

function same(address: Address, hi: bigint, lo: bigint): boolean {
  return address.hi === hi && address.lo === lo
}
