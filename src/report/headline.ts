import type { Confidence, Dossier, Finding, ServiceRow } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { compareTimes, durationWords } from '../net/time.ts'
import { type Block, gap, heading, paragraph, strong, title, warning } from './block.ts'
import { inOrder } from './findings.ts'
import { confidenceWords, endpointText, listText, materialWords } from './names.ts'
import { atLeast, bytesText, countText, integerText, percentText, spanText } from './numbers.ts'

/** The page's first lines: who, how sure, since when, how much. */
export function headlineBlocks(d: Dossier): Block[] {
  const sentences =
    d.records.subject === 0
      ? [absence(d)]
      : [presence(d), conclusions(d.findings), volumes(d)].filter(sentence => sentence !== '')
  const [first = '', ...rest] = sentences
  return [
    title(strong(`Dossier of ${listText(d.subject, 4, 'more subjects')}`)),
    gap,
    paragraph(strong(first)),
    ...rest.flatMap(sentence => [gap, paragraph(sentence)]),
  ]
}

function subjectText(d: Dossier): string {
  return `${listText(d.subject, 3, 'more')}${d.subject.length > 1 ? ' together' : ''}`
}

function presence(d: Dossier): string {
  const { first_start, last_end, seconds } = d.window
  const share = percentText(d.records.subject, d.records.total)
  const length = seconds === null ? '' : ` (${durationWords(seconds)})`
  const when =
    first_start === last_end
      ? `at ${first_start === null ? 'a time that no record tells' : spanText(first_start, last_end)}`
      : `between ${spanText(first_start, last_end, ' and ')}`
  const of = `${integerText(d.records.subject)} of ${countText(d.records.total, 'flow record')}`
  return `${subjectText(d)} took part in ${of} (${share}) ${when}${length}.`
}

/** Findings by how sure they are, the surest first, each group in order of time. */
function conclusions(all: Finding[]): string {
  const findings = all.filter(finding => finding.severity !== 'info')
  if (findings.length === 0) {
    return 'No rule found anything in what it did. That is not proof that it did nothing: read the services below.'
  }
  const levels: Confidence[] = ['high', 'medium', 'low']
  return levels
    .map(level => ({ level, group: inOrder(findings).filter(finding => finding.confidence === level) }))
    .filter(({ group }) => group.length > 0)
    .map(({ level, group }) => {
      const named = group.map(finding => `${midSentence(finding.title)} (${finding.id})`)
      return `${capital(confidenceWords[level])}: ${listText(named, 6, 'more findings')}.`
    })
    .join(' ')
}

/** The transfers that carried most, at most two, in words that say which way the data went and who asked for it. */
function volumes(d: Dossier): string {
  const transfers = d.services
    // An error opens nothing and carries none of the sender's data.
    .filter(service => service.role_basis !== 'icmp-error')
    .flatMap(service => [
      { service, toServer: true, bytes: BigInt(service.bytes_to_server) },
      { service, toServer: false, bytes: BigInt(service.bytes_to_client) },
    ])
    .filter(transfer => transfer.bytes > 0n)
    .sort((a, b) => (a.bytes > b.bytes ? -1 : a.bytes < b.bytes ? 1 : 0))
  const [largest, second] = transfers
  if (!largest)
    return d.one_action === 'REJECT' ? rejectsAlone : 'No data was transferred: no record of accepted traffic names it.'
  const told = second && second.bytes * 10n >= largest.bytes ? [largest, second] : [largest]
  return told.map(({ service, toServer }) => transferText(service, toServer, d.bytes.at_least)).join(' ')
}

const rejectsAlone =
  'These logs hold REJECT records alone: whether data was transferred is not in them. A flow log of traffic type ALL would tell.'

