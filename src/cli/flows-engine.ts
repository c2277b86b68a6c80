/** `tidemark flows --engine`: the question is asked where the table is, and nothing of a case is read. */
import type { Engine, EngineProgress, Estimate } from '../engines/engine.ts'
import type { Prices } from '../engines/prices.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { EngineQuestion } from '../flows/engine-question.ts'
import { visible } from '../report/text.ts'
import { zoneOf } from '../report/zone.ts'
import {
  checkEstimate,
  type EngineCliOptions,
  engineNamed,
  estimateWords,
  priceOf,
  pricesOf,
  progressWords,
} from './engine-options.ts'
import { type FlowsCliOptions, requestOf } from './flows-options.ts'
import { type FlowsFormat, isExport, printFlows } from './flows-output.ts'
import { note, print } from './output.ts'
import { startWaiting } from './progress.ts'

export async function flowsOfEngine(
  { filter, paths }: { filter: string | undefined; paths: readonly string[] },
  options: FlowsCliOptions & EngineCliOptions,
  format: FlowsFormat,
  signal: AbortSignal,
): Promise<void> {
  refuse(options, paths, format)
  const engine = await engineNamed(options.engine!, options)
  const prices = pricesOf(options)
  const request = {
    ...requestOf(options, filter, isExport(format)),
    ...(options.since !== undefined && { since: options.since }),
  }
  const zone = zoneOf(options.tz ?? 'UTC')
  let progress: EngineProgress | null = null
  const waiting = startWaiting(() => progressWords(progress))
  try {
    const { engineQuestion } = await import('../flows/engine-question.ts')
    const question = await engineQuestion(engine, request, {
      ...{ signal, onePass: options.onePass === true, fileParams: Object.keys(options.param ?? {}) },
      onProgress: seen => {
        progress = seen
      },
    })
    const estimate = await question.estimate()
    if (options.dryRun) {
      waiting.stop()
      return await showPlan(engine, question, estimate, prices, options)
    }
    checkEstimate(question.passes, estimate, options)
    if (options.quiet !== true)
      await note(`tidemark: the engine ${estimateWords(engine, question.passes, estimate, prices, options)}`)
    const result = await question.ask()
    waiting.stop()
    const quiet = options.quiet === true
    await printFlows(result, request, format, { color: options.color, pager: options.pager, zone, why: [], quiet })
    if (Number(result.total_rows) === 0 && options.failEmpty) process.exitCode ||= exitStatus.asked
  } finally {
    waiting.stop()
  }
}

function refuse(options: FlowsCliOptions, paths: readonly string[], format: FlowsFormat): void {
  const fail = (what: string, hint: string): never => {
    throw new UserError(`${what} and --engine`, { status: exitStatus.usage, hint })
  }
  if (paths.length > 0) fail(`the path ${visible(paths[0]!)}`, 'files are read without an engine')
  if (options.explain) fail('--explain', '--dry-run prints the statements and what they would read')
  if (options.save !== undefined || options.query !== undefined)
    fail('--save or --query', 'queries are saved in a case')
  if (options.finding !== undefined) fail('--finding', 'findings are those of a case')
  if (format === 'parquet') fail('--parquet', 'write --csv or --ndjson')
  if (format === 'lines') fail('-o lines', 'an engine does not tell lines of the evidence')
  if (options.onePass === true && requestIsListing(options))
    fail(
      '--one-pass of single records',
      'how many there are is counted in a pass of its own: add -s or -A, or leave it out',
    )
}

function requestIsListing({
  stat,
  aggregate,
  connections,
  bidirectional,
  bin,
  having,
  distinct,
  percentile,
  compare,
}: FlowsCliOptions): boolean {
  const groups = [stat, aggregate, connections, bidirectional, bin, having, distinct, percentile, compare]
  return groups.every(one => one === undefined)
}

async function showPlan(
  engine: Engine,
  question: EngineQuestion,
  estimate: Estimate,
  prices: Prices,
  options: FlowsCliOptions & EngineCliOptions,
): Promise<void> {
  const price = priceOf(engine, question.passes, estimate, prices)
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    const { sentence, statements, passes } = question
    return print(toJson({ engine: engine.name, table: engine.place, sentence, statements, passes, estimate, price }))
  }
  const [{ enginePlanPage }, { printPage }] = await Promise.all([
    import('../report/engine-plan.ts'),
    import('./output.ts'),
  ])
  const page = enginePlanPage({
    question: question.sentence,
    engine: engine.name,
    table: engine.place,
    reads: estimateWords(engine, question.passes, estimate, prices, options),
    statements: question.statements,
  })
  await printPage(page, options.color)
}
