/** `tidemark flows --engine`: the question is asked where the table is, and nothing of a case is read. */
import { exitStatus, UserError } from '../errors.ts'
import { visible } from '../report/text.ts'
import { zoneOf } from '../report/zone.ts'
import { askEngine } from './engine-asking.ts'
import type { EngineCliOptions } from './engine-options.ts'
import { type FlowsCliOptions, requestOf } from './flows-options.ts'
import { type FlowsFormat, isExport, printFlows } from './flows-output.ts'

export async function flowsOfEngine(
  { filter, paths }: { filter: string | undefined; paths: readonly string[] },
  options: FlowsCliOptions & EngineCliOptions,
  format: FlowsFormat,
  signal: AbortSignal,
): Promise<void> {
  refuse(options, paths, format)
  const request = {
    ...requestOf(options, filter, isExport(format)),
    ...(options.since !== undefined && { since: options.since }),
  }
  const zone = zoneOf(options.tz ?? 'UTC')
  const result = await askEngine(options, async (engine, onProgress) => {
    const { engineQuestion } = await import('../flows/engine-question.ts')
    const fileParams = Object.keys(options.param ?? {})
    return engineQuestion(engine, request, { signal, onProgress, onePass: options.onePass === true, fileParams })
  })
  if (result === null) return
  const quiet = options.quiet === true
  await printFlows(result, request, format, { color: options.color, pager: options.pager, zone, why: [], quiet })
  if (Number(result.total_rows) === 0 && options.failEmpty) process.exitCode ||= exitStatus.asked
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
