import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { Origins } from '../controls/advice.ts'
import type { ControlsAnswer } from '../controls/control.ts'
import type { ControlsOptions } from '../controls/controls.ts'
import { exitStatus, UserError } from '../errors.ts'
import { addReadingOptions } from './add.ts'
import { noteWriter } from './added.ts'
import { splitAny } from './arguments.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import {
  addLiveOptions,
  askLive,
  type Live,
  type LiveOptions,
  liveWords,
  printPosture,
  refuseLiveOptions,
} from './controls-live.ts'
import { restText } from './detect-modes.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { interruptible } from './interrupt.ts'
import { countAfterDashes, readAll, reportUnreadOf } from './investigate.ts'
import { type CommonOptions, collectPrefix, collectText, parsePorts, type ReadingOptions } from './options.ts'
import { print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import { quoted } from './shell-words.ts'

interface Options extends CommonOptions, ReadingOptions, EnrichmentCliOptions, LiveOptions {
  findings?: true
  all?: true
  code?: 'terraform' | 'cloudformation' | 'aws-cli'
  only?: string[]
  share?: number
  approvedPorts?: number[]
  internal?: string[]
  at?: string
  try?: string[]
}

/** Defines `tidemark controls`. */
export function controlsCommand(program: Command): void {
  const command = withOptions(program)
  addReadingOptions(addLiveOptions(addEnrichmentOptions(command)))
    .addHelpText('after', controlsHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { subjects, paths } = await subjectsOf(args, options)
      const asked = await askedOf(options)
      // A case of the environment is not meant to be written by a command that was given files to look at.
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      const isCaseNamed = command.getOptionValueSourceWithGlobals('case') !== 'default'
      await interruptible(async signal => {
        const live = options.live ? await askLive(options, signal) : null
        const work = async (caseDir: string): Promise<void> => {
          if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
          const again = commandOf(subjects, options, isThrowAway ? paths : [])
          await show(caseDir, subjects, { ...asked, ...live?.asked, signal }, options, again, isThrowAway, live)
        }
        const why = (await live?.untried(options.case, subjects.length + paths.length > 0 || isCaseNamed)) ?? null
        if (live !== null && why !== null) return printPosture(live, options, why)
        if (!isThrowAway) return work(options.case)
        const { withThrowAwayCase } = await import('./throw-away-case.ts')
        return withThrowAwayCase(work)
      })
    })
}

function withOptions(program: Command): Command {
  return program
    .command('controls')
    .description('Say which controls would have stopped an attacker, and try each on the recorded flows.')
    .usage('[options] ADDRESS… | --findings | --live [PATH…]')
    .argument('[address...]', 'addresses or networks of the attacker; then, if any, files and folders to read')
    .option('--findings', 'in place of an address: the hosts outside that detect finds to act')
    .option('--json', 'print one JSON document instead of a page')
    .option('--all', 'tell everything on the page: costs, every rule and service, patterns of alarms')
    .addOption(
      new Option('--code <format>', 'print the code of the controls, and nothing else').choices([
        'terraform',
        'cloudformation',
        'aws-cli',
      ]),
    )
    .addOption(new Option('--only <id>', 'only that control, like C1 (repeatable)').argParser(collectText))
    .addOption(
      new Option(
        '--share <share>',
        'of the other connections and bytes that left, what the list of what may leave must cover (default 0.99)',
      ).argParser(parseShare),
    )
    .addOption(
      new Option('--approved-ports <list>', 'ports on which a service counts as standard').argParser(parsePorts),
    )
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option('--at <time>', 'the controls are in force from then on: 2023-09-28T19:00, in UTC (default: always)')
    .addOption(
      new Option(
        '--try <file>',
        'try your own rules instead: what aws ec2 describe-security-groups, -network-acls, … print (repeatable)',
      ).argParser(collectText),
    )
}

const controlsHelp = `
With PATHs and without --case, they are read into a case that is thrown away afterwards. With --case, they are added to it first.
Default of --approved-ports: 22,53,80,123,443.

Examples:
  tidemark controls 203.0.113.7
  tidemark controls --findings logs/
  tidemark controls 203.0.113.7 --only C1 --code terraform
  tidemark controls 203.0.113.7 --at 2023-09-28T19:00 --json
  tidemark controls 203.0.113.7 --try groups.json --try interfaces.json
  tidemark controls --live --live-region all

More: tidemark help trials, tidemark help network-rules, tidemark help alarms.`

function parseShare(text: string): number {
  const share = /^(0?\.\d+|1(\.0*)?)$/.test(text) ? Number(text) : Number.NaN
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('Expected a number above 0, at most 1, like 0.99.')
  return share
}

