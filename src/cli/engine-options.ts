/** Options of every command that asks an engine, and what is said of a question before it is asked. */
import type { Command } from 'commander'
import type { Engine, EngineProgress, Estimate } from '../engines/engine.ts'
import { athenaPrice, listPrices, type Prices } from '../engines/prices.ts'
import { exitStatus, UserError } from '../errors.ts'
import { countText, integerText, sizeText } from '../report/numbers.ts'
import { visible } from '../visible.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { parseWidth } from './options.ts'
import { noteBeside } from './output.ts'
import { type AwsCliOptions, awsOptionsOf, noteOfRetry } from './source-options.ts'

export interface EngineCliOptions extends AwsCliOptions {
  engine?: string
  dryRun?: true
  maxBytes?: number
  timeLimit?: number
  workgroup?: string
  outputLocation?: string
  reuse?: number
  price?: Partial<Prices>
}

/** What a question may read where nothing else is said. */
const bytesMost = 100e9
const timeMost_ms = 3_600_000
const reuseMinutesMost = 10_080

const examples = 'trino://host:port/catalog/schema/table or athena://database/table'

/** Options of every engine. */
function addQuestionOptions(command: Command, engines: string): Command {
  const option = (flags: string, description: string, parse?: (text: string) => unknown): void => {
    const made = new Option(flags, description)
    command.addOption(parse === undefined ? made : made.argParser(parse))
  }
  option('--engine <table>', engines)
  option('--dry-run', 'print what would be asked or read, and run nothing')
  option('--max-bytes <size>', 'refuse, or stop, what reads more of an engine, e.g. 20g; by default 100g', parseSize)
  option('--time-limit <time>', 'cancel a statement of an engine that takes longer; by default 1h', parseWidth)
  return command
}

/** Options of an engine, but for those of AWS. */
export function addEngineOptions(command: Command, what = 'ask a table of an engine instead of a case'): Command {
  return addQuestionOptions(command, `${what}: ${examples}`)
    .option('--workgroup <name>', 'Athena: workgroup that asks')
    .option('--output-location <uri>', 'Athena: where answers are written, s3://bucket/prefix')
    .addOption(
      new Option(
        '--reuse <time>',
        'Athena: take an answer that it gave to the same statement within that time, and read nothing',
      ).argParser(parseReuse),
    )
    .addOption(
      new Option('--price <name=dollars>', 'Athena: what AWS takes, athena=5 a TB read, egress=0.09 a GB').argParser(
        parsePrice,
      ),
    )
}

/** Bytes, with a unit of a thousand's power. */
function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([kmgt]?)b?$/i.exec(text) ?? []
  const bytes = Number(digits) * 1000 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ')
  if (!(bytes > 0)) throw new InvalidArgumentError('Expected a size, like 500m, 20g or 1t.')
  return bytes
}

/** Minutes, as many as Athena takes: https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html. */
function parseReuse(text: string): number {
  const minutes = parseWidth(text) / 60_000
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > reuseMinutesMost)
    throw new InvalidArgumentError('Expected whole minutes up to seven days, like 30m, 2h or 7d.')
  return minutes
}

function parsePrice(text: string, before: Partial<Prices> = {}): Partial<Prices> {
  const [, name, dollars] = /^(athena|egress)=(\d{1,6}(?:\.\d{1,6})?)$/.exec(text) ?? []
  if (name === undefined)
    throw new InvalidArgumentError('Expected athena=DOLLARS (a TB read) or egress=DOLLARS (a GB).')
  return { ...before, [name]: Number(dollars) }
}

/** What only an engine is told. @param others of the command's own. @throws UserError */
export function refuseWithoutEngine(options: EngineCliOptions, others: Readonly<Record<string, unknown>> = {}): void {
  const { maxBytes, timeLimit } = options
  const given = Object.entries({ '--max-bytes': maxBytes, '--time-limit': timeLimit, ...ofAthena(options), ...others })
  const [name] = given.find(([, value]) => value !== undefined) ?? []
  if (name === undefined) return
  throw new UserError(`${name} without --engine`, {
    status: exitStatus.usage,
    hint: `--engine ${examples} asks a table of an engine`,
  })
}

