/** D06: hosts outside that an address list of the analyst names, at the time when it names them. */
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence, ListEntry } from './evidence.ts'
import { type Severity, severities } from './finding.ts'
import { type CaseDraft, type CaseRule, decided, distinct, less, namesText, sureness } from './rule.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  bytesMin: [1000, 'bytes of answered connections, both ways: fewer are a look at what is there'],
  oldDays: [30, 'age of the list at the time of the connection, from which on a finding is one level lower'],
  publicPorts: [[80, 443], 'public pages, which everybody may ask for: low severity'],
})
type Limits = typeof thresholds

export const listed: CaseRule<Limits> = {
  name: 'D06-address-list',
  title: 'a host outside that one of your address lists names',
  needs: { lists: 'must', answers: 'better', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1071', 'T1090.003', 'T1595'),
  guardDuty: [
    'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom',
    'UnauthorizedAccess:EC2/TorClient',
    'UnauthorizedAccess:EC2/TorIPCaller',
    'Trojan:EC2/BlackholeTraffic',
  ],
  scope: 'case',
  selects: (evidence, service) => listedIn(evidence, service) !== null,
  find,
}

/** The listed end of a service, and whether the other end is the one that speaks to it. */
interface Listing {
  host: number
  isOutbound: boolean
}

function listedIn({ connections, isInternal, lists }: CaseEvidence, { from }: Run): Listing | null {
  if (lists === null) return null
  const [client, server] = [connections.client[from]!, connections.server[from]!]
  if (lists.named[server] === 1 && (isInternal(client) || lists.named[client] === 0))
    return { host: server, isOutbound: true }
  return lists.named[client] === 1 ? { host: client, isOutbound: false } : null
}

/** Connections with a listed host, and the entries that name it when they took place. */
interface Contact extends Listing {
  some: number[]
  entries: Map<string, ListEntry>
  /** The least age of a list at a connection, microseconds; null: none says when it was made. */
  age_us: number | null
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, lists } = evidence
  const { client, start_us, end_us } = connections
  /** Outbound by both ends; inbound by the listed host, which may try all internal ones. */
  const contacts = new Map<string, Contact>()
  for (const run of clientsOf(connections)) {
    for (const service of servicesIn(connections, run)) {
      const listing = listedIn(evidence, service)
      if (lists === null || listing === null) continue
      const key = listing.isOutbound ? `${client[service.from]} ${listing.host}` : `${listing.host}`
      for (let i = service.from; i < service.to; i++) {
        if ((connections.marks[i]! & mark.isError) !== 0) continue
        const entries = lists.of(listing.host, start_us[i]!, end_us[i]!)
        if (entries.length === 0) continue
        const contact: Contact = contacts.get(key) ?? { ...listing, some: [], entries: new Map(), age_us: null }
        contacts.set(key, contact)
        contact.some.push(i)
        for (const entry of entries) note(contact, entry, start_us[i]!)
      }
    }
  }
  return [...contacts.values()].map(contact => draft(evidence, contact, limits))
}

function note(contact: Contact, entry: ListEntry, at_us: number): void {
  contact.entries.set(`${entry.path}\n${entry.line}\n${entry.entry}`, entry)
  if (entry.dated_us !== null)
    contact.age_us = Math.min(contact.age_us ?? Number.POSITIVE_INFINITY, at_us - entry.dated_us)
}

