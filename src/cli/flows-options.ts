/** The options of `tidemark flows`, and the request that they make. */
import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { FlowsOptions } from '../flows/run.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { addEngineOptions, type EngineCliOptions } from './engine-options.ts'
import { addEnrichmentOptions, type EnrichmentCliOptions, enrichmentOf } from './enrichment-options.ts'
import { forceOption } from './named-output.ts'
import { type CommonOptions, collectPrefix, parseWidth, type ReadingOptions } from './options.ts'

export interface FlowsCliOptions extends CommonOptions, ReadingOptions, EnrichmentCliOptions, EngineCliOptions {
  stat?: NonNullable<FlowsRequest['stat']> & { order?: string }
  limit?: number
  order?: string
  aggregate?: string[]
  connections?: true
  bidirectional?: true
  output?: string
  count?: number
  evidence?: EvidenceKind
  raw?: true
  having?: string
  distinct?: string[]
  percentile?: string[]
  other?: true
  bin?: number
  csv?: true
  ndjson?: true
  parquet?: string
  force?: true
  compare?: string
  explain?: true
  save?: string
  query?: string
  param?: Record<string, string>
  nfdump?: true
  internal?: string[]
  tz?: string
  since?: string
  read?: string[]
  quiet?: true
  failEmpty?: true
  info?: true
  finding?: string
  of?: string[]
  onePass?: true
}

export function addFlowsOptions(command: Command): Command {
  const option = (flags: string, about: string, parse?: (text: string, before: never) => unknown): void => {
    const made = new Option(flags, about)
    command.addOption(parse === undefined ? made : made.argParser(parse as (text: string, before: unknown) => unknown))
  }
  option('-s, --stat <element>', 'rank an element: srcip/bytes, port:p/flows, record/packets', once(parseStat, '-s'))
  option('-n, --limit <n>', 'most rows, 0 for all; by default 10 of -s, else 1000', parseLimit)
  option('-O, --order <order>', 'bytes, packets, records, bps, pps, bpp, duration, start, end, distinct_dstport, …')
  option('-A, --aggregate <elements>', 'group by elements: srcip4/24,dstport', once(parseList, '-A'))
  option('-a, --connections', 'group by addresses, ports and protocol')
  option('-b, --bidirectional', 'group by connection, both directions together')
  option('-c, --count <n>', 'take only the first n matching records', parseLimit)
  option(
    '-o, --output <format>',
    'table, json, csv, ndjson, lines (the text of the evidence), nfdump’s raw (a field a line), line, long, extended, fmt:…',
  )
  option('--having <expression>', 'keep groups, e.g. "bytes > 1m and records >= 10"')
  option('--distinct <elements>', 'count the different values of each element, like dstip,dstport', collectList)
  option('--percentile <measure/p>', 'e.g. bytes/95: of each group’s records (repeatable)', collect)
  option('--bin <width>', 'time bins of 1s, 1m, 1h, …; records are spread over them', parseWidth)
  option('--compare <window>', 'the same in another window beside the filter’s: previous, "between … and …"')
  option('--other', 'add a row for the groups that are not listed')
  command.addOption(
    new Option('--evidence <kind>', 'flow records of logs or of packets; never both').choices(['logs', 'packets']),
  )
  option('--raw', 'count every record: conversations seen twice, rejected bytes')
  option('--nfdump', 'mean exactly what nfdump 1.7.1 means; implies --raw')
  option('--internal <network>', 'network of your own besides the private ones (repeatable)', collectPrefix)
  option('--since <time>', 'from that time on; 2h: the last 2 h of the evidence, whose end is not now', parseSince)
  option('-q, --quiet', 'the rows alone: no sentence, no counts, no notes')
  option('--fail-empty', 'exit with status 4 where nothing matches')
  option('--tz <zone>', 'time zone of tables, lines and CSV, e.g. Europe/Berlin; default UTC, and JSON always')
  option('--finding <id>', 'the records of a finding, e.g. F4; needs --of, and may have a filter too')
  option('--of <address>', 'whose dossier has the finding (repeatable)', collectPrefix)
  option('--json', 'print one JSON document')
  option('--csv', 'print CSV')
  option('--ndjson', 'print one JSON object a row')
  option('--parquet <file>', 'write a Parquet file')
  option(...forceOption)
  option('--explain', 'print what is meant, the SQL, and which segments are read; run nothing')
  option('--save <name>', 'keep this query in the case, $name in its filter being a parameter')
  option('--query <name>', 'run a saved query; other options change it')
  option('--param <name=value>', 'value of a parameter of the filter (repeatable)', collectParam)
  addEngineOptions(command)
  option('--one-pass', 'with --engine: read the table once, and do not count what cannot be told')
  addEnrichmentOptions(command)
  addNfdumpOptions(command)
  return command
}

/** Refuses the second of an option that would silently replace the first. */
function once<T>(parse: (text: string) => T, flag: string): (text: string, before: T | undefined) => T {
  return (text, before) => {
    if (before !== undefined)
      throw new InvalidArgumentError(`${flag} may be given once; run the command a second time for another.`)
    return parse(text)
  }
}

