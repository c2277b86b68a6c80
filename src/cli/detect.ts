import type { Command } from 'commander'
import type { Detections, DetectOptions } from '../detect/detect.ts'
import { type Severity, severities } from '../rules/finding.ts'
import { addReadingOptions } from './add.ts'
import { noteWriter } from './added.ts'
import { Option } from './commander.ts'
import { addModes, type ModeOptions, modeOf, restText } from './detect-modes.ts'
import { addRuleOptions, askedRules, printRules, type RuleOptions, reportFailedRules } from './detect-rules.ts'
import { addEngineOptions, type EngineCliOptions, refuseWithoutEngine } from './engine-options.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { failOn, type Threshold, thresholds } from './fail-on.ts'
import { splitFilter } from './flows-arguments.ts'
import { interruptible } from './interrupt.ts'
import { countAfterDashes, readAll, reportUnreadOf } from './investigate.ts'
import { type CommonOptions, collectPrefix, type ReadingOptions } from './options.ts'
import { print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import { quoted } from './shell-words.ts'
import { addAwsOptions, refuseAccountOptions } from './source-options.ts'

interface Options
  extends CommonOptions,
    ReadingOptions,
    ModeOptions,
    RuleOptions,
    EnrichmentCliOptions,
    EngineCliOptions {
  all?: true
  from?: string
  to?: string
  host?: string[]
  internal?: string[]
  scanner?: string[]
  minSeverity?: Severity
  failOn?: Threshold
}

/** Defines `tidemark detect`. */
export function detectCommand(program: Command): void {
  const command = addModes(withOptions(program))
  addAwsOptions(addEngineOptions(addReadingOptions(addEnrichmentOptions(addRuleOptions(command))), engineText))
    .addHelpText('after', detectHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      if (options.listRules) return printRules(options)
      const { filter, paths } = await splitFilter(args, countAfterDashes(process.argv.slice(2)), {})
      const asked = { ...(await askedOf(options)), ...(filter !== undefined && { filter }) }
      const isCaseNamed = command.getOptionValueSourceWithGlobals('case') === 'cli'
      if (!options.engine?.startsWith('athena://')) refuseAccountOptions(options, '--engine athena://…')
      if (options.engine !== undefined) {
        const { detectOfEngine } = await import('./detect-engine.ts')
        const dir = isCaseNamed ? options.case : null
        return interruptible(signal => detectOfEngine({ asked, paths, dir }, options, signal))
      }
      refuseWithoutEngine(options, { '--dry-run': options.dryRun })
      const mode = await modeOf(options, asked)
      // A case of the environment is not meant to be written by a command that was given files to look at.
      const isThrowAway = paths.length > 0 && !isCaseNamed
      await interruptible(async signal => {
        const work = async (caseDir: string): Promise<void> => {
          if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
          const dossierOf = (host: string): string => commandOf(host, options, isThrowAway ? paths : [])
          if (mode !== null) await mode(caseDir, signal, dossierOf, isThrowAway)
          else await show(caseDir, { ...asked, signal }, options, dossierOf, isThrowAway)
        }
        if (!isThrowAway) return work(options.case)
        const { withThrowAwayCase } = await import('./throw-away-case.ts')
        return withThrowAwayCase(work)
      })
    })
}

function withOptions(program: Command): Command {
  return program
    .command('detect')
    .description('Rank the hosts that behave like attackers, with the evidence and what could not be decided.')
    .usage('[options] [FILTER] [PATH…]')
    .argument('[filter...]', 'which connections, one argument; then, if any, files and folders to read')
    .option('--json', 'print one JSON document instead of a page')
    .option('--all', 'list every host and finding')
    .addOption(
      new Option('--host <address>', 'only findings that an address or network is in (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .addOption(new Option('--min-severity <severity>', 'only findings at least that severe').choices(severities))
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .addOption(
      new Option('--scanner <network>', 'scanner of your own: what it does is of severity info (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option('--from <time>', 'only connections that begin at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--to <time>', 'only connections that begin before it; before the end of it, where it is a day')
    .addOption(
      new Option(
        '--fail-on <severity>',
        'exit with status 4 where a finding is at least that severe, even where something could not be read',
      ).choices(thresholds),
    )
}

const engineText = 'ask a table of an engine instead of a case, and pull the records of who may be in a finding'

const detectHelp = `
The filter is that of flows, as one argument: connections that have a record which meets it. An argument that is no filter and names a file is
a PATH; after -- all are. With PATHs and without --case, they are read into a case that is thrown away afterwards. With --case, they are added to it first.
With --engine, each rule says what sums its findings need at least; the engine names the hosts that have them, their records are pulled, and
the rules run here. What runs so finds the same; rules that cannot are named. With --case, the case of these records is kept.

Examples:
  tidemark detect logs/
  tidemark detect --internal 198.51.100.0/24 --min-severity medium
  tidemark detect 'port 22 and not net 10.9.0.0/16' --rule D02
  tidemark detect --set D01.targetsMin=20 --json --fail-on high
  tidemark detect --from-host 10.0.0.7 --at 2023-09-28T19:23
  tidemark detect --baseline 2023-09-01..2023-09-27
  tidemark detect --engine trino://localhost:8080/hive/network/flow_logs --from 2023-09-28 --to 2023-09-28`

async function askedOf(options: Options): Promise<DetectOptions> {
  const { selectionOf } = await import('./selection.ts')
  const { from, to, host, internal, scanner, minSeverity } = options
  const { from_us, to_us } = await selectionOf({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
  return {
    ...(from_us !== undefined && { from_us }),
    ...(to_us !== undefined && { to_us }),
    ...(host !== undefined && { hosts: host }),
    ...askedRules(options),
    ...(internal !== undefined && { internal }),
    ...(scanner !== undefined && { scanners: scanner }),
    ...(minSeverity !== undefined && { minSeverity }),
    enrichment: enrichmentOf(options),
  }
}

async function show(
  caseDir: string,
  asked: DetectOptions,
  options: Options,
  dossierOf: (host: string) => string,
  isThrowAway: boolean,
): Promise<void> {
  const found = await detectCase(caseDir, asked)
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(found))
  } else {
    const { detectionsPage } = await import('../report/detections.ts')
    await printPage(detectionsPage(found, dossierOf, options.all === true), options.color)
  }
  await reportUnreadOf(found, restText(options.json === true, isThrowAway))
  await reportFailedRules(found)
  await reportEnrichment(found.enrichment_problems)
  failOn(
    options.failOn ?? 'none',
    found.findings.map(({ severity }) => severity),
  )
}

async function detectCase(caseDir: string, asked: DetectOptions): Promise<Detections> {
  const [{ openCase }, { detect }] = await Promise.all([import('../store/case.ts'), import('../detect/detect.ts')])
  const opened = await openCase(caseDir)
  const waiting = startWaiting(() => 'looking for who behaves like an attacker')
  try {
    await noteWriter(opened)
    return await detect(opened, asked)
  } finally {
    waiting.stop()
    await opened.close()
  }
}

/** The command that prints a host's dossier. */
function commandOf(
  host: string,
  { case: dir, internal = [], networks: files = [] }: Options,
  thrownAway: readonly string[],
): string {
  const networks = [
    ...internal.map(one => ` --internal ${one}`),
    ...files.map(one => ` --networks ${quoted(one)}`),
  ].join('')
  const paths = thrownAway.map(path => ` ${quoted(path)}`).join('')
  const where = thrownAway.length > 0 ? paths : dir === 'case.tidemark' ? '' : ` --case ${quoted(dir)}`
  return `tidemark investigate ${host}${networks}${where}`
}
