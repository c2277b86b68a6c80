/** Files of the user's own that say what addresses are. */
import type { EnrichmentFile } from '../enrich/enrichment-file.ts'
import { type Block, line, list, paragraph, path, strong, type Text, title } from './block.ts'
import { countText } from './numbers.ts'

export function enrichmentPage(files: readonly EnrichmentFile[]): Block[] {
  if (files.length === 0) return [paragraph('No file is noted that says what addresses are.')]
  return [title(strong('Files that say what addresses are')), list(files.map(fileText))]
}

const kinds: Readonly<Record<EnrichmentFile['kind'], string>> = {
  list: 'address list',
  geoip: 'countries',
  asn: 'autonomous systems',
  'aws-ranges': 'services of AWS',
  networks: 'networks of your own',
}

/** `list.csv: address list, 1,200 entries, made 2023-09-27, valid from … to …, SHA-256 …; left out: 3 revoked`. */
function fileText({ path: name, kind, sha256, entries, from, to, dated, left_out }: EnrichmentFile): Text {
  const counted = kind === 'geoip' || kind === 'asn' ? 'a database' : countText(entries, 'entry', 'entries')
  const made = dated === null ? '' : `, made ${dated}`
  const valid = from === null && to === null ? '' : `, valid ${from ?? 'ever'} to ${to ?? 'now'}`
  const left = Object.entries(left_out).map(([why, count]) => `${count} ${why}`)
  const out = left.length === 0 ? '' : `; left out: ${left.join(', ')}`
  return line`${path(name)}: ${kinds[kind]}, ${counted}${made}${valid}, SHA-256 ${sha256.slice(0, 12)}…${out}`
}
