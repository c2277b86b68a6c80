import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { FlowsRequest, FlowsResult } from '../flows/request.ts'
import type { FlowsOptions } from '../flows/run.ts'
import { visible } from '../report/text.ts'
import type { Zone } from '../report/zone.ts'
import type { Case } from '../store/case.ts'
import { addReadingOptions } from './add.ts'
import { noteWriter } from './added.ts'
import { requirePaths } from './arguments.ts'
import { refuseWithoutEngine } from './engine-options.ts'
import { reportEnrichment } from './enrichment-options.ts'
import { splitFilter } from './flows-arguments.ts'
import { addFlowsOptions, type FlowsCliOptions, ownFiles, refuseSummary, requestOf } from './flows-options.ts'
import { type FlowsFormat, formatOf, isExport, noteCounting, printFlows } from './flows-output.ts'
import { interruptible } from './interrupt.ts'
import { countAfterDashes, readAll } from './investigate.ts'
import { checkOutput } from './named-output.ts'
import { note, print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import { quoted } from './shell-words.ts'
import { addSourceOptions, type SourceCliOptions, windowFilter } from './source-options.ts'
import { isBroken, reportUnread } from './unread.ts'

/** Defines `tidemark flows`. */
export function flowsCommand(program: Command): void {
  const command = program
    .command('flows')
    .description('List, group and rank flow records, with nfdump’s filter language.')
    .usage('[options] [FILTER] [PATH…]')
    .argument('[filter...]', 'which records, one argument; then, if any, files and folders to read')
  addSourceOptions(addReadingOptions(addFlowsOptions(command)))
    .addHelpText('after', flowsHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<FlowsCliOptions & SourceCliOptions>()
      refuseSummary(options)
      const split = await splitFilter(args, countAfterDashes(process.argv.slice(2)), options, 'elsewhere too')
      const filter = await windowFilter(split.filter, options)
      const paths = [...(options.read ?? []), ...split.paths]
      await requirePaths(paths, 'elsewhere too')
      const format = formatOf(options)
      if (options.engine !== undefined) {
        const { flowsOfEngine } = await import('./flows-engine.ts')
        return interruptible(signal => flowsOfEngine({ filter, paths }, options, format, signal))
      }
      refuseWithoutEngine(options, {
        '--one-pass': options.onePass,
        // What lies elsewhere has one too.
        '--dry-run': paths.length > 0 ? undefined : options.dryRun,
      })
      if ((options.finding === undefined) !== (options.of === undefined))
        throw new UserError('--finding and --of go together', {
          status: 2,
          hint: 'name the finding and the address: --finding F4 --of 203.0.113.7',
        })
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      if (options.parquet !== undefined && options.explain === undefined && options.save === undefined) {
        await checkOutput(options.parquet, paths, options, { option: '--parquet', seeks: 'Parquet' })
      }
      await interruptible(async signal => {
        const work = async (caseDir: string): Promise<void> => {
          if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
          await ask(caseDir, filter, options, format, signal)
        }
        if (!isThrowAway) return work(options.case)
        const { withThrowAwayCase } = await import('./throw-away-case.ts')
        return withThrowAwayCase(work)
      })
    })
}

const flowsHelp = `
The filter is one argument: 'src net 10.0.0.0/8 and dst port 443'. An argument that is no filter and names a file is a PATH; after -- all are.
By default a conversation that several sensors saw counts once, and bytes and packets are those of accepted records.

Examples:
  tidemark flows 'ip 203.0.113.7'                        the records of an address
  tidemark flows -s srcip/bytes -n 20                    who sent most
  tidemark flows 'action REJECT' -A srcip4/24,dstport --distinct dstip --having 'distinct_dstaddr > 10'
  tidemark flows 'ip 203.0.113.7' s3://bucket/AWSLogs/ --source-window 2023-09-28T17:00..2023-09-28T19:00
  tidemark flows -b 'port 22' logs/ --json               connections, straight from files`