/** @throws UserError for an engine that is not known, and for options of the other one. */
export async function engineNamed(text: string, options: EngineCliOptions): Promise<Engine> {
  const { maxBytes = bytesMost, timeLimit = timeMost_ms, workgroup = null, outputLocation = null } = options
  const limits = { bytes: maxBytes, time_ms: timeLimit }
  if (text.startsWith('athena://')) {
    const [{ Athena }, { parseAthenaPlace }] = await Promise.all([
      import('../engines/athena.ts'),
      import('../engines/athena-place.ts'),
    ])
    const { reuse, quiet } = options
    const place = { workgroup, outputLocation, ...(reuse !== undefined && { reuseMinutes: reuse }) }
    const onReuse = (id: string): void =>
      void noteBeside(`tidemark: Athena gave an earlier answer (query ${visible(id)}), at most ${reuse} minutes old`)
    return new Athena(
      parseAthenaPlace(text),
      { ...place, aws: awsOptionsOf(options) },
      { ...limits, ...(quiet !== true && { onReuse }) },
    )
  }
  refuseOfAthena(options)
  const [{ Trino }, { parseTrinoPlace, trinoUser }] = await Promise.all([
    import('../engines/trino.ts'),
    import('../engines/trino-place.ts'),
  ])
  const place = parseTrinoPlace(text)
  return new Trino(place, trinoUser(process.env, place), { ...limits, ...noteOfRetry(options) })
}

function ofAthena({ workgroup, outputLocation, reuse, price }: EngineCliOptions): Record<string, unknown> {
  return { '--workgroup': workgroup, '--output-location': outputLocation, '--reuse': reuse, '--price': price }
}

function refuseOfAthena(options: EngineCliOptions): void {
  const [name] = Object.entries(ofAthena(options)).find(([, value]) => value !== undefined) ?? []
  if (name !== undefined)
    throw new UserError(`${name} is of Athena`, { status: exitStatus.usage, hint: '--engine athena://database/table' })
}

export function progressWords(progress: EngineProgress | null): string {
  if (progress === null) return 'asking the engine'
  const { state, bytes, rows, done } = progress
  const parts = [
    ...(done === null ? [] : [`${Math.round(done * 100)} %`]),
    ...(bytes === null ? [] : [sizeText(bytes)]),
    ...(rows === null ? [] : [countText(rows, 'row')]),
  ]
  return `the engine: ${state.toLowerCase()}${parts.length === 0 ? '' : `, ${parts.join(', ')}`}`
}

/** AWS's list prices, and what the user says instead. */
export function pricesOf({ price = {} }: EngineCliOptions): Prices {
  return { ...listPrices, ...price }
}

/** What a question costs on Athena; null for another engine. `usd` is null where it is not known how much it reads. */
export function priceOf(
  { name }: Pick<Engine, 'name'>,
  passes: number,
  { bytes }: Estimate,
  prices: Prices,
): { usd: number | null; usd_per_tb: number; egress_usd_per_gb: number } | null {
  if (name !== 'athena') return null
  const usd = bytes === null ? null : athenaPrice(bytes, passes, prices)
  return { usd, usd_per_tb: prices.athena, egress_usd_per_gb: prices.egress }
}

/** What a question reads, and costs. @param passes how often it reads the table. */
export function estimateWords(
  engine: Pick<Engine, 'name'>,
  passes: number,
  estimate: Estimate,
  prices: Prices,
  { maxBytes = bytesMost }: EngineCliOptions,
): string {
  const read = readWords(passes, estimate)
  if (engine.name !== 'athena') return read
  const { athena, egress } = prices
  const price =
    estimate.bytes === null
      ? `it is stopped about ${sizeText(maxBytes)}, ${dollars(athenaPrice(maxBytes, 1, prices))}`
      : `${about(estimate)} ${dollars(athenaPrice(estimate.bytes, passes, prices))}`
  return `${read}, ${price} at $${athena} a TB; an answer that leaves AWS costs $${egress} a GB`
}

function about({ at_most }: Estimate): string {
  return at_most ? 'at most' : 'about'
}

function readWords(passes: number, estimate: Estimate): string {
  const { partitions, partitions_of_table, bytes, objects = null, unknown = null } = estimate
  const some =
    partitions === null || partitions_of_table === null
      ? ''
      : `${integerText(partitions)} of ${countText(partitions_of_table, 'partition')}, `
  const size =
    bytes === null
      ? `how many bytes is not known before it runs${unknown === null ? '' : ` (${visible(unknown)})`}`
      : `${about(estimate)} ${sizeText(bytes * passes)}${objects === null ? '' : ` of ${countText(objects, 'object')}`}`
  return `reads ${some}${['once', 'twice', 'three times', 'four times'][passes - 1]}: ${size}`
}

/** Small sums to the first digit that is not zero: what costs little is not free. */
function dollars(usd: number): string {
  return `$${usd >= 0.01 ? usd.toFixed(2) : usd.toPrecision(1)}`
}

/** @throws UserError for a question that reads more than it may. */
export function checkEstimate(
  passes: number,
  estimate: Estimate,
  { maxBytes = bytesMost }: Pick<EngineCliOptions, 'maxBytes'>,
): void {
  if (estimate.bytes === null || estimate.bytes * passes <= maxBytes) return
  throw new UserError(`the question ${readWords(passes, estimate)}, more than ${sizeText(maxBytes)}`, {
    hint: 'a narrower window reads less, or --max-bytes allows more',
  })
}
