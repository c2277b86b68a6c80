import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { Dossier } from '../investigate/dossier.ts'
import type { InvestigateOptions } from '../investigate/investigate.ts'
import type { SelectionOptions } from '../investigate/selection.ts'
import { visible } from '../report/text.ts'
import type { Case } from '../store/case.ts'
import { addReadingOptions, readInto } from './add.ts'
import { noteAdded, noteFoldersWithout, noteWriter } from './added.ts'
import { splitArguments } from './arguments.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { failOn, failOnSweep, type Threshold, thresholds } from './fail-on.ts'
import { interruptible } from './interrupt.ts'
import {
  type CommonOptions,
  collectPrefix,
  collectText,
  parseCount,
  parsePorts,
  type ReadingOptions,
} from './options.ts'
import { note, print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import type { SelectionCliOptions } from './selection.ts'
import { quoted } from './shell-words.ts'
import { addSourceOptions, type SourceCliOptions, windowOf } from './source-options.ts'
import type { ListedSubjects } from './subjects.ts'
import { reportUnread } from './unread.ts'

interface Options extends CommonOptions, ReadingOptions, SelectionCliOptions, EnrichmentCliOptions, SourceCliOptions {
  showWork?: true
  full?: true
  all?: true
  basis?: true
  sweep?: true
  judge?: number
  lines?: string
  approvedPorts?: number[]
  internal?: string[]
  services?: number
  failOn?: Threshold
}

/** Defines `tidemark investigate`. */
export function investigateCommand(program: Command): void {
  const command = withOptions(program)
  addSourceOptions(addReadingOptions(addEnrichmentOptions(command)))
    .addHelpText('after', investigateHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { subjects, lists, paths } = await splitArguments(args, countAfterDashes(process.argv.slice(2)))
      const listed = await listedIn(lists)
      const { selectionOf } = await import('./selection.ts')
      const asked: Asked = {
        subjects: [...new Set([...subjects, ...listed.subjects.map(one => one.text)])],
        selection: await selectionOf({ ...windowOf(options), ...options }),
        paths,
        listed,
        // A case of the environment is not meant to be written by a command that was given files to look at.
        isThrowAway: paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli',
      }
      const isSweep = options.sweep === true || lists.length > 0
      if (isSweep && options.lines !== undefined)
        throw new UserError('--lines is of one dossier, not of a sweep', { status: exitStatus.usage })
      await interruptible(async signal => {
        const work = async (caseDir: string): Promise<void> => {
          if (paths.length > 0) await readAll(caseDir, paths, options, signal, !asked.isThrowAway)
          if (options.lines !== undefined) await showLines(caseDir, asked, options.lines, options, signal)
          else if (isSweep) await showSweep(caseDir, asked, options, signal)
          else await showDossier(caseDir, asked, options, signal)
        }
        if (!asked.isThrowAway) return work(options.case)
        const { withThrowAwayCase } = await import('./throw-away-case.ts')
        return withThrowAwayCase(work)
      })
      if (listed.problems.count > 0) await (await import('./subjects.ts')).noteBadLines(listed.problems)
    })
}

function withOptions(program: Command): Command {
  return program
    .command('investigate')
    .description(
      'Print the dossier of an address: when, how much, through which services, and what the logs cannot tell.',
    )
    .usage('[options] ADDRESS… [PATH…]')
    .argument(
      '<address...>',
      'addresses or networks, which make one dossier, or @LIST with one a line; then, if any, files and folders to read',
    )
    .option('--json', 'print one JSON document instead of a page')
    .option('--full', 'print everything: timeline, window, ports, coverage, evidence, limits')
    .option(
      '--show-work',
      'add the SQL that gives records, window, ports and findings, and where awk can count them, a shell command',
    )
    .option('--lines <id>', 'print the log lines that a finding (F4) or a service (S2) rests on')
    .option('--sweep', 'one row for each address, seen or not, instead of one dossier; what @LIST does by itself')
    .addOption(
      new Option('--judge <count>', 'of a sweep: indicators that rules look at (default 20)').argParser(parseCount),
    )
    .option('--all', 'list every service, port and connection in --json, and every indicator of a sweep')
    .option('--basis', 'name every record of each finding in --json')
    .addOption(
      new Option('--approved-ports <list>', 'ports on which a service counts as standard').argParser(parsePorts),
    )
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .addOption(
      new Option(
        '--services <count>',
        'services listed one by one, of which the rest is summed (default 1000, at most 200000)',
      ).argParser(parseServices),
    )
    .option('--from <time>', 'only records that end at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--to <time>', 'only records that start before it; before the end of it, where it is a day')
    .addOption(
      new Option('--sensor <name>', 'only records of a sensor, e.g. an interface (repeatable)').argParser(collectText),
    )
    .addOption(
      new Option(
        '--fail-on <severity>',
        'exit with status 4 where a finding is at least that severe, even where something could not be read',
      ).choices(thresholds),
    )
}

