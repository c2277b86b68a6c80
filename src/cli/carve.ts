import type { Command } from 'commander'
import type { CarveReport } from '../carve/carve.ts'
import type { TimeSpan, Wanted } from '../carve/selection.ts'
import type { EnrichmentProblem } from '../enrich/enrichment-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import { parsePrefix } from '../net/prefix.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import { countText, integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import type { Case } from '../store/case.ts'
import { addReadingOptions, readInto } from './add.ts'
import { noteAdded, noteFoldersWithout } from './added.ts'
import { requirePaths } from './arguments.ts'
import { Option } from './commander.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { interruptible } from './interrupt.ts'
import { checkOutput, forceOption, type OutputOptions, unlessReaderGone } from './named-output.ts'
import { collectPrefix, collectText, type ReadingOptions } from './options.ts'
import { note, print } from './output.ts'
import { startBar } from './progress.ts'
import { reportUnread } from './unread.ts'

interface Options extends OutputOptions, ReadingOptions, EnrichmentCliOptions {
  out: string
  finding?: string
  of?: string[]
  connection?: string[]
  nfdump?: true
  internal?: string[]
}

/** Defines `tidemark carve`. */
export function carveCommand(program: Command): void {
  const command = program
    .command('carve')
    .description('Take the packets of a filter, a finding or a connection out of captures.')
    .usage('[options] FILTER [CAPTURE…]')
    .argument('[filter-and-captures...]', 'a filter, then captures; without captures those of the case')
    .requiredOption(
      '-o, --out <file>',
      'file to write: .pcapng keeps each packet’s number as a comment, .pcap does not',
    )
    .option('--finding <id>', 'the packets of a finding, e.g. F2, instead of a filter; needs --of')
    .addOption(new Option('--of <address>', 'whose dossier has the finding (repeatable)').argParser(collectPrefix))
    .addOption(
      new Option('--connection <id>', 'the packets of a Community ID, instead of a filter (repeatable)').argParser(
        collectText,
      ),
    )
    .option('--nfdump', 'the filter means exactly what it means to nfdump 1.7.1')
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option(...forceOption)
    .option('--json', 'print one JSON document: what was taken, with the numbers of the packets')
  addReadingOptions(addEnrichmentOptions(command))
    .addHelpText('after', carveHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { filter, paths } = splitFilter(args, options)
      await requirePaths(paths)
      const { writerNamed } = await import('../carve/carve.ts')
      writerNamed(options.out)
      await checkOutput(options.out, paths, options, { option: '-o', makesFolders: true })
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      await unlessReaderGone(async () => {
        const report = await interruptible(async signal => {
          const work = async (caseDir: string): Promise<CarveReport> => {
            if (paths.length > 0) {
              const added = await readInto(caseDir, paths, options, signal)
              if (!isThrowAway) await noteAdded(added)
              await noteFoldersWithout(added)
            }
            signal.throwIfAborted()
            return run(caseDir, filter, options, signal)
          }
          if (!isThrowAway) return work(options.case)
          const { withThrowAwayCase } = await import('./throw-away-case.ts')
          return withThrowAwayCase(work)
        })
        await show(report, options)
      })
    })
}

const carveHelp = `
Packets come with both directions of their conversation. The captures of a case are read from where they were when they were added.

Examples:
  tidemark carve 'host 203.0.113.7 and port 22' investigate.pcap -o ssh.pcapng
  tidemark carve 'dst port 8889 and bytes > 1M' -o out.pcapng --case incident.tidemark
  tidemark carve --finding F2 --of 203.0.113.7 -o brute-force.pcap
  tidemark carve --connection 1:LQU9qZlK+B5F3KDmev6m5PMibrg= investigate.pcap -o one.pcapng`

/** Spans of captures that a warning names. */
const spansMost = 4

/** The first argument is the filter, unless an option says what is wanted. */
function splitFilter(args: string[], options: Options): { filter: string | null; paths: string[] } {
  const ways = [options.finding, options.connection].filter(way => way !== undefined).length
  if (ways > 1) throw usage('--finding and --connection exclude each other', 'name one of them')
  if (ways === 1) {
    if (options.finding !== undefined && !options.of?.length)
      throw usage(`whose finding: ${options.finding}`, 'name the address: --of 203.0.113.7')
    return { filter: null, paths: args }
  }
  const [filter, ...paths] = args
  if (filter === undefined)
    throw usage('no filter', "name what is wanted: tidemark carve 'host 203.0.113.7' -o out.pcapng")
  return { filter, paths }
}

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}

