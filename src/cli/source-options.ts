/** Options of what lies in S3 and CloudWatch Logs, and what is done with it before it is read. */
import type { Command } from 'commander'
import type { AwsOptions } from '../aws/options.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { Listed, Narrowing } from '../sources/remote.ts'
import { visible } from '../visible.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { OnlyListed } from './interrupt.ts'
import { collectText } from './options.ts'
import { noteBeside } from './output.ts'

export interface AwsCliOptions {
  profile?: string
  roleArn?: string
  region?: string
  endpoint?: string
  requestPayer?: true
  /** Of commands that have it: nothing is said of what is asked again. */
  quiet?: boolean
}

export interface SourceCliOptions extends AwsCliOptions {
  sourceWindow?: string
  sourceAccount?: string[]
  sourceRegion?: string[]
  dryRun?: true
}

/** Options of every command that asks AWS. */
export function addAwsOptions(command: Command): Command {
  return addAccountOptions(command).option('--request-payer', 'S3: who asks pays for what a bucket gives')
}

/** Those of a command that asks for no bucket. */
export function addAccountOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'AWS: profile of the credentials and the region')
    .option('--role-arn <arn>', 'AWS: role to take on')
    .option('--region <name>', 'AWS: region that is asked')
    .option('--endpoint <url>', 'AWS: another server of the same protocol')
}

/** Options of every command that takes s3:// and logs:// as a PATH. */
export function addSourceOptions(command: Command): Command {
  addAwsOptions(command).addOption(
    new Option(
      '--source-window <from..to>',
      'S3, CloudWatch: only what may hold records of that time, UTC, by its name',
    ).argParser(parseWindow),
  )
  addObjectOptions(command)
  // What asks an engine too has its own.
  if (!command.options.some(({ long }) => long === '--dry-run'))
    command.option('--dry-run', 'S3, CloudWatch: list what would be read, and read nothing')
  return command
}

/** Which objects are meant, by their names. */
export function addObjectOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--source-account <id>', 'S3: only logs of that account, by their names (repeatable)').argParser(
        parseAccount,
      ),
    )
    .addOption(
      new Option('--source-region <name>', 'S3: only logs of that region, by their names (repeatable)').argParser(
        collectText,
      ),
    )
}

function parseWindow(text: string): string {
  const [from, to, more] = text.split('..')
  if (to === undefined || more !== undefined || (from === '' && to === ''))
    throw new InvalidArgumentError('Expected two times, like 2023-09-28T17:00..2023-09-28T19:00.')
  return text
}

function parseAccount(text: string, before: string[] = []): string[] {
  if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError('Expected the 12 digits of an account.')
  return [...before, text]
}

export function awsOptionsOf(options: AwsCliOptions): AwsOptions {
  const { profile, roleArn, region, endpoint, requestPayer } = options
  return {
    ...noteOfRetry(options),
    ...(profile !== undefined && { profile }),
    ...(roleArn !== undefined && { roleArn }),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(requestPayer && { requestPayer }),
  }
}

/** That a server does not answer, and is asked again, is said at once: the tries may take minutes. */
export function noteOfRetry({ quiet }: Pick<AwsCliOptions, 'quiet'>): { onRetry?: (text: string) => void } {
  return quiet === true ? {} : { onRetry: text => void noteBeside(`tidemark: ${visible(text)}`) }
}

/** The two times of `--source-window`; either may be missing. */
export function windowOf({ sourceWindow }: Pick<SourceCliOptions, 'sourceWindow'>): { from?: string; to?: string } {
  const [from = '', to = ''] = sourceWindow?.split('..') ?? []
  return { ...(from !== '' && { from }), ...(to !== '' && { to }) }
}

/**
 * Lists what lies elsewhere, and says what there is.
 *
 * @param isKept whether the case stays: then what may still grow waits for the next time.
 * @throws OnlyListed after `--dry-run`.
 */
