/** `tidemark flows --engine`: the question is asked where the table is, and nothing of a case is read. */
import type { Engine, EngineProgress, Estimate } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { EngineQuestion } from '../flows/engine-question.ts'
import { countText, integerText, sizeText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { zoneOf } from '../report/zone.ts'
import { type FlowsCliOptions, requestOf } from './flows-options.ts'
import { type FlowsFormat, isExport, printFlows } from './flows-output.ts'
import { note, print } from './output.ts'
import { startWaiting } from './progress.ts'

/** What a question may read where nothing else is said. */
const bytesMost = 100e9
const timeMost_ms = 3_600_000

export async function flowsOfEngine(
  { filter, paths }: { filter: string | undefined; paths: readonly string[] },
  options: FlowsCliOptions,
  format: FlowsFormat,
  signal: AbortSignal,
): Promise<void> {
  refuse(options, paths, format)
  const engine = await engineNamed(options.engine!, options)
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
      return await showPlan(engine, question, estimate, options)
    }
    await checkEstimate(question, estimate, options)
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

/** @throws UserError for an engine that is not known. */
async function engineNamed(text: string, { maxBytes, timeLimit }: FlowsCliOptions): Promise<Engine> {
  const [{ Trino }, { parseTrinoPlace, trinoUser }] = await Promise.all([
    import('../engines/trino.ts'),
    import('../engines/trino-place.ts'),
  ])
  const place = parseTrinoPlace(text)
  const limits = { bytes: maxBytes ?? bytesMost, time_ms: timeLimit ?? timeMost_ms }
  return new Trino(place, trinoUser(process.env, place), limits)
}

function progressWords(progress: EngineProgress | null): string {
  if (progress === null) return 'asking the engine'
  const { state, bytes, rows, done } = progress
  const parts = [
    ...(done === null ? [] : [`${Math.round(done * 100)} %`]),
    ...(bytes === null ? [] : [sizeText(bytes)]),
    ...(rows === null ? [] : [countText(rows, 'row')]),
  ]
  return `the engine: ${state.toLowerCase()}${parts.length === 0 ? '' : `, ${parts.join(', ')}`}`
}

function estimateWords({ passes }: EngineQuestion, { partitions, partitionsOfTable, bytes }: Estimate): string {
  const some =
    partitions === null || partitionsOfTable === null
      ? ''
      : `${integerText(partitions)} of ${countText(partitionsOfTable, 'partition')}, `
  const size = bytes === null ? 'how many bytes is not known' : `about ${sizeText(bytes * passes)}`
  return `reads ${some}${passes === 1 ? 'once' : 'twice'}: ${size}`
}

async function checkEstimate(question: EngineQuestion, estimate: Estimate, options: FlowsCliOptions): Promise<void> {
  const most = options.maxBytes ?? bytesMost
  if (estimate.bytes !== null && estimate.bytes * question.passes > most)
    throw new UserError(`the question ${estimateWords(question, estimate)}, more than ${sizeText(most)}`, {
      hint: 'a narrower window reads less, or --max-bytes allows more',
    })
  if (options.quiet !== true) await note(`tidemark: the engine ${estimateWords(question, estimate)}`)
}

async function showPlan(
  engine: Engine,
  question: EngineQuestion,
  estimate: Estimate,
  options: FlowsCliOptions,
): Promise<void> {
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    const { sentence, statements, passes } = question
    return print(toJson({ engine: engine.name, table: engine.place, sentence, statements, passes, estimate }))
  }
  const [{ code, heading, paragraph, strong, title }, { printPage }] = await Promise.all([
    import('../report/block.ts'),
    import('./output.ts'),
  ])
  const asked = question.statements.flatMap((text, i) => [
    heading(i === 0 ? 'Statement' : 'Statement that counts, and for how many records something is unknown'),
    code(text),
  ])
  const page = [
    title(strong(question.sentence)),
    paragraph(`${engine.name} ${engine.place}`),
    paragraph(`It ${estimateWords(question, estimate)}. Nothing was run but questions about the table itself.`),
    ...asked,
  ]
  await printPage(page, options.color)
}