/** The files that the user gave: only those parameters may name files. */
export function ownFiles(options: FlowsCliOptions): Pick<FlowsOptions, 'fileParams' | 'enrichment'> {
  return { fileParams: Object.keys(options.param ?? {}), enrichment: enrichmentOf(options) }
}

const summary = 'tidemark case says what is there, tidemark flows --having "records > 0" sums everything up'

/** Options of nfdump that fingers know: done where Tidemark does the same, else refused with its own way. */
function addNfdumpOptions(command: Command): void {
  const instead = (flags: string, way: string): void => {
    const refuse = (): never => {
      throw new InvalidArgumentError(`Tidemark has another way: ${way}`)
    }
    command.addOption(new Option(flags, `nfdump's: ${way}`).argParser(refuse).hideHelp())
  }
  const path = (text: string, before: string[] = []): string[] => [...before, text]
  command.addOption(new Option('-r, --read <path>', 'nfdump’s: a file or folder to read').argParser(path).hideHelp())
  instead('-R, --read-folder <paths>', 'name the folder after the filter, or tidemark add FOLDER.')
  instead('-t, --timewin <window>', 'in the filter, "between 2023-09-28T17:00 and 2023-09-28T18:00", or --since 2h.')
  instead('-w, --write <file>', '--parquet FILE or --csv for the rows, tidemark convert … -o FILE for nfcapd files.')
  command.addOption(new Option('-I, --info', `nfdump's: ${summary}`).hideHelp())
}

/** How long before the end of the evidence, or a time. */
function parseSince(text: string): string {
  if (/^\d{1,6}(s|m|min|h|d)$/i.test(text) || /^\d{4}-\d\d-\d\d/.test(text)) return text
  throw new InvalidArgumentError(
    'Expected how long before the end of the evidence, like 2h, or a time, like 2023-09-28T17:00.',
  )
}

/** nfdump's form: element, `:p` for each protocol, `/order`. */
function parseStat(text: string): FlowsCliOptions['stat'] {
  const match = /^([a-z_][\w]*(?:[46]?\/\d{1,3}(?=[:/]|$))?)(:p)?(?:\/([a-z_]\w*))?$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('Expected an element, like srcip, port:p or srcip/bytes.')
  const [, element, perProtocol, order] = match
  return { element: element!, ...(perProtocol && { perProtocol: true }), ...(order && { order }) }
}

function parseList(text: string): string[] {
  const elements = text.split(',').map(part => part.trim())
  if (elements.includes(''))
    throw new InvalidArgumentError('Expected elements with commas between, like srcip,dstport.')
  return elements
}

function parseLimit(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number; 0 is no limit.')
  return Number(text)
}

function collectList(text: string, before: string[] = []): string[] {
  return [...before, ...parseList(text)]
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text]
}

function collectParam(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected name=value.')
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} has a value already.`)
  return { ...before, [name]: value }
}

/** @throws UserError for -I, which takes no value that could be refused. */
export function refuseSummary({ info }: FlowsCliOptions): void {
  if (info) throw new UserError('-I is nfdump’s', { status: exitStatus.usage, hint: summary })
}

/** The request that options make. `unlimited`: the output has no limit of its own. */
export function requestOf(options: FlowsCliOptions, filter: string | undefined, unlimited: boolean): FlowsRequest {
  const { stat, limit, aggregate, connections, bidirectional, count } = options
  const by = aggregate ?? (connections ? ['srcip', 'dstip', 'srcport', 'dstport', 'proto'] : undefined)
  // Whether there is such an order is said where the request is read.
  const order = (options.order ?? stat?.order) as FlowsRequest['order']
  const most = limit === 0 || (limit === undefined && unlimited && stat === undefined) ? null : limit
  return {
    ...(filter !== undefined && { filter }),
    ...(by !== undefined && { by }),
    ...(stat !== undefined && { stat: { element: stat.element, ...(stat.perProtocol && { perProtocol: true }) } }),
    ...(bidirectional && { bidirectional: true }),
    ...(order !== undefined && { order }),
    ...(most !== undefined && { limit: most }),
    ...(count !== undefined && count > 0 && { first: count }),
    ...(options.having !== undefined && { having: options.having }),
    ...(options.distinct !== undefined && { distinct: options.distinct }),
    ...(options.percentile !== undefined && { percentiles: options.percentile }),
    ...(options.bin !== undefined && { bin_ms: options.bin }),
    ...(options.compare !== undefined && { compare: options.compare }),
    ...(options.param !== undefined && { params: options.param }),
    ...(options.other && { other: true }),
    ...(options.evidence !== undefined && { evidence: options.evidence }),
    ...(options.raw && { raw: true }),
    ...(options.nfdump && { nfdump: true }),
    ...(options.internal !== undefined && { internal: options.internal }),
  }
}