export async function listSources(
  uris: readonly string[],
  options: SourceCliOptions & { from?: string; to?: string; format?: string; json?: true; color?: boolean },
  signal: AbortSignal,
  isKept: boolean,
): Promise<Listed[]> {
  const narrowing = await narrowingOf(options)
  const [{ openSource }, { startWaiting }, { note, print, printPage }, { listedPage, listedLines }] = await Promise.all(
    [import('../sources/open.ts'), import('./progress.ts'), import('./output.ts'), import('../report/listed.ts')],
  )
  const { format } = options
  const listed: Listed[] = []
  for (const uri of uris) {
    let found = ''
    const waiting = startWaiting(() => `listing ${uri}${found}`)
    const onFound = (objects: number): void => {
      found = `: ${objects} so far`
    }
    listed.push(
      await openSource(uri, {
        aws: awsOptionsOf(options),
        narrowing,
        isKept,
        signal,
        onFound,
        ...(format !== undefined && { format }),
      }).finally(() => waiting.stop()),
    )
  }
  if (!options.dryRun) {
    await note(
      listedLines(listed)
        .map(line => `tidemark: ${line}`)
        .join('\n'),
    )
    return listed
  }
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson({ sources: listed.map(({ files, ...rest }) => ({ ...rest, objects: files.length })) }))
  } else await printPage(listedPage(listed), options.color ?? true)
  throw new OnlyListed('listed')
}

async function narrowingOf(options: SourceCliOptions & { from?: string; to?: string }): Promise<Narrowing> {
  const { selectionOf } = await import('./selection.ts')
  const isOwn = options.sourceWindow !== undefined
  const { from, to } = isOwn ? windowOf(options) : options
  const window = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  const { from_us, to_us } = await selectionOf(window, isOwn ? '--source-window' : undefined)
  const { sourceAccount: accounts, sourceRegion: regions } = options
  return {
    ...(from_us !== undefined && { from_us }),
    ...(to_us !== undefined && { to_us }),
    ...(accounts !== undefined && { accounts }),
    ...(regions !== undefined && { regions }),
  }
}

/** A filter, and that records are of the window that names were chosen by. */
export async function windowFilter(
  filter: string | undefined,
  options: Pick<SourceCliOptions, 'sourceWindow'>,
): Promise<string | undefined> {
  if (options.sourceWindow === undefined) return filter
  const { from_us, to_us } = await narrowingOf(options)
  const tests = [
    ...(from_us === undefined ? [] : [`last seen >= ${from_us / 1e6}`]),
    ...(to_us === undefined ? [] : [`first seen < ${to_us / 1e6}`]),
  ].join(' and ')
  return filter === undefined ? tests : `(${filter}) and ${tests}`
}

/** What says how AWS is reached means nothing where nobody asks AWS. @param whose what would ask. @throws UserError (status 2) */
export function refuseAccountOptions(options: AwsCliOptions, whose: string): void {
  const { profile, roleArn, region, endpoint, requestPayer } = options
  const given = Object.entries({ profile, 'role-arn': roleArn, region, endpoint, 'request-payer': requestPayer })
  const [idle] = given.filter(([, value]) => value !== undefined)
  if (idle === undefined) return
  throw new UserError(`--${idle[0]} is of ${whose}, which is not given`, {
    hint: `add ${whose}, or leave it out`,
    status: exitStatus.usage,
  })
}

/** What only has a meaning for s3:// and logs:// must not seem to do something else. @throws UserError */
export function refuseSourceOptions(options: SourceCliOptions): void {
  const given = (
    [
      ['--source-window', options.sourceWindow],
      ['--source-account', options.sourceAccount],
      ['--source-region', options.sourceRegion],
      ['--dry-run', options.dryRun],
    ] as const
  ).find(([, value]) => value !== undefined)
  if (given === undefined) return
  throw new UserError(`${given[0]} is of s3:// and logs://, and none is named`, { status: exitStatus.usage })
}
