import type { Command } from 'commander'
import { exitStatus } from '../errors.ts'
import type { Dossier } from '../investigate/dossier.ts'
import type { InvestigateOptions } from '../investigate/investigate.ts'
import { visible } from '../report/text.ts'
import { addReadingOptions, readInto } from './add.ts'
import { noteAdded, noteFoldersWithout, noteWriter } from './added.ts'
import { splitArguments } from './arguments.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import { type CommonOptions, collectPrefix, parseCount, parsePorts, type ReadingOptions } from './options.ts'
import { note, print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import { reportUnread } from './unread.ts'

interface Options extends CommonOptions, ReadingOptions {
  showWork?: true
  full?: true
  approvedPorts?: number[]
  internal?: string[]
  services?: number
  failOn?: Threshold
}

/** From the lowest; `none`: any finding or none, which never fails. */
const thresholds = ['none', 'info', 'low', 'medium', 'high'] as const
type Threshold = (typeof thresholds)[number]

/** Defines `tidemark investigate`. */
export function investigateCommand(program: Command): void {
  const command = program
    .command('investigate')
    .description(
      'Print the dossier of an address: when, how much, through which services, and what the logs cannot tell.',
    )
    .usage('[options] ADDRESS… [PATH…]')
    .argument('<address...>', 'addresses or networks, which make one dossier; then, if any, files and folders to read')
    .option('--json', 'print one JSON document instead of a page')
    .option('--full', 'print everything: timeline, window, ports, coverage, evidence, limits')
    .option('--show-work', 'add the SQL and the shell command that give each figure again')
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
        'services listed one by one, of which the rest is summed (default 10000, at most 200000)',
      ).argParser(parseServices),
    )
  command.addOption(
    new Option('--fail-on <severity>', 'exit with status 4 where a finding is at least that severe').choices(
      thresholds,
    ),
  )
  addReadingOptions(command)
    .addHelpText('after', investigateHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { subjects, paths } = await splitArguments(args, countAfterDashes(process.argv.slice(2)))
      // A case of the environment is not meant to be written by a command that was given files to look at.
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      const dossier = await interruptible(async signal => {
        const work = async (caseDir: string) => {
          if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
          // The page tells of connections with packets only.
          const correlation = options.json ? 'all' : 'with-packets'
          return investigateCase(caseDir, subjects, { ...options, correlation }, signal)
        }
        if (!isThrowAway) return work(options.case)
        const { withThrowAwayCase } = await import('./throw-away-case.ts')
        return withThrowAwayCase(work)
      })
      const rest = isThrowAway ? '--json lists them all' : 'tidemark evidence --json lists them all'
      await show(dossier, options, options.json ? 'see "problems" in the JSON document' : rest)
    })
}

const investigateHelp = `
With PATHs and without --case, they are read into a case that is thrown away afterwards. With --case, they are added to it first.
Default of --approved-ports: 22,53,80,123,443.

Examples:
  tidemark investigate 203.0.113.7
  tidemark investigate 203.0.113.7 2001:db8::/48 logs/ --json
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
  options: ReadingOptions,
  signal: AbortSignal,
  isKept: boolean,
): Promise<void> {
  const report = await readInto(caseDir, paths, options, signal)
  if (isKept) await noteAdded(report)
  signal.throwIfAborted()
  await noteFoldersWithout(report)
  if (report.case_records === 0) await note(`tidemark: no flow records in: ${paths.map(visible).join(' ')}`)
}

/** Opens the case, investigates the subjects and closes it. */
export async function investigateCase(
  caseDir: string,
  subjects: string[],
  options: Pick<Options, 'approvedPorts' | 'internal' | 'services'> & Pick<InvestigateOptions, 'correlation'>,
  signal: AbortSignal,
): Promise<Dossier> {
  const [{ openCase }, { investigate }] = await Promise.all([
    import('../store/case.ts'),
    import('../investigate/investigate.ts'),
  ])
  const { approvedPorts, internal, services, correlation } = options
  const choices: InvestigateOptions = {
    ...(approvedPorts !== undefined && { approvedPorts }),
    ...(internal !== undefined && { internal }),
    ...(services !== undefined && { servicesMax: services }),
    ...(correlation !== undefined && { correlation }),
    signal,
  }
  const waiting = startWaiting(() => `investigating ${subjects.join(' ')}`)
  const opened = await openCase(caseDir)
  try {
    await noteWriter(opened)
    return await investigate(opened, subjects, choices)
  } finally {
    waiting.stop()
    await opened.close()
  }
}

async function show(dossier: Dossier, options: Options, rest: string): Promise<void> {
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(dossier))
  } else {
    const { dossierPage } = await import('../report/dossier.ts')
    await printPage(
      dossierPage(dossier, { showWork: options.showWork === true, full: options.full === true }),
      options.color,
    )
  }
  await reportUnreadOf(dossier, rest)
  if (isAsked(dossier, options.failOn ?? 'none')) process.exitCode ||= exitStatus.asked
}

/** Whether a finding is at least that severe. */
function isAsked({ findings }: Dossier, least: Threshold): boolean {
  const rank = thresholds.indexOf(least)
  return rank > 0 && findings.some(({ severity }) => thresholds.indexOf(severity) >= rank)
}

/** Names what a dossier lacks, and sets the exit status that goes with it. */
export async function reportUnreadOf(dossier: Dossier, rest: string): Promise<void> {
  const { partly_read, unreadable, malformed } = dossier.evidence
  process.exitCode ||= await reportUnread(dossier.problems, partly_read + unreadable + malformed > 0, rest)
}
