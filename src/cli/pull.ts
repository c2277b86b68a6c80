import type { Command } from 'commander'
import type { EngineProgress } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { PullReport } from '../pull/pull.ts'
import type { RemoteFile } from '../sources/remote.ts'
import {
  addEngineOptions,
  checkEstimate,
  type EngineCliOptions,
  engineNamed,
  estimateWords,
  pricesOf,
  progressWords,
} from './engine-options.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { note, print } from './output.ts'
import { startWaiting } from './progress.ts'
import { commandLine, quoted } from './shell-words.ts'
import { addAwsOptions, awsOptionsOf, refuseAccountOptions } from './source-options.ts'

interface Options extends CommonOptions, EngineCliOptions {
  objects?: true
  filter?: string
  from?: string
  to?: string
}

/** Defines `tidemark pull`. */
export function pullCommand(program: Command): void {
  const command = program
    .command('pull')
    .description('Bring records of an engine’s table into a case of their own, to investigate them as if all lay here.')
    .usage('[options] ADDRESS… --engine TABLE\n       tidemark pull [options] --filter FILTER --engine TABLE')
    .argument('[address...]', 'addresses and networks whose records are brought')
    .option('--filter <filter>', 'records that match, instead of those of addresses')
    .option('--from <time>', 'only records that end at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--to <time>', 'only records that start before it; before the end of it, where it is a day')
    .option('--objects', 'read the objects that hold the records from S3, whole; the engine says which these are')
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', pullHelp)
  addAwsOptions(addEngineOptions(command, 'the table'))
  command.action(async (texts: string[]) => {
    const options = command.optsWithGlobals<Options>()
    await interruptible(signal => pull(texts, options, signal))
  })
}

const pullHelp = `
The case, which must not be there yet, gets a flow-log file for each object that the table has in that time: the lines of the records,
NODATA and SKIPDATA lines, and sums over everything else. A dossier of the addresses then is that of all the logs.
With --objects the evidence is the objects themselves, as tidemark add s3://… reads them: lines and digests are those of AWS.

Trino with a login is trino+https://…, with TIDEMARK_TRINO_USER and TIDEMARK_TRINO_PASSWORD or TIDEMARK_TRINO_TOKEN in the environment.
Athena writes its answers, so the lines of the records too, to --output-location or to where its workgroup says.

Examples:
  tidemark pull 203.0.113.7 --engine trino://localhost:8080/hive/network/flow_logs --from 2023-09-28 --to 2023-09-28 --case c2.tidemark
  tidemark pull 203.0.113.7 --objects --engine trino://localhost:8080/hive/network/flow_logs --from 2023-09-28 --case c2.tidemark
  tidemark pull 203.0.113.7 --engine athena://logs/flow_logs --from 2023-09-28 --case c2.tidemark
  tidemark pull --filter 'dst port 445 and action reject' --engine trino://localhost:8080/hive/network/flow_logs --dry-run`

async function pull(texts: readonly string[], options: Options, signal: AbortSignal): Promise<void> {
  if (options.engine === undefined)
    throw new UserError('pull needs --engine', {
      status: exitStatus.usage,
      hint: 'name the table: --engine trino://host:port/catalog/schema/table, or athena://database/table',
    })
  if ((texts.length === 0) === (options.filter === undefined))
    throw new UserError('pull needs addresses, or --filter', {
      status: exitStatus.usage,
      hint: 'tidemark pull 203.0.113.7 --engine …, or tidemark pull --filter FILTER --engine …',
    })
  if (!options.objects && !options.engine.startsWith('athena://')) refuseAccountOptions(options, '--objects')
  const [{ pullOf }, { prefixes }, { selectionOf }] = await Promise.all([
    import('../pull/pull.ts'),
    import('../net/given-prefixes.ts'),
    import('./selection.ts'),
  ])
  const { from, to } = options
  const { from_us, to_us } = await selectionOf({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
  const subject = prefixes(texts, 'not an address or prefix')
  const engine = await engineNamed(options.engine, options)
  let progress: EngineProgress | null = null
  let doing = ''
  const waiting = startWaiting(() => (doing === '' ? progressWords(progress) : `${doing}; ${progressWords(progress)}`))
  try {
    const made = await pullOf(engine, {
      ...{ case: options.case, subject, signal, command: commandLine() },
      ...(options.filter !== undefined && { filter: options.filter }),
      ...(options.dryRun && { plan: true }),
      ...(options.objects && { objects: (uris: readonly string[]) => objectsOf(uris, options, signal) }),
      ...(from_us !== undefined && { from_us }),
      ...(to_us !== undefined && { to_us }),
      onProgress: seen => {
        progress = seen
      },
      onWork: what => {
        doing = what
      },
    })
    const estimate = await made.estimate()
    const words = estimateWords(engine, made.passes, estimate, pricesOf(options), options)
    if (options.dryRun) {
      waiting.stop()
      return await showPlan(
        { passes: made.passes, statements: made.statements, words, place: engine.place, estimate },
        options,
      )
    }
    checkEstimate(made.passes, estimate, options)
    await note(`tidemark: the engine ${words}`)
    const report = await made.run()
    waiting.stop()
    await tell(report, texts, options)
  } finally {
    waiting.stop()
  }
}

async function objectsOf(uris: readonly string[], options: Options, signal: AbortSignal): Promise<RemoteFile[]> {
  const { namedObjects } = await import('../sources/named-objects.ts')
  return namedObjects(uris, { aws: awsOptionsOf(options), signal })
}

async function tell(report: PullReport, texts: readonly string[], options: Options): Promise<void> {
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    return print(toJson(report))
  }
  const [{ countText, integerText }, { visible }] = await Promise.all([
    import('../report/numbers.ts'),
    import('../report/text.ts'),
  ])
  const { records, records_of_table, silences, objects, whole } = report
  const read = whole === 0 ? '' : `, ${integerText(whole)} of them read whole`
  const table = countText(records_of_table, 'record')
  // What is read whole may reach beyond the time.
  const share =
    whole === 0
      ? `${integerText(records)} of ${table}`
      : `${countText(records, 'record')}, where the table has ${table} in that time`
  const lines = [
    `${share}, and ${countText(silences, 'line')} without data, from ${countText(objects, 'object')}${read}: ${visible(report.case)}`,
    ...(texts.length === 0 ? [] : [`Next: tidemark investigate ${texts.join(' ')} --case ${quoted(options.case)}`]),
  ]
  await print(`${lines.join('\n')}\n`)
}

async function showPlan(
  plan: { passes: number; statements: readonly string[]; words: string; place: string; estimate: unknown },
  options: Options,
): Promise<void> {
  const { passes, statements, words, place, estimate } = plan
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    return print(toJson({ table: place, passes, statements, estimate }))
  }
  const [{ code, heading, paragraph }, { printPage }] = await Promise.all([
    import('../report/block.ts'),
    import('./output.ts'),
  ])
  const isWhole = options.objects === true
  const page = [
    paragraph(`Of ${place}: it ${words}. Nothing was run but questions about the table itself.`),
    ...statements.flatMap((text, i) => [
      heading(i === 0 ? 'Sums over everything' : isWhole ? 'Objects' : 'Lines'),
      code(text),
    ]),
    ...(passes > statements.length
      ? [paragraph('Another one follows: records of endpoints that these leave open.')]
      : []),
  ]
  await printPage(page, options.color)
}
