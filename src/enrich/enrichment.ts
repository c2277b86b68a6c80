/** What the user's own files say of addresses: lists, countries, autonomous systems, AWS's services, names of networks. Nothing is fetched. */
import { UserError } from '../errors.ts'
import { internalPrefixes } from '../net/internal.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import type { AwsRanges, AwsService } from './aws-ranges.ts'
import type { EnrichmentFile, EnrichmentProblem } from './enrichment-file.ts'
import type { AddressList, ListMatch } from './list-entries.ts'
import type { AutonomousSystem } from './mmdb.ts'
import type { Network, NetworkRole, Networks } from './networks.ts'

/** Files by what they are for. */
export interface EnrichmentOptions {
  lists?: readonly string[]
  geoip?: string
  asn?: string
  awsRanges?: string
  networks?: readonly string[]
  /** Whether only these are meant, and not what is noted in the case. */
  alone?: boolean
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
 * @param refused told of a file that cannot be used, instead of an error; the file is left out.
 * @throws UserError where a file is missing, is not what it is given as, or is damaged as a whole; what of a list cannot be read is in `problems`.
 */
export async function loadEnrichment(
  options: EnrichmentOptions,
  signal?: AbortSignal,
  refused?: (path: string, error: UserError) => void,
): Promise<Enrichment> {
  const loaded: Loaded = { lists: [], country: null, asn: null, aws: null, networks: [], files: [], problems: [] }
  for (const { path, read } of readers(options, loaded)) {
    // Between files, so that Ctrl-C is heard.
    await new Promise(resolve => setImmediate(resolve))
    signal?.throwIfAborted()
    try {
      await read()
    } catch (error) {
      if (!(error instanceof UserError) || refused === undefined) throw error
      refused(path, error)
    }
  }
  return enrichmentOf(loaded)
}

interface Reader {
  path: string
  read: () => Promise<void>
}

/** What reads each file and puts it where it belongs, in the order in which files are told. What reads a kind is loaded where there is one. */
function readers({ lists = [], geoip, asn, awsRanges, networks = [] }: EnrichmentOptions, into: Loaded): Reader[] {
  const took = ({ file, problems = [] }: { file: EnrichmentFile; problems?: readonly EnrichmentProblem[] }): void => {
    into.files.push(file)
    into.problems.push(...problems)
  }
  const list = async (path: string): Promise<void> => {
    const { readList } = await import('./lists.ts')
    const read = readList(path)
    into.lists.push(read.list)
    took(read)
  }
  const network = async (path: string): Promise<void> => {
    const { readNetworks } = await import('./networks.ts')
    const read = readNetworks(path)
    into.networks.push(read)
    took(read)
  }
  const countries = async (path: string): Promise<void> => {
    const { countryIn, openMmdb } = await import('./mmdb.ts')
    const database = openMmdb(path, 'geoip')
    into.country = (hi, lo) => countryIn(database.get(hi, lo))
    took(database)
  }
  const systems = async (path: string): Promise<void> => {
    const { asnIn, openMmdb } = await import('./mmdb.ts')
    const database = openMmdb(path, 'asn')
    into.asn = (hi, lo) => asnIn(database.get(hi, lo))
    took(database)
  }
  const ranges = async (path: string): Promise<void> => {
    const { readAwsRanges } = await import('./aws-ranges.ts')
    into.aws = readAwsRanges(path)
    took(into.aws)
  }
  return [
    ...lists.map(path => ({ path, read: () => list(path) })),
    ...present(geoip, countries),
    ...present(asn, systems),
    ...present(awsRanges, ranges),
    ...networks.map(path => ({ path, read: () => network(path) })),
  ]
}

function present(path: string | undefined, read: (path: string) => Promise<void>): Reader[] {
  return path === undefined ? [] : [{ path, read: () => read(path) }]
}

/** What no network of the internet has: of no country and no AS, where a database says nothing of it. */
const unrouted: readonly Prefix[] = [
  ...internalPrefixes,
  ...['0.0.0.0/8', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '::', '2001:db8::/32', 'ff00::/8'],
].map(one => (typeof one === 'string' ? parsePrefix(one)! : one))

/** Whether the internet routes no such address: private ones, those of documentation and tests, multicast and broadcast (RFC 6890). */
export function isUnrouted(hi: bigint, lo: bigint): boolean {
  return unrouted.some(prefix => prefixContains(prefix, { hi, lo }))
}

interface Loaded {
  lists: AddressList[]
  country: Enrichment['country'] | null
  asn: Enrichment['asn'] | null
  aws: AwsRanges | null
  networks: Networks[]
  files: EnrichmentFile[]
  problems: EnrichmentProblem[]
}

function enrichmentOf({ lists, country, asn, aws, networks, files, problems }: Loaded): Enrichment {
  const internal = networks.flatMap(one => one.internal)
  const isIn = (hi: bigint, lo: bigint, prefixes: readonly Prefix[]): boolean =>
    prefixes.some(prefix => prefixContains(prefix, { hi, lo }))
  const hasRole = (role: NetworkRole, hi: bigint, lo: bigint): boolean =>
    networks.some(one => one.find(hi, lo).some(({ roles }) => roles.includes(role)))
  return {
    has: {
      lists: lists.length > 0,
      country: country !== null,
      asn: asn !== null,
      awsService: aws !== null,
      networks: networks.length > 0,
    },
    files,
    problems,
    lists,
    internal,
    listsOf: (hi, lo, from_us, to_us) => lists.flatMap(list => list.match(hi, lo, from_us, to_us) ?? []),
    asn: (hi, lo) => asn?.(hi, lo) ?? null,
    country: (hi, lo) => country?.(hi, lo) ?? null,
    awsService: (hi, lo) => aws?.find(hi, lo) ?? null,
    network: (hi, lo) => networks.flatMap(one => one.find(hi, lo)).find(({ name }) => name !== null) ?? null,
    isInternal: (hi, lo) => isIn(hi, lo, internalPrefixes) || isIn(hi, lo, internal),
    isScanner: (hi, lo) => hasRole('scanner', hi, lo),
    isAdministration: (hi, lo) => hasRole('administration', hi, lo),
    isTranslator: (hi, lo) => hasRole('translator', hi, lo),
  }
}
