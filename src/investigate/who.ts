/** Who the subject and its peers are, by the analyst's own files. */
import type { Enrichment } from '../enrich/enrichment.ts'
import type { ListMatch } from '../enrich/list-entries.ts'
import { utcSeconds } from '../net/time.ts'
import type { FilesSay, ListedEntry, SaidOfAddress } from './dossier.ts'
import { hostText, type ToldServices } from './services.ts'

/** Addresses that are told one by one. */
export const addressesMax = 1000

interface Host {
  number: number
  isSubject: boolean
  records: number
  first_us: number
  last_us: number
}

/**
 * What the files say of the subject's addresses and of its peers: first those on a list, then those with most records. Lists count by the time
 * of the traffic with that peer; of the subject by that of all its traffic.
 */
export function whoIsWho(
  e: Enrichment,
  told: ToldServices,
  isSubject: (host: number) => boolean,
): { addresses: SaidOfAddress[]; left: number } {
  if (e.files.length === 0) return { addresses: [], left: 0 }
  const said = hostsOf(told, isSubject)
    .map(host => ({ host, said: saidOf(e, told, host) }))
    .filter(({ host, said: one }) => host.isSubject || saysAnything(one))
  said.sort(
    (a, b) =>
      Number(b.host.isSubject) - Number(a.host.isSubject) ||
      b.said.lists.length - a.said.lists.length ||
      b.host.records - a.host.records ||
      a.host.number - b.host.number,
  )
  return {
    addresses: said.slice(0, addressesMax).map(({ said: one }) => one),
    left: Math.max(0, said.length - addressesMax),
  }
}

function hostsOf({ services }: ToldServices, isSubject: (host: number) => boolean): Host[] {
  const hosts = new Map<number, Host>()
  for (let service = 0; service < services.count; service++) {
    for (const number of [services.server[service]!, services.client[service]!]) {
      let host = hosts.get(number)
      if (host === undefined) {
        const none = { first_us: Number.POSITIVE_INFINITY, last_us: Number.NEGATIVE_INFINITY }
        host = { number, isSubject: isSubject(number), records: 0, ...none }
        hosts.set(number, host)
      }
      host.records += services.records[service]!
      host.first_us = Math.min(host.first_us, services.first_us[service]!)
      host.last_us = Math.max(host.last_us, services.last_us[service]!)
    }
  }
  return [...hosts.values()]
}

function saidOf(e: Enrichment, told: ToldServices, { number, isSubject, first_us, last_us }: Host): SaidOfAddress {
  const said = filesSay(e, told.hosts.hi[number]!, told.hosts.lo[number]!, first_us, last_us)
  return { address: hostText(told, number), is: isSubject ? 'subject' : 'peer', ...said }
}

/** What files say of an address: of lists those entries that were valid in a time, microseconds; it begins after its end where it is not known. */
export function filesSay(e: Enrichment, hi: bigint, lo: bigint, first_us: number, last_us: number): FilesSay {
  const system = e.asn(hi, lo)
  const service = e.awsService(hi, lo)
  const isTimed = first_us <= last_us
  return {
    country: e.country(hi, lo),
    asn: system?.number ?? null,
    as_org: system?.org ?? null,
    aws_service: service?.service ?? null,
    aws_region: service?.region ?? null,
    network: e.network(hi, lo)?.name ?? null,
    first_start: isTimed ? utcSeconds(first_us) : null,
    last_end: isTimed ? utcSeconds(last_us) : null,
    // Without a time it is not known whether an entry was valid then.
    lists: isTimed ? e.listsOf(hi, lo, first_us, last_us).map(entryOf) : [],
  }
}

function entryOf({ valid_from_us, valid_until_us, dated_us, ...entry }: ListMatch): ListedEntry {
  const text = (us: number | null): string | null => (us === null ? null : utcSeconds(us))
  return { ...entry, valid_from: text(valid_from_us), valid_until: text(valid_until_us), dated: text(dated_us) }
}

function saysAnything({ country, asn, aws_service, network, lists }: SaidOfAddress): boolean {
  return country !== null || asn !== null || aws_service !== null || network !== null || lists.length > 0
}