async function run(
  caseDir: string,
  filter: string | null,
  options: Options,
  signal: AbortSignal,
): Promise<CarveReport> {
  const [{ openCase }, { carve }] = await Promise.all([import('../store/case.ts'), import('../carve/carve.ts')])
  const opened = await openCase(caseDir)
  const bar = await startBar('carving')
  let problems: readonly EnrichmentProblem[] = []
  try {
    const wanted: Wanted =
      filter !== null
        ? {
            ...{ kind: 'filter', text: filter, nfdump: options.nfdump === true, enrichment: enrichmentOf(options) },
            onProblems: found => {
              problems = found
            },
          }
        : options.connection !== undefined
          ? { kind: 'community', ids: options.connection }
          : await ofFinding(opened, options, signal)
    const report = await carve(opened, {
      wanted,
      out: options.out,
      force: options.force === true,
      internal: (options.internal ?? []).map(text => parsePrefix(text)!),
      limits: {
        ...(options.maxExpand !== undefined && { ratioMax: options.maxExpand }),
        ...(options.maxExpanded !== undefined && { bytesMax: options.maxExpanded }),
      },
      signal,
      onProgress: (done, total, packets) => bar.update(done, total, `${integerText(packets)} packets`),
    })
    bar.stop()
    await reportEnrichment(problems)
    return report
  } finally {
    bar.stop()
    await opened.close()
  }
}

/** The services of a finding, in its time by the clock of the captures. */
async function ofFinding(opened: Case, options: Options, signal: AbortSignal): Promise<Wanted> {
  const { servicesOfFinding } = await import('./finding.ts')
  const { dossier, finding, services } = await servicesOfFinding(opened, options.finding!, options, signal)
  const offset = (dossier.correlation_summary?.clock_offset.seconds ?? 0) * 1e6
  // Times of flow logs are whole seconds, and may be late by the interval.
  const slack = dossier.source === 'logs' ? 60e6 : 0
  const { first_start, last_end } = finding
  const byCapture = (time: string): string => utcSeconds(Math.round((microsecondsOf(time) - offset) / 1e6) * 1e6)
  return {
    kind: 'services',
    time:
      first_start === null || last_end === null
        ? null
        : { first_start: byCapture(first_start), last_end: byCapture(last_end) },
    services: services.map(({ client, server, port, protocol }) => ({
      ...{ client, server, port, protocol },
      from_us: first_start === null ? -1e15 : microsecondsOf(first_start) - offset - slack,
      to_us: last_end === null ? 1e16 : microsecondsOf(last_end) - offset + 1e6,
    })),
  }
}

async function show(report: CarveReport, options: Options): Promise<void> {
  const places = report.files.flatMap(({ path, problem }) => (problem === null ? [] : [{ path, problem }]))
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(report))
  } else {
    await note(
      `${integerText(report.carved)} of ${countText(report.packets, 'packet')} in ${countText(report.files.length, 'capture')}: ${visible(options.out)}`,
    )
  }
  for (const line of await missed(report)) await note(`tidemark: ${line}`)
  const unread = [...report.unread, ...places]
  process.exitCode ||= await reportUnread(unread, unread.length > 0, 'tidemark evidence --json lists them all')
}

/** What the output does not hold, and why. */
async function missed({ carved, cut, matched, covered, wanted }: CarveReport): Promise<string[]> {
  const { reachesBeyond } = await import('../carve/reach.ts')
  const spanText = ({ first_start, last_end }: TimeSpan): string => `${first_start} to ${last_end}`
  const shown = covered.slice(0, spansMost).map(spanText).join(', ')
  const more = covered.length > spansMost ? ` and ${integerText(covered.length - spansMost)} more spans` : ''
  const cover = covered.length === 0 ? 'no capture has a packet with a time' : `the captures cover ${shown}${more}`
  const nothing = matched === 0 ? 'no record of the captures matches' : 'no packet of the captures matches'
  const lines = carved > 0 ? [] : [`no packet was taken: ${nothing}; ${cover}`]
  if (cut > 0)
    lines.push(
      `${countText(cut, 'packet')} of these ${cut === 1 ? 'is' : 'are'} cut: the capture holds only the beginning`,
    )
  if (wanted !== null && reachesBeyond(wanted, covered))
    lines.push(`what is wanted is from ${spanText(wanted)}, but ${cover}: the packets of the rest are in no capture`)
  return lines
}