/** @throws UserError (status 2) where it is not said against whom. */
async function subjectsOf(args: string[], options: Options): Promise<{ subjects: string[]; paths: string[] }> {
  const { subjects, lists, paths } = await splitAny(args, countAfterDashes(process.argv.slice(2)))
  const unfit = (message: string, hint: string): UserError => new UserError(message, { hint, status: exitStatus.usage })
  if (lists.length > 0) throw unfit('controls takes no @LIST', 'name the addresses, or the networks they lie in')
  if (options.findings && subjects.length > 0)
    throw unfit('--findings does not go with an address', 'leave one of them out')
  if (options.live && options.try !== undefined)
    throw unfit('--try does not go with --live', 'each names the rules that are tried: leave one of them out')
  refuseLiveOptions(options)
  const ownRules = options.live ? 'live' : options.try === undefined ? null : 'try'
  if (!options.findings && subjects.length === 0 && ownRules === null)
    throw unfit('no address to stop', 'name it: tidemark controls 203.0.113.7, or give --findings')
  if (options.code !== undefined && options.json)
    throw unfit('--code does not go with --json', 'the JSON document has the code of every control, under code')
  const [idle] = (['findings', 'only', 'share', 'code'] as const).filter(name => options[name] !== undefined)
  if (ownRules !== null && idle !== undefined)
    throw unfit(
      `--${idle} does not go with --${ownRules}`,
      'it is about controls that are recommended: leave it out, or ask twice',
    )
  const rules = paths.find(looksLikeRules)
  if (rules !== undefined)
    throw unfit(
      `${rules} looks like security groups or their like, not like flow records`,
      `try them: --try ${quoted(rules)}`,
    )
  return { subjects, paths }
}

/** Answers of AWS about what is there begin with a list's name. */
const rulesStart =
  /^\s*\{\s*"(SecurityGroups|SecurityGroupRules|NetworkAcls|NetworkInterfaces|Subnets|PrefixLists)"\s*:/
const startBytes = 4096

/** Whether a file is one of those that --try reads. What cannot be read is no such file: reading it says why. */
function looksLikeRules(path: string): boolean {
  let fd: number | null = null
  try {
    if (!statSync(path).isFile()) return false
    fd = openSync(path, 'r')
    const start = Buffer.alloc(startBytes)
    return rulesStart.test(start.toString('utf8', 0, readSync(fd, start)))
  } catch {
    return false
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

async function askedOf({ only, share, approvedPorts, internal, at, ...options }: Options): Promise<ControlsOptions> {
  const at_us = at === undefined ? undefined : await (await import('./selection.ts')).timeOf('--at', at)
  return {
    ...(only !== undefined && { only }),
    ...(share !== undefined && { share }),
    ...(approvedPorts !== undefined && { approvedPorts }),
    ...(internal !== undefined && { internal }),
    ...(at_us !== undefined && { at_us }),
    ...(options.try !== undefined && { tryFiles: options.try }),
    enrichment: enrichmentOf(options),
  }
}

async function show(
  caseDir: string,
  subjects: readonly string[],
  asked: ControlsOptions,
  options: Options,
  again: string,
  isThrowAway: boolean,
  live: Live | null,
): Promise<void> {
  const { origins, ...found } = await controlsOf(caseDir, subjects, asked)
  if (options.code !== undefined) await printCode(found, options.code)
  else if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(live === null ? found : { ...found, posture: live.posture }))
  } else {
    if (live !== null) await printPosture(live, options, null)
    const { controlsPage } = await import('../report/controls.ts')
    await printPage(controlsPage(found, again, options.all === true), options.color)
  }
  await reportUnreadOf(found, restText(options.json === true, isThrowAway))
  await reportEnrichment(found.enrichment_problems)
  await live?.reportUnknown()
  await live?.reportElsewhere(origins)
}

async function printCode({ set, controls }: ControlsAnswer, format: NonNullable<Options['code']>): Promise<void> {
  const code = set.code[format === 'aws-cli' ? 'aws_cli' : format]
  if (code === null)
    throw new UserError(
      controls.length === 0
        ? 'no control to write code for'
        : `these controls have no code: ${set.controls.join(', ')}`,
      { hint: 'without --code the page tells why' },
    )
  await print(code.trimEnd())
}

const nowhere: Origins = { accounts: [], regions: [] }

async function controlsOf(
  caseDir: string,
  subjects: readonly string[],
  asked: ControlsOptions,
): Promise<ControlsAnswer & { origins: Origins }> {
  const [{ openCase }, { controls }, { originsOf }] = await Promise.all([
    import('../store/case.ts'),
    import('../controls/controls.ts'),
    import('../controls/origins.ts'),
  ])
  const opened = await openCase(caseDir)
  const waiting = startWaiting(() => 'trying controls')
  try {
    await noteWriter(opened)
    return { ...(await controls(opened, subjects, asked)), origins: asked.live ? await originsOf(opened) : nowhere }
  } finally {
    waiting.stop()
    await opened.close()
  }
}

/** The same question, to ask it with other options. */
function commandOf(subjects: readonly string[], options: Options, thrownAway: readonly string[]): string {
  const { case: dir, findings, internal = [], networks = [], share, approvedPorts, at, try: files = [] } = options
  const words = [
    ...liveWords(options),
    ...(findings ? ['--findings'] : subjects),
    ...internal.flatMap(one => ['--internal', one]),
    ...networks.flatMap(one => ['--networks', quoted(one)]),
    ...(share === undefined ? [] : ['--share', `${share}`]),
    ...(approvedPorts === undefined ? [] : ['--approved-ports', approvedPorts.join(',')]),
    ...(at === undefined ? [] : ['--at', quoted(at)]),
    ...files.flatMap(one => ['--try', quoted(one)]),
    ...(thrownAway.length > 0 ? thrownAway.map(quoted) : dir === 'case.tidemark' ? [] : ['--case', quoted(dir)]),
  ]
  return `tidemark controls ${words.join(' ')}`
}