function transferText(service: ServiceRow, toServer: boolean, isLowerBound: boolean): string {
  const server = endpointText(service.server, service.port)
  const protocol = protocolText(service.protocol)
  const bytes = atLeast(bytesText(toServer ? service.bytes_to_server : service.bytes_to_client), isLowerBound)
  if (service.role_basis === 'unknown') {
    const [sender, receiver] = toServer ? [service.client, server] : [server, service.client]
    return `${sender} sent ${bytes} to ${receiver} (${protocol}); who connected to whom is not known.`
  }
  // Of who sent nothing it cannot be said what it did: its address may be forged.
  if (!toServer && BigInt(service.packets_to_server) === 0n)
    return `${server} (${protocol}) sent ${bytes} to ${service.client}, of which no packet was recorded.`
  return toServer
    ? `${service.client} connected to ${server} (${protocol}) and sent ${bytes} to it.`
    : `${service.client} connected to ${server} (${protocol}) and received ${bytes} from it.`
}

function absence(d: Dossier): string {
  const who = listText(d.subject, 3, 'more subjects')
  if (d.records.total === 0) return `No record of ${who}: the case holds no flow records at all.`
  const first = d.coverage.map(sensor => sensor.first).sort(compareTimes)[0]
  const last = d.coverage
    .map(sensor => sensor.last)
    .sort(compareTimes)
    .at(-1)
  const when = first === undefined || last === undefined ? '' : ` from ${spanText(first, last, ' to ')}`
  return `No record of ${who} in ${countText(d.records.total, 'flow record')}${when}.`
}

/** What stands between an empty answer and innocence. */
export function absenceBlocks(d: Dossier): Block[] {
  const sensors = d.coverage.length
  const text = [
    'That is not proof of absence: the address may have been translated (NAT, load balancer, proxy) before it was recorded,',
    d.source === 'logs'
      ? `may have gone past the ${countText(sensors, 'sensor')} whose logs are in the case,`
      : `may have gone past the places where the ${materialWords(d)} of the case were made,`,
    `may have been active outside their time, or may have sent what ${d.source === 'logs' ? 'flow logs do not record' : 'they do not show'} (see the end of this page).`,
  ].join(' ')
  return [gap, paragraph(text)]
}

/** What the answer does not cover; nothing when it covers all. */
export function caveatBlocks(d: Dossier): Block[] {
  const count = d.attack_surface.gaps.length + d.not_listed.gaps
  const lowerBound = d.bytes.at_least || d.packets.at_least
  if (count === 0 && d.attack_surface.complete && !lowerBound) return []
  const reasons = new Map<string, number>()
  for (const gap of d.attack_surface.gaps) reasons.set(gap.reason, (reasons.get(gap.reason) ?? 0) + 1)
  const named = [...reasons].map(([reason, times]) => gapWords[reason]?.(times) ?? countText(times, reason))
  const where = d.window.first_start === null ? `the ${materialWords(d)}` : 'the window'
  const because =
    named.length === 0
      ? ''
      : `Inside ${where} there ${named.length === 1 && count === 1 ? 'is' : 'are'} ${listText(named)}. `
  const bounds = lowerBound ? 'Byte and packet totals are lower bounds, and what' : 'What'
  return [
    heading('Not covered'),
    warning('This answer has holes.'),
    paragraph(`${because}${bounds} is not on this page may have happened all the same.`),
  ]
}

const gapWords: Record<string, (count: number) => string> = {
  skipdata: count => countText(count, 'interval of lost records (SKIPDATA)', 'intervals of lost records (SKIPDATA)'),
  'time-gap': count => countText(count, 'time gap'),
  'malformed-lines': count => countText(count, 'run of malformed lines', 'runs of malformed lines'),
  'unreadable-file': count => countText(count, 'unreadable file'),
  'partly-read-file': count => countText(count, 'partly read file'),
  'rejected-only': () => 'nothing but rejected traffic',
  'dropped-packets': count => countText(count, 'capture that lost packets', 'captures that lost packets'),
  'undecoded-packets': count =>
    countText(count, 'capture with packets that were not decoded', 'captures with packets that were not decoded'),
}

/** A title as part of a sentence: no full stop, and no capital unless the first word is an acronym. */
function midSentence(title: string): string {
  return title.replace(/\.$/, '').replace(/^[A-Z](?=[a-z])/, letter => letter.toLowerCase())
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
