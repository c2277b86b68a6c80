import { resolve } from 'node:path'
import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import { type Severity, severities } from '../rules/finding.ts'
import type { WatchEnd, WatchSettings } from '../watch/watch.ts'
import { addReadingOptions } from './add.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { addRuleChoice, askedRules, type RuleOptions } from './detect-rules.ts'
import { addEnrichmentOptions, type EnrichmentCliOptions, enrichmentOf } from './enrichment-options.ts'
import { interruptible } from './interrupt.ts'
import {
  type CommonOptions,
  collectPrefix,
  parseCount,
  parseFolder,
  parseSpan,
  type ReadingOptions,
  readingOptions,
} from './options.ts'
import { quoted } from './shell-words.ts'
import { addAwsOptions, addObjectOptions, refuseAccountOptions } from './source-options.ts'
import type { ReceiverOptions } from './watch-receivers.ts'
import type { SourceOptions } from './watch-source.ts'
import type { StatusLine } from './watch-status.ts'

interface Options
  extends CommonOptions,
    ReadingOptions,
    EnrichmentCliOptions,
    Omit<RuleOptions, 'listRules'>,
    ReceiverOptions,
    SourceOptions {
  out: string
  keep?: number
  every: number
  once?: true
  maxAlerts: number
  minSeverity: Severity
  internal?: string[]
  scanner?: string[]
  health?: string
}

const day = 86_400_000

/** Defines `tidemark watch`. */
export function watchCommand(program: Command): void {
  const command = addReceiverOptions(withOptions(program))
  addObjectOptions(addAwsOptions(addReadingOptions(addEnrichmentOptions(addRuleChoice(command)))))
    .addHelpText('after', watchHelp)
    .action(async (source: string) => {
      const given = command.optsWithGlobals<Options>()
      // A default is of a folder.
      const options =
        command.getOptionValueSource('settle') === 'cli' ? { ...given, isSettleGiven: true as const } : given
      if (command.getOptionValueSourceWithGlobals('case') === 'cli')
        throw new UserError('--case does not go with watch', {
          hint: 'it keeps a case for each day in the folder that --out names',
          status: exitStatus.usage,
        })
      const settings = await settingsOf(source, options)
      await interruptible(signal => run(settings, options, signal))
    })
}

function withOptions(program: Command): Command {
  return program
    .command('watch')
    .description(
      'Read what arrives in a folder, a bucket or by a queue, look for findings over a sliding day, and send an alert of each, once a day.',
    )
    .argument(
      '<source>',
      'folder in which files of evidence arrive, also in its sub-folders; s3://BUCKET/PREFIX, which is listed again and again; or sqs://QUEUE, which has the notifications of a bucket',
    )
    .addOption(
      new Option('--out <dir>', 'folder of the watch: a case for each day, and alerts on their way')
        .default('tidemark-watch')
        .argParser(parseFolder),
    )
    .addOption(
      new Option('--keep <span>', 'remove cases of days that are older, like 30d (default: keep all)').argParser(
        parseSpan,
      ),
    )
    .addOption(
      new Option('--every <span>', 'least time between two looks for findings')
        .default(300_000, '5m')
        .argParser(parseSpan),
    )
    .addOption(
      new Option('--settle <span>', 'a file is whole when it has not changed for so long')
        .default(2000, '2s')
        .argParser(parseSpan),
    )
    .addOption(
      new Option(
        '--poll [span]',
        'look at the folder that often, as on a network share (default without a value: 10s); S3: list that often (default: 1m)',
      ).argParser(parseSpan),
    )
    .addOption(
      new Option('--since <day>', 'S3: the first day to read, like 2026-11-01 (default: as --late says)').argParser(
        parseDay,
      ),
    )
    .addOption(
      new Option('--late <span>', 'S3: list days again in which an object may still arrive (default: 1d)').argParser(
        parseSpan,
      ),
    )
    .option('--once', 'read, look and send what is there, and end: for cron')
    .option('--health <file>', 'write how it goes into a file of JSON, every ten seconds')
    .addOption(
      new Option('--min-severity <severity>', 'alerts of findings at least that severe')
        .choices(severities)
        .default('medium'),
    )
    .addOption(
      new Option('--max-alerts <count>', 'most alerts of one look; one more stands for the rest')
        .default(100)
        .argParser(parseCount),
    )
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
}

function addReceiverOptions(command: Command): Command {
  return command
    .option('--webhook <url>', 'send alerts by POST, as JSON; @FILE reads the address from a file')
    .option(
      '--webhook-secret-file <file>',
      'sign what is sent with the secret in a file (also TIDEMARK_WEBHOOK_SECRET)',
    )
    .option('--syslog <address>', 'send alerts as syslog (RFC 5424): tcp://HOST:PORT or tls://HOST:PORT')
    .option('--sns <arn>', 'publish alerts to a topic of Amazon SNS')
    .option('--exec <program>', 'run a program for each alert, which has it as JSON on standard input')
}

