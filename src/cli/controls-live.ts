/** `controls --live`: what AWS says of flow logs, groups and network ACLs. */
import type { Command } from 'commander'
import type { Origins } from '../controls/advice.ts'
import type { ControlsOptions } from '../controls/controls.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { Posture } from '../posture/posture.ts'
import { visible } from '../visible.ts'
import { Option } from './commander.ts'
import { type CommonOptions, collectText } from './options.ts'
import { note, print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'
import { quoted } from './shell-words.ts'
import { type AwsCliOptions, addAccountOptions, awsOptionsOf, refuseAccountOptions } from './source-options.ts'

export interface LiveOptions extends AwsCliOptions {
  live?: true
  liveRegion?: string[]
  liveRole?: string[]
}

export interface Live {
  posture: Posture
  /** The rules that are tried. */
  asked: Pick<ControlsOptions, 'tryTexts' | 'live'>
  /**
   * Why the rules cannot be tried; null: they can.
   *
   * @param isAsked whether flows were named: then it is an error that there are none.
   */
  untried(caseDir: string, isAsked: boolean): Promise<string | null>
  /** Names on standard error what AWS did not tell, and sets the exit status that goes with it. */
  reportUnknown(): Promise<void>
  /**
   * The same of accounts and regions that records are of and of which AWS told nothing: private addresses are the same in many. Which account a
   * region is of the records need not say: each is looked for by itself.
   */
  reportElsewhere(records: Origins): Promise<void>
}

export function addLiveOptions(command: Command): Command {
  command
    .option(
      '--live',
      'ask AWS: what no flow log records, and the groups and network ACLs in force, tried in place of recommendations',
    )
    .addOption(
      new Option('--live-region <name>', 'with --live: a region, or all that are enabled (repeatable)').argParser(
        collectText,
      ),
    )
    .addOption(
      new Option('--live-role <arn>', 'with --live: a role to take on, one for each account (repeatable)').argParser(
        collectText,
      ),
    )
  return addAccountOptions(command)
}

/** What the command that was asked has of these, to ask again. */
export function liveWords({
  live,
  liveRegion = [],
  liveRole = [],
  profile,
  roleArn,
  region,
  endpoint,
}: LiveOptions): string[] {
  if (!live) return []
  const option = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [name, quoted(value)]
  return [
    '--live',
    ...liveRegion.flatMap(one => option('--live-region', one)),
    ...liveRole.flatMap(one => option('--live-role', one)),
    ...option('--profile', profile),
    ...option('--role-arn', roleArn),
    ...option('--region', region),
    ...option('--endpoint', endpoint),
  ]
}

/** @throws UserError (status 2) for options that only mean something with `--live`. */
export function refuseLiveOptions(options: LiveOptions): void {
  const { live, liveRegion, liveRole, roleArn, region } = options
  const unfit = (message: string, hint: string): UserError => new UserError(message, { hint, status: exitStatus.usage })
  if (live) {
    if (liveRole !== undefined && roleArn !== undefined)
      throw unfit('--role-arn does not go with --live-role', 'name every role with --live-role')
    if (liveRegion !== undefined && region !== undefined)
      throw unfit('--region does not go with --live-region', 'name every region with --live-region')
    return
  }
  const [idle] = Object.entries({ 'live-region': liveRegion, 'live-role': liveRole }).filter(
    ([, value]) => value !== undefined,
  )
  if (idle !== undefined) throw unfit(`--${idle[0]} is of --live, which is not given`, 'add --live, or leave it out')
  refuseAccountOptions(options, '--live')
}

/** Asks AWS. @throws AwsError where it told nothing. */
export async function askLive(options: LiveOptions, signal: AbortSignal): Promise<Live> {
  const { askPosture } = await import('../posture/ask.ts')
  let where = ''
  const waiting = startWaiting(() => `asking AWS${where}`)
  try {
    const { posture, rules, untried } = await askPosture({
      ...{ aws: awsOptionsOf(options), regions: options.liveRegion ?? [], roles: options.liveRole ?? [], signal },
      onPlace: (region, role) => {
        where = ` about ${region}${role === null ? '' : ` as ${role}`}`
      },
    })
    return {
      posture,
      asked: { tryTexts: rules, live: true },
      untried: async (caseDir, isAsked) => untried ?? (isAsked ? null : whyWithoutCase(caseDir)),
      reportUnknown: () => reportUnknown(posture),
      reportElsewhere: records => reportElsewhere(posture, records),
    }
  } finally {
    waiting.stop()
  }
}

async function whyWithoutCase(caseDir: string): Promise<string | null> {
  const { requireCase } = await import('../store/case-folder.ts')
  try {
    requireCase(caseDir)
    return null
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return 'there is no case: name the flows, or a case with --case'
  }
}

/** The page of the posture; or, where the rules are not tried, all that is answered. @param why why they are not tried. */
export async function printPosture(
  { posture, reportUnknown: report }: Pick<Live, 'posture' | 'reportUnknown'>,
  options: CommonOptions & { all?: true },
  why: string | null,
): Promise<void> {
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson({ tried: null, not_tried: why, posture }))
  } else {
    const [{ posturePage }, { gap, line, paragraph, strong }] = await Promise.all([
      import('../report/posture.ts'),
      import('../report/block.ts'),
    ])
    const end =
      why === null ? gap : paragraph(line`${strong('Groups and network ACLs were not tried on flows')}: ${why}.`)
    await printPage([...posturePage(posture, options.all === true), gap, end], options.color)
  }
  if (why !== null) await report()
}

const namedAtMost = 20

async function reportUnknown({ unknown }: Posture): Promise<void> {
  if (unknown.length === 0) return
  const lines = unknown.slice(0, namedAtMost).map(({ account, region, what, right, problem }) => {
    const where = `${account ?? 'an account not told'}, ${region ?? 'all regions'}`
    return `  ${what} of ${where}: ${problem}${right === null ? '' : ` (allow ${right})`}`
  })
  const left = unknown.length - lines.length
  if (left > 0) lines.push(`  … and ${left} more: --json lists them all`)
  await note(['tidemark: some of it AWS did not tell, and it is not known', ...lines.map(visible)].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}

async function reportElsewhere({ places }: Posture, { accounts, regions }: Origins): Promise<void> {
  const known = new Set(places.map(({ account }) => account))
  const others = [
    // Where an account is not told, it may be any.
    ...(known.has(null) ? [] : accounts.filter(account => !known.has(account)).map(account => `account ${account}`)),
    ...regions.filter(region => !places.some(one => one.region === region)).map(region => `region ${region}`),
  ]
  if (others.length === 0) return
  const shown = others.slice(0, namedAtMost)
  const left = others.length - shown.length
  await note(
    visible(
      `tidemark: records are of ${shown.join(', ')}${left > 0 ? ` and ${left} more` : ''}, of which AWS told nothing: rules of another place may have been tried on them (name it with --live-role, --live-region or --profile)`,
    ),
  )
  process.exitCode ||= exitStatus.partly_read
}
