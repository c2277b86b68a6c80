/** What the user's own files say of a case's addresses, as tables that a question reads: their names, not how they are made (`enriched.ts`). */
import type { EnrichmentKind } from '../enrich/enrichment-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { AddressTable } from '../query/nodes.ts'

/** Words of filters and elements of groups. */
export const enrichedWords = ['country', 'asn', 'as_org', 'aws_service', 'network', 'list'] as const
export type EnrichedWord = (typeof enrichedWords)[number]

/** Which file tells it. */
export const fileOf: Readonly<Record<EnrichedWord, EnrichmentKind>> = {
  country: 'geoip',
  asn: 'asn',
  as_org: 'asn',
  aws_service: 'aws-ranges',
  network: 'networks',
  list: 'list',
}

/** What files of one kind say, a row for each address of which they say something. */
export interface EnrichedTable extends AddressTable {
  /** Words of which it is not known what they are for some address: such a row has no value. */
  unknown: ReadonlySet<EnrichedWord>
  /** Of lists: their names; and whether an entry is valid for a part of the case only, so that times must be asked. */
  lists: readonly string[]
  timed: boolean
}

export type EnrichedTables = ReadonlyMap<EnrichmentKind, EnrichedTable>

export const noEnrichedTables: EnrichedTables = new Map()

/** The column of a word. */
export const columnOf: Readonly<Record<EnrichedWord, string>> = {
  country: 'value',
  asn: 'value',
  as_org: 'org',
  aws_service: 'value',
  network: 'value',
  list: 'list',
}

const examples: Readonly<Record<EnrichmentKind, [what: string, option: string]>> = {
  geoip: ['GeoIP database', '--geoip FILE.mmdb'],
  asn: ['AS database', '--asn FILE.mmdb'],
  'aws-ranges': ['ip-ranges.json of AWS', '--aws-ranges FILE'],
  networks: ['file of networks', '--networks FILE'],
  list: ['address list', '--list FILE'],
}

/** The table that a word is read from. @throws UserError where no such file was given. */
export function tableOf(tables: EnrichedTables, word: EnrichedWord): EnrichedTable {
  const kind = fileOf[word]
  const table = tables.get(kind)
  if (table !== undefined) return table
  const [what, option] = examples[kind]
  throw new UserError(`${word.replace('_', '-')} needs a file of your own: no ${what} was given`, {
    hint: `give one with ${option}, or note it in the case: tidemark enrich ${option}`,
    status: exitStatus.usage,
  })
}