const watchHelp = `
Without a receiver (--webhook, --syslog, --sns, --exec), alerts are printed, a line of JSON each. An alert is sent until it is taken, always with the same id.
A message of a queue is deleted when everything that it names is in a case. AWS is asked with the credentials of its own tools.
The secret that signs webhooks comes from TIDEMARK_WEBHOOK_SECRET or from --webhook-secret-file. SIGTERM and Ctrl-C end the watch, with status 0.

Examples:
  tidemark watch /var/log/flows --out /var/lib/tidemark --keep 30d
  tidemark watch flows/ --webhook https://alerts.example.com/tidemark --health /run/tidemark/health.json
  tidemark watch flows/ --once --syslog tls://logs.example.com:6514
  tidemark watch s3://bucket/AWSLogs/ --keep 30d --sns arn:aws:sns:eu-central-1:123456789012:alerts
  tidemark watch sqs://flow-log-objects --region eu-central-1 --keep 30d

More: tidemark help continuous-watch.`

async function settingsOf(name: string, options: Options): Promise<WatchSettings> {
  const { keep, every, once, maxAlerts, minSeverity, internal, scanner, health } = options
  if (keep !== undefined && keep < day)
    throw new UserError('--keep is less than a day', { hint: 'write --keep 30d', status: exitStatus.usage })
  const { nameOf, sourceOf } = await import('./watch-source.ts')
  const source = await sourceOf(name, options)
  if (options.sns === undefined && source.kind === 'folder') refuseAccountOptions(options, '--sns')
  const { receiversOf } = await import('./watch-receivers.ts')
  const receivers = await receiversOf(options)
  return {
    ...{ name: nameOf(source), source, out: resolve(options.out) },
    ...{ keepDays: keep === undefined ? null : Math.ceil(keep / day), every, once: once === true },
    reading: readingOptions(options),
    detecting: {
      ...askedRules(options),
      ...(internal !== undefined && { internal }),
      ...(scanner !== undefined && { scanners: scanner }),
      ...{ minSeverity, enrichment: enrichmentOf(options) },
    },
    ...{ receivers, mostAlerts: maxAlerts, health: health === undefined ? null : await healthPath(health) },
    commandOf: (host, caseDir) => `tidemark investigate ${host} --case ${quoted(caseDir)}`,
    onNote: () => undefined,
  }
}

function parseDay(text: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
  if (!isDay) throw new InvalidArgumentError('Expected a day of UTC, like 2026-11-01.')
  return text
}

/** Where the state is written, again and again: a file, and no evidence. */
async function healthPath(name: string): Promise<string> {
  const [{ fileTarget }, { readPart }, { isHealth }] = await Promise.all([
    import('../disk/output.ts'),
    import('../disk/reading.ts'),
    import('../watch/health.ts'),
  ])
  const { path, replaces } = fileTarget(name, { option: '--health', force: true, seeks: 'the state of a watch' })
  if (replaces !== null && replaces.size > 0n && !isHealth(readPart(path, 0, healthBeginning)))
    throw new UserError(`--health would replace a file that no watch has written: ${name}`, {
      hint: 'name a new file',
      status: exitStatus.usage,
    })
  return path
}

/** Bytes of such a file that tell what it is. */
const healthBeginning = 64

async function run(settings: WatchSettings, options: Options, signal: AbortSignal): Promise<void> {
  const [{ watch }, { StatusLine }] = await Promise.all([import('../watch/watch.ts'), import('./watch-status.ts')])
  const status = new StatusLine(settings.name)
  status.note(`watching ${settings.name}; cases and alerts are in ${settings.out}`)
  try {
    const end = await watch(
      {
        ...settings,
        onNote: text => status.note(text),
        onState: state => status.show(state),
        onAlert: ({ severity, title, id }) => status.note(`alert ${id}: ${severity}: ${title}`),
      },
      signal,
    )
    if (options.once) {
      signal.throwIfAborted()
      tellEnd(end, status)
    }
  } catch (error) {
    // To be stopped is what it is there for.
    if (!signal.aborted || options.once) throw error
  } finally {
    await status.end()
  }
}

function tellEnd({ unread, undelivered, hasFailed }: WatchEnd, status: StatusLine): void {
  if (unread > 0) {
    status.note(`${unread === 1 ? 'one file was' : `${unread} files were`} not read: the next run tries again`)
    process.exitCode = exitStatus.partly_read
  }
  if (undelivered > 0) status.note(`${undelivered} of the alerts were not taken: the next run sends them`)
  if (undelivered > 0 || hasFailed) process.exitCode = exitStatus.failed
}