/** Few questions have lists: what reads them is loaded for those. */
async function listedIn(paths: readonly string[]): Promise<ListedSubjects> {
  if (paths.length === 0) return { subjects: [], lines: 0, problems: { count: 0, first: [] } }
  return (await import('./subjects.ts')).readSubjects(paths)
}

interface Asked {
  subjects: string[]
  selection: SelectionOptions
  paths: string[]
  listed: ListedSubjects
  isThrowAway: boolean
}

const investigateHelp = `
With PATHs and without --case, they are read into a case that is thrown away afterwards. With --case, they are added to it first.
A LIST has one address or network a line, also as 1[.]2[.]3[.]4, hxxp://1.2.3.4/x or 1.2.3.4:443; # begins a comment.
Default of --approved-ports: 22,53,80,123,443.

Examples:
  tidemark investigate 203.0.113.7
  tidemark investigate 203.0.113.7 2001:db8::/48 logs/ --json
  tidemark investigate 203.0.113.7 --from 2023-09-28T19:00 --to 2023-09-28T20:00
  tidemark investigate 203.0.113.7 --lines F4
  tidemark investigate 203.0.113.7 s3://bucket/AWSLogs/ --from 2023-09-28T19:00 --to 2023-09-28T20:00
  tidemark investigate @iocs.txt
  tidemark investigate 203.0.113.0/24 --case incident.tidemark --show-work`

/** Each takes some 2 KB, and all are one text in the end. */
const servicesMost = 200_000

function parseServices(text: string): number {
  const count = parseCount(text)
  if (count > servicesMost) throw new InvalidArgumentError(`Expected at most ${servicesMost}.`)
  return count
}

/** Arguments after \`--\`, which commander itself takes away. */
export function countAfterDashes(argv: string[]): number {
  const at = argv.indexOf('--')
  return at < 0 ? 0 : argv.length - at - 1
}

/** Reads the PATHs of a question. `isKept`: into a case that stays. */
export async function readAll(
  caseDir: string,
  paths: string[],
  options: ReadingOptions & SourceCliOptions & { from?: string; to?: string; json?: true },
  signal: AbortSignal,
  isKept: boolean,
): Promise<void> {
  const report = await readInto(caseDir, paths, options, signal, isKept)
  if (isKept) await noteAdded(report)
  signal.throwIfAborted()
  await noteFoldersWithout(report)
  if (report.case_records === 0) await note(`tidemark: no flow records in: ${paths.map(visible).join(' ')}`)
}

type Choices = Pick<Options, 'approvedPorts' | 'internal' | 'services'> &
  Pick<InvestigateOptions, 'correlation' | 'selection' | 'basis' | 'enrichment'>

/** Opens the case, investigates the subjects and closes it. */
export async function investigateCase(
  caseDir: string,
  subjects: string[],
  choices: Choices,
  signal: AbortSignal,
): Promise<Dossier> {
  const { investigate } = await import('../investigate/investigate.ts')
  return withCase(caseDir, async opened => {
    const waiting = startWaiting(() => `investigating ${subjects.join(' ')}`)
    try {
      return await investigate(opened, subjects, investigateOptions(choices, signal))
    } finally {
      waiting.stop()
    }
  })
}

async function withCase<T>(caseDir: string, work: (opened: Case) => Promise<T>): Promise<T> {
  const { openCase } = await import('../store/case.ts')
  const opened = await openCase(caseDir)
  try {
    await noteWriter(opened)
    return await work(opened)
  } finally {
    await opened.close()
  }
}

/** Services that are listed: a page shows few of them, and a script can hold these. */
const servicesByDefault = 1000

function investigateOptions(choices: Choices, signal: AbortSignal): InvestigateOptions {
  const { approvedPorts, internal, services = servicesByDefault, correlation, selection, basis, enrichment } = choices
  return {
    ...(approvedPorts !== undefined && { approvedPorts }),
    ...(internal !== undefined && { internal }),
    ...(correlation !== undefined && { correlation }),
    ...(selection !== undefined && { selection }),
    ...(basis !== undefined && { basis }),
    ...(enrichment !== undefined && { enrichment }),
    servicesMax: services,
    signal,
  }
}

