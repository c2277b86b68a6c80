/** Who the subject and its peers are, by the analyst's own files. */
import type { Dossier, FilesSay, ListedEntry, SaidOfAddress } from '../investigate/dossier.ts'
import { address, type Block, heading, limited, line, list, paragraph, type Text } from './block.ts'
import { countText, integerText } from './numbers.ts'

const addressesShown = 10
const countriesShown = 8

/** Nothing without such files. In short: the subject, and peers that are on a list. */
export function whoBlocks(d: Dossier, full: boolean): Block[] {
  if (d.enrichment.length === 0) return []
  const subjects = d.addresses.filter(({ is }) => is === 'subject')
  const peers = d.addresses.filter(({ is }) => is === 'peer')
  const listed = peers.filter(({ lists }) => lists.length > 0)
  const more = (left: number): Text => `… and ${countText(left, 'address', 'addresses')} more: --json has them`
  const of = (some: readonly SaidOfAddress[]): Text[] => limited(some.map(whoText), addressesShown, more)
  const hasLists = d.enrichment.some(({ kind }) => kind === 'list')
  const none = hasLists && listed.length === 0 ? 'No peer was on a list of yours at the time.' : ''
  const about = [none, countriesText(peers, d.not_listed.addresses)].filter(text => text !== '').join(' ')
  return [
    heading('Who they are, by your own files'),
    list([...of(subjects), ...of(full ? peers : listed)]),
    ...(about === '' ? [] : [paragraph(about)]),
  ]
}

/** `203.0.113.7: NL, AS64500 Example, on tor-exits (line 12, from 2023-09-01T00:00:00Z)`. */
function whoText({ address: text, is, ...said }: SaidOfAddress): Text {
  const words = saidWords(said)
  return line`${is === 'subject' ? '' : 'peer '}${address(text)}: ${words === '' ? 'nothing is said of it' : words}`
}

/** `NL, AS64500 Example, on tor-exits (line 12)`; empty where nothing is said. */
export function saidWords({ country, asn, as_org, aws_service, aws_region, network, lists }: FilesSay): string {
  const system = asn === null ? null : `AS${asn}${as_org === null ? '' : ` ${as_org}`}`
  const service = aws_service === null ? null : `AWS ${aws_service} in ${aws_region}`
  const said = [network, country, system, service, ...lists.map(listedText)].filter(one => one !== null)
  return said.join(', ')
}

function listedText({ list: name, line: number, object, note, valid_from, valid_until, dated }: ListedEntry): string {
  const place = number !== null ? `line ${integerText(number)}` : object
  const times = [
    valid_from !== null ? `from ${valid_from}` : null,
    valid_until !== null ? `until ${valid_until}` : null,
  ]
  const valid = times.some(one => one !== null) ? `valid ${times.filter(one => one !== null).join(' ')}` : null
  const made = valid === null && dated !== null ? `list of ${dated}` : null
  const about = [place, note, valid, made].filter(one => one !== null && one !== '').join(', ')
  return `on ${name}${about === '' ? '' : ` (${about})`}`
}

/** `Peers by country: NL 12, US 3.` */
function countriesText(peers: readonly SaidOfAddress[], left: number): string {
  const counts = new Map<string, number>()
  for (const { country } of peers) if (country !== null) counts.set(country, (counts.get(country) ?? 0) + 1)
  if (counts.size === 0) return ''
  const ranked = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  const words = ranked.slice(0, countriesShown).map(([country, count]) => `${country} ${integerText(count)}`)
  const others = ranked.length > countriesShown ? ` and ${ranked.length - countriesShown} more countries` : ''
  const of = left > 0 ? ` of the first ${integerText(peers.length)}` : ''
  return `Peers by country${of}: ${words.join(', ')}${others}.`
}