function draft(evidence: CaseEvidence, contact: Contact, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const { host, isOutbound, some, age_us } = contact
  const entries = [...contact.entries.values()]
  const ends = isOutbound ? connections.client : connections.server
  const ours = distinct(some.map(i => ends[i]!))
  const answered = some.filter(i => connections.outcome[i] === outcome.answered)
  const bytes = bytesOf(evidence, answered)
  const names = [...new Set(entries.map(({ list }) => list))]
  const isTor = entries.some(entry => isWord(entry, /(^|[^a-z])tor([^a-z]|$)/i))
  const days = age_us === null ? null : Math.floor(age_us / 86_400e6)
  const what = isTor ? 'the Tor network' : 'a listed host'
  const title = isOutbound
    ? `${address(ours[0]!)} speaks to ${what}: ${address(host)}`
    : `${address(host)}, ${isTor ? 'of the Tor network' : 'a listed host'}, speaks to ${ours.length === 1 ? address(ours[0]!) : `${number(ours.length)} hosts`}`
  const best = sureness('high', evidence, some)
  return {
    title,
    severity: severityOf(evidence, contact, entries, limits),
    confidence: age_us === null ? less(best) : best,
    ...techniqueOf(isOutbound, isTor),
    summary: `${address(host)} is on ${namesText(names)} (${entriesText(entries)})${days === null ? ', which does not say when it was made' : `, ${number(days)} ${days === 1 ? 'day' : 'days'} old then`}. ${number(some.length)} ${some.length === 1 ? 'connection' : 'connections'} with ${namesText(ours.map(address))}, ${number(answered.length)} of them answered, with ${number(bytes)} bytes.`,
    scores: [
      { name: 'bytes of answered connections', value: bytes, threshold: `>= ${limits.bytesMin}` },
      ...(days === null
        ? []
        : [{ name: 'age of the list in days', value: days, threshold: `<= ${limits.oldDays}, else one level lower` }]),
    ],
    would_change: 'an entry that was not valid at that time, or an older list; connections without an answer',
    counter_hypotheses: [
      'an address of a host for many, a CDN or a cloud: others share it, or had it before',
      'a sinkhole: then a program of yours asked for a name that was taken from its owner',
      ...(isOutbound ? [] : ['a scanner that tries the whole internet']),
      ...(age_us === null ? ['an entry that was out of date: the list does not say when it was made'] : []),
    ],
    ...(isOutbound ? { subject: ours, peers: [host] } : { subject: [host], peers: ours }),
    connections: some,
  }
}

function bytesOf({ connections }: CaseEvidence, some: readonly number[]): number {
  return some.reduce((sum, i) => sum + connections.bytesUp[i]! + connections.bytesDown[i]!, 0)
}

const isWord = ({ list, note: words }: ListEntry, pattern: RegExp): boolean =>
  pattern.test(list) || (words !== null && pattern.test(words))

function entriesText(entries: readonly ListEntry[]): string {
  return namesText(
    entries.map(({ path, line, entry }) => (line === null ? `${entry} in ${path}` : `${path}:${line}, ${entry}`)),
  )
}

function severityOf(
  evidence: CaseEvidence,
  { isOutbound, some, age_us }: Contact,
  entries: readonly ListEntry[],
  limits: Limits,
): Severity {
  const { connections, isScanner } = evidence
  if (isOutbound && isScanner(connections.client[some[0]!]!)) return 'info'
  const answered = some.filter(i => connections.outcome[i] === outcome.answered)
  const isPublic = (i: number): boolean => !isOutbound && limits.publicPorts.includes(connections.port[i]!)
  const bytes = bytesOf(
    evidence,
    answered.filter(i => !isPublic(i)),
  )
  const plain = bytes >= limits.bytesMin ? 'high' : isOutbound ? 'medium' : answered.length > 0 ? 'low' : 'info'
  const isOld = age_us !== null && age_us > limits.oldDays * 86_400e6
  const level = severities.indexOf(plain) - (isOld ? 1 : 0) - (isOtherEnd(isOutbound, entries) ? 1 : 0)
  return severities[Math.max(0, level)]!
}

/** A client of Tor speaks to guards, and exits speak to servers: an entry that says the other is a weaker sign. */
function isOtherEnd(isOutbound: boolean, entries: readonly ListEntry[]): boolean {
  const isExit = entries.some(entry => isWord(entry, /exit/i))
  const isGuard = entries.some(entry => isWord(entry, /guard|entry|bridge|relay/i))
  return isOutbound ? isExit && !isGuard : isGuard && !isExit
}

function techniqueOf(isOutbound: boolean, isTor: boolean): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  if (isTor) return { tactic: 'command-and-control', ...technique('T1090.003') }
  return isOutbound
    ? { tactic: 'command-and-control', ...technique('T1071') }
    : { tactic: 'reconnaissance', ...technique('T1595') }
}