function choicesOf(options: Options, { selection }: Asked): Choices {
  const { approvedPorts, internal, all, basis } = options
  const services = options.services ?? (all ? servicesMost : undefined)
  return {
    ...(approvedPorts !== undefined && { approvedPorts }),
    ...(internal !== undefined && { internal }),
    ...(services !== undefined && { services }),
    ...(basis && { basis: 'all' as const }),
    // The page tells of connections with packets only.
    correlation: options.json ? 'all' : 'with-packets',
    selection,
    enrichment: enrichmentOf(options),
  }
}

async function showDossier(caseDir: string, asked: Asked, options: Options, signal: AbortSignal): Promise<void> {
  const dossier = await investigateCase(caseDir, asked.subjects, choicesOf(options, asked), signal)
  if (options.json) {
    const [{ toJson }, { dossierJson }] = await Promise.all([
      import('../report/json.ts'),
      import('../report/dossier-json.ts'),
    ])
    await print(toJson(dossierJson(dossier, options.all ? Number.POSITIVE_INFINITY : undefined)))
  } else {
    const { dossierPage } = await import('../report/dossier.ts')
    const page = dossierPage(dossier, { showWork: options.showWork === true, full: options.full === true })
    await printPage(page, options.color)
  }
  await reportUnreadOf(dossier, restOf(asked, options))
  await reportEnrichment(dossier.enrichment_problems)
  failOn(
    options.failOn ?? 'none',
    dossier.findings.map(({ severity }) => severity),
  )
}

function restOf({ isThrowAway }: Asked, { json }: Options): string {
  if (json) return 'see "problems" in the JSON document'
  return isThrowAway ? '--json lists them all' : 'tidemark evidence --json lists them all'
}

async function showLines(
  caseDir: string,
  asked: Asked,
  id: string,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const [{ placesOfPart }, { linePlaces, showVerbatim }] = await Promise.all([
    import('../investigate/part-lines.ts'),
    import('./lines.ts'),
  ])
  await withCase(caseDir, async opened => {
    const choices = investigateOptions(choicesOf(options, asked), signal)
    const waiting = startWaiting(() => `investigating ${asked.subjects.join(' ')}`)
    const found = await placesOfPart(opened, asked.subjects, id, choices).finally(() => waiting.stop())
    const places = await linePlaces(found)
    await showVerbatim(opened, places, { subject: asked.subjects, of: id.toUpperCase() }, options, signal)
  })
}

async function showSweep(caseDir: string, asked: Asked, options: Options, signal: AbortSignal): Promise<void> {
  const [{ sweep }, { startBar }] = await Promise.all([import('../investigate/sweep.ts'), import('./progress.ts')])
  const found = await withCase(caseDir, async opened => {
    const bar = await startBar('judging')
    const onJudged = (done: number, of: number): void => bar.update(done, of, `${done} of ${of} indicators`)
    try {
      const judged = options.judge === undefined ? {} : { judgedMax: options.judge }
      return await sweep(opened, asked.subjects, {
        ...investigateOptions(choicesOf(options, asked), signal),
        ...judged,
        onJudged,
      })
    } finally {
      bar.stop()
    }
  })
  const paths = asked.paths.length === 0 ? '' : ` ${asked.paths.map(quoted).join(' ')}`
  const at = asked.isThrowAway ? paths : options.case === 'case.tidemark' ? '' : ` --case ${quoted(options.case)}`
  const commandOf = (indicator: string): string => `tidemark investigate ${indicator}${at}`
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(
      toJson({
        ...found,
        lists: {
          lines: asked.listed.lines,
          unread: asked.listed.problems.count,
          unread_lines: asked.listed.problems.first,
        },
        sweep: found.sweep.map(row => ({ ...row, command: commandOf(row.indicator) })),
      }),
    )
  } else {
    const { sweepPage } = await import('../report/sweep.ts')
    await printPage(sweepPage(found, asked.listed, commandOf, options.all === true), options.color)
  }
  await reportUnreadOf(found, restOf(asked, options))
  await failOnSweep(options.failOn ?? 'none', found)
}

type Unread = Pick<Dossier, 'problems'> & {
  evidence: Pick<Dossier['evidence'], 'partly_read' | 'unreadable' | 'malformed'>
}

/** Names what a dossier lacks, and sets the exit status that goes with it. */
export async function reportUnreadOf(dossier: Unread, rest: string): Promise<void> {
  const { partly_read, unreadable, malformed } = dossier.evidence
  process.exitCode ||= await reportUnread(dossier.problems, partly_read + unreadable + malformed > 0, rest)
}
