/** What the user's own files say of addresses: lists, countries, autonomous systems, AWS's services, names of networks. Nothing is fetched. */
import { internalPrefixes } from '../net/internal.ts'
import { type Prefix, prefixContains } from '../net/prefix.ts'
import { type AwsRanges, type AwsService, readAwsRanges } from './aws-ranges.ts'
import type { AddressList, ListMatch } from './list-entries.ts'
import { readList } from './lists.ts'
import { type AutonomousSystem, asnIn, countryIn, type Mmdb, openMmdb } from './mmdb.ts'
import { type Network, type NetworkRole, type Networks, readNetworks } from './networks.ts'
import type { EnrichmentFile, EnrichmentProblem } from './source-file.ts'

/** Files by what they are for. */
export interface EnrichmentOptions {
  lists?: readonly string[]
  geoip?: string
  asn?: string
  awsRanges?: string
  networks?: readonly string[]
}

/**
 * What is known of addresses, each given as its two halves (`net/address.ts`). Files that were not given know nothing: `has` says which were.
 *
 * Every answer depends on the files and the address alone, so that it can be worked out once for each address.
 */
export interface Enrichment {
  /** What was given, so that "not in it" can be told from "not asked". */
  readonly has: { lists: boolean; country: boolean; asn: boolean; awsService: boolean; networks: boolean }
  /** The files that were used, in the order of their kinds. */
  readonly files: readonly EnrichmentFile[]
  /** What in them could not be read. */
  readonly problems: readonly EnrichmentProblem[]
  readonly lists: readonly AddressList[]
  /**
   * The entries that hold an address and were valid at some moment from one to another, both included (microseconds since the epoch): of each
   * list the longest prefix; lists in the order they were given.
   */
  listsOf(hi: bigint, lo: bigint, from_us: number, to_us: number): ListMatch[]
  /** Null where it is not known. */
  asn(hi: bigint, lo: bigint): AutonomousSystem | null
  /** Two letters of ISO 3166; null where it is not known. */
  country(hi: bigint, lo: bigint): string | null
  /** Null where AWS names the address as none of its own. */
  awsService(hi: bigint, lo: bigint): AwsService | null
  /** The smallest network of the user's own that has a name and holds the address. */
  network(hi: bigint, lo: bigint): Network | null
  /** Networks of `--networks` that are internal: they count as those of `--internal`. */
  readonly internal: readonly Prefix[]
  /** Whether the internet does not route the address, or one of `internal` holds it. */
  isInternal(hi: bigint, lo: bigint): boolean
  isScanner(hi: bigint, lo: bigint): boolean
  isAdministration(hi: bigint, lo: bigint): boolean
  isTranslator(hi: bigint, lo: bigint): boolean
}

/**
 * Reads the files; nothing is kept open.
 *
 * @throws UserError where a file is missing, is not what it is given as, or is damaged as a whole; what of a list cannot be read is in `problems`.
 */
export async function loadEnrichment(options: EnrichmentOptions, signal?: AbortSignal): Promise<Enrichment> {
  const next = async (): Promise<void> => {
    // Between files, so that Ctrl-C is heard.
    await new Promise(resolve => setImmediate(resolve))
    signal?.throwIfAborted()
  }
  const read: Loaded = { lists: [], geoip: null, asn: null, aws: null, networks: [], files: [], problems: [] }
  for (const path of options.lists ?? []) {
    const { list, file, problems } = readList(path)
    read.lists.push(list)
    read.files.push(file)
    read.problems.push(...problems)
    await next()
  }
  if (options.geoip !== undefined) read.geoip = openMmdb(options.geoip, 'geoip')
  if (options.asn !== undefined) read.asn = openMmdb(options.asn, 'asn')
  if (options.awsRanges !== undefined) read.aws = readAwsRanges(options.awsRanges)
  await next()
  for (const path of options.networks ?? []) read.networks.push(readNetworks(path))
  for (const one of [read.geoip, read.asn, read.aws, ...read.networks]) if (one !== null) read.files.push(one.file)
  for (const one of [read.aws, ...read.networks]) if (one !== null) read.problems.push(...one.problems)
  return enrichmentOf(read)
}

interface Loaded {
  lists: AddressList[]
  geoip: Mmdb | null
  asn: Mmdb | null
  aws: AwsRanges | null
  networks: Networks[]
  files: EnrichmentFile[]
  problems: EnrichmentProblem[]
}

function enrichmentOf({ lists, geoip, asn, aws, networks, files, problems }: Loaded): Enrichment {
  const internal = networks.flatMap(one => one.internal)
  const isIn = (hi: bigint, lo: bigint, prefixes: readonly Prefix[]): boolean =>
    prefixes.some(prefix => prefixContains(prefix, { hi, lo }))
  const hasRole = (role: NetworkRole, hi: bigint, lo: bigint): boolean =>
    networks.some(one => one.find(hi, lo).some(({ roles }) => roles.includes(role)))
  return {
    has: {
      lists: lists.length > 0,
      country: geoip !== null,
      asn: asn !== null,
      awsService: aws !== null,
      networks: networks.length > 0,
    },
    files,
    problems,
    lists,
    internal,
    listsOf: (hi, lo, from_us, to_us) => lists.flatMap(list => list.match(hi, lo, from_us, to_us) ?? []),
    asn: (hi, lo) => asnIn(asn?.get(hi, lo) ?? null),
    country: (hi, lo) => countryIn(geoip?.get(hi, lo) ?? null),
    awsService: (hi, lo) => aws?.find(hi, lo) ?? null,
    network: (hi, lo) => networks.flatMap(one => one.find(hi, lo)).find(({ name }) => name !== null) ?? null,
    isInternal: (hi, lo) => isIn(hi, lo, internalPrefixes) || isIn(hi, lo, internal),
    isScanner: (hi, lo) => hasRole('scanner', hi, lo),
    isAdministration: (hi, lo) => hasRole('administration', hi, lo),
    isTranslator: (hi, lo) => hasRole('translator', hi, lo),
  }
}