async function ask(
  caseDir: string,
  filter: string | undefined,
  options: FlowsCliOptions,
  format: FlowsFormat,
  signal: AbortSignal,
): Promise<void> {
  const [{ openCase }, { queryFlows }] = await Promise.all([import('../store/case.ts'), import('../flows/run.ts')])
  const opened = await openCase(caseDir)
  await noteWriter(opened)
  let doing = 'asking the records'
  opened.onWork = what => {
    doing = `working out ${what}`
  }
  const waiting = startWaiting(() => doing)
  try {
    const own = requestOf(options, await wholeFilter(opened, filter, options, signal), isExport(format))
    const asked =
      options.query === undefined ? own : await merged(caseDir, options.query, own, options.limit !== undefined)
    const request = options.since === undefined ? asked : { ...asked, since: options.since }
    if (options.explain) return await explain(opened, request, options, signal)
    if (options.save !== undefined) return await save(opened, options.save, request)
    const zone = await zoneFor(options)
    if (format === 'lines') await requireListing(request)
    const forParquet = options.parquet !== undefined
    const result: FlowsResult = await queryFlows(opened, request, { signal, forParquet, ...ownFiles(options) })
    const quiet = options.quiet === true
    const isEmpty = Number(result.total_rows) === 0
    const why = isEmpty && !quiet ? await reasons(opened, request, { signal, ...ownFiles(options) }) : []
    // From here on rows and notes are shown, maybe through a pager: nothing else may write to the terminal.
    if (!forParquet) waiting.stop()
    if (format === 'lines') await printRecordLines(opened, result, request, why, options, signal)
    else if (options.parquet === undefined)
      await printFlows(result, request, format, { color: options.color, pager: options.pager, zone, why, quiet })
    else {
      await result.parquet(options.parquet, { force: options.force === true })
      waiting.stop()
      if (!quiet) await noteCounting(result, request, why)
    }
    const isPartial = opened.evidence.some(isBroken) || opened.problems.length > 0
    process.exitCode ||= await reportUnread(opened.problems, isPartial, 'tidemark evidence --json lists them all')
    await reportEnrichment(result.enrichment.problems)
    if (isEmpty && options.failEmpty) process.exitCode ||= exitStatus.asked
  } finally {
    waiting.stop()
    await opened.close()
  }
}

/** Why an answer has no rows. */
async function reasons(c: Case, request: FlowsRequest, options: FlowsOptions): Promise<string[]> {
  const { whyEmpty } = await import('../flows/empty.ts')
  return whyEmpty(c, request, options)
}

/** @throws UserError for an unknown zone. */
export async function zoneFor({ tz = 'UTC' }: FlowsCliOptions): Promise<Zone> {
  const { zoneOf } = await import('../report/zone.ts')
  return zoneOf(tz)
}

/** The filter, and the finding whose records are meant. */
async function wholeFilter(
  opened: Case,
  filter: string | undefined,
  options: FlowsCliOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (options.finding === undefined) return filter
  const { filterOfFinding } = await import('./finding.ts')
  const found = await filterOfFinding(opened, options.finding, options, signal)
  return filter === undefined ? found : `(${filter}) and ${found}`
}

/** @throws UserError where groups are asked for, which have no line. */
async function requireListing(request: FlowsRequest): Promise<void> {
  const { isListing } = await import('../flows/settle.ts')
  if (!isListing(request))
    throw new UserError('-o lines is of single records, not of groups', {
      status: 2,
      hint: 'leave out -s, -A, -a and -b',
    })
}

/** The lines of the evidence that the records of a listing were read from. */
async function printRecordLines(
  opened: Case,
  result: FlowsResult,
  request: FlowsRequest,
  why: readonly string[],
  options: FlowsCliOptions,
  signal: AbortSignal,
): Promise<void> {
  const { linePlaces, showVerbatim } = await import('./lines.ts')
  const places = await linePlaces(placesIn(result))
  await showVerbatim(opened, places, {}, options, signal)
  if (options.quiet !== true) await noteCounting(result, request, why)
}

async function* placesIn(result: FlowsResult): AsyncGenerator<{ path: string; line?: number }> {
  for await (const { path, line } of result.rows())
    yield { path: String(path), ...(line !== undefined && { line: Number(line) }) }
}

/** A saved query with what was asked beside its name. `asked`: the limit, which is not that of the output then. */
async function merged(caseDir: string, name: string, own: FlowsRequest, asked: boolean): Promise<FlowsRequest> {
  const { savedQuery } = await import('../flows/saved.ts')
  const saved = await savedQuery({ dir: caseDir }, name)
  const limit = asked ? own.limit : (saved.limit ?? own.limit)
  const ofSaved = own.filter === undefined ? {} : { saved: false }
  return {
    ...saved,
    ...own,
    ...ofSaved,
    ...(limit !== undefined && { limit }),
    params: { ...saved.params, ...own.params },
  }
}

async function save(c: Case, name: string, request: FlowsRequest): Promise<void> {
  const [{ saveQuery }, { checkRequest }] = await Promise.all([
    import('../flows/saved.ts'),
    import('../flows/settle.ts'),
  ])
  await checkRequest(c, request)
  await saveQuery(c, name, request)
  await note(`tidemark: saved as ${visible(name)}: tidemark flows --query ${visible(quoted(name))}`)
}

async function explain(c: Case, request: FlowsRequest, options: FlowsCliOptions, signal: AbortSignal): Promise<void> {
  const { explainFlows } = await import('../flows/explain.ts')
  const explained = await explainFlows(c, request, { signal, ...ownFiles(options) })
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(explained))
  } else {
    const { explainedPage } = await import('../report/flows.ts')
    await printPage(explainedPage(explained), options.color)
  }
}
