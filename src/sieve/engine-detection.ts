/**
 * `detect` over everybody whose records an engine holds: the engine says which hosts may be in a finding, their records are brought into a
 * case, and the rules run there.
 */
import { type Detections, type DetectOptions, detectPart } from '../detect/detect.ts'
import type { PartOfAll } from '../detect/part.ts'
import { rulesInForce } from '../detect/rules-in-force.ts'
import type { AskOptions, Engine, Estimate, TextRow } from '../engines/engine.ts'
import { assert, exitStatus, UserError } from '../errors.ts'
import { parse } from '../filter/filter.ts'
import { checkBefore } from '../flows/engine-before.ts'
import { partitionsOf } from '../flows/engine-partitions.ts'
import { type EngineRecords, engineRecords } from '../flows/engine-records.ts'
import { prefixes } from '../net/given-prefixes.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { type PullOptions, type PullReport, pullOf } from '../pull/pull.ts'
import { windowOf } from '../pull/statements.ts'
import { QuestionTooLong } from '../pull/too-long.ts'
import type { Select } from '../query/nodes.ts'
import type { CaseRule } from '../rules/rule.ts'
import { openCase } from '../store/case.ts'
import { sieves, withoutSieve } from './sieves.ts'
import { sieveFields, sieveStatement } from './statement.ts'

export interface EngineDetectOptions
  extends AskOptions,
    Pick<DetectOptions, 'rules' | 'set' | 'internal' | 'scanners' | 'hosts' | 'minSeverity' | 'filter' | 'limits'>,
    Pick<PullOptions, 'case' | 'from_us' | 'to_us' | 'command' | 'onWork' | 'plan'> {
  /** Hosts that may pass; for tests. */
  hostsMost?: number
}

/** What was asked of an engine, and what was not. */
export interface EngineSieved {
  name: Engine['name']
  table: string
  /** Records that end before it, or start at it or after, are left out; null: no bound. */
  from: string | null
  to: string | null
  /** Rules that ran, and of each how many hosts may be in a finding by its sieve. */
  rules: { rule: string; hosts: number }[]
  /** Rules that did not run, and why. */
  skipped: { rule: string; reason: string }[]
  /** Hosts that passed, whose records were brought. */
  hosts: number
  /** Records that were brought, and all of that time. */
  records: number
  records_of_table: number
  queries: { id: string; bytes: number | null; reused?: true }[]
}

export interface EngineDetections extends Detections {
  engine: EngineSieved
}

/** A question that was made, and not asked yet. */
export interface EngineDetection {
  /** The statements that are known before, as they are sent: the sieve, and the sums of a pull. Others follow from what these give. */
  statements: readonly string[]
  /** How often the table is read at most. */
  passes: number
  skipped: EngineSieved['skipped']
  estimate(): Promise<Estimate>
  /** @throws UserError where the engine refuses or cannot be reached, or too many hosts pass. */
  run(): Promise<EngineDetections>
}

/** Hosts whose records are brought: a statement names them all. */
const hostsMost = 5000

/** Matches nothing: of a table of which no host passes only what is no record is brought. */
const nothing = 'not any'

interface Chosen {
  /** Those that run, and those whose findings they need. */
  sieved: readonly CaseRule[]
  names: readonly string[]
  skipped: EngineSieved['skipped']
}

/** @throws UserError (status 2) where a case is there, for what is no rule, and where no rule that was asked for has a sieve. */
export async function engineDetection(engine: Engine, options: EngineDetectOptions): Promise<EngineDetection> {
  const chosen = await chosenRules(options)
  await checkBefore(table => checkFilter(options, engineRecords(table)))
  const table = await engine.table(options)
  const own = engineRecords(table)
  checkFilter(options, own)
  const window = { from_us: micros(options.from_us), to_us: micros(options.to_us) }
  const partitions = partitionsOf(table, [window])
  const within = windowOf(own, window)
  const internal = prefixes(options.internal ?? [], 'not a prefix in --internal')
  const limit = options.hostsMost ?? hostsMost
  const statement = sieveStatement(recordsFor(own, { partitions, records: within }, within), own.columns, {
    ...{ rules: chosen.sieved, internal, within, limit: limit + 1 },
  })
  const text = engine.sent(engine.dialect.print(statement))
  // It is the same for any hosts, but for these.
  const pull = await pullOf(engine, { ...pullOptions(options), subject: [], filter: nothing })
  return {
    statements: [text, pull.statements[0]!],
    passes: 4,
    skipped: chosen.skipped,
    estimate: () => pull.estimate(),
    run: () => new Detecting(engine, statement, chosen, { ...options, hostsMost: limit }).run(),
  }
}

/** It is asked of what was pulled: what is wrong with it is said before that is paid for. @throws FilterError, UserError (status 2) */
function checkFilter({ filter }: EngineDetectOptions, { columns }: EngineRecords): void {
  if (filter !== undefined) parse(filter, { columns, files: true })
}

function micros(us: number | undefined): bigint | null {
  return us === undefined ? null : BigInt(us)
}

function timeText(us: number | undefined): string | null {
  return us === undefined ? null : utcSeconds(us)
}

function recordsFor(
  own: EngineRecords,
  where: Parameters<EngineRecords['relation']>[1],
  within: Select['where'],
): ReturnType<EngineRecords['relation']> {
  return own.relation([...sieveFields.filter(name => own.columns.has(name)), ...(within?.columns ?? [])], where)
}

function pullOptions({
  case: dir,
  from_us,
  to_us,
  command,
  onWork,
  plan,
  signal,
  onProgress,
}: EngineDetectOptions): Omit<PullOptions, 'subject'> {
  return {
    case: dir,
    ...(from_us !== undefined && { from_us }),
    ...(to_us !== undefined && { to_us }),
    ...(command !== undefined && { command }),
    ...(onWork !== undefined && { onWork }),
    ...(plan && { plan }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  }
}

async function chosenRules({ rules: asked = [], set = [] }: EngineDetectOptions): Promise<Chosen> {
  const { rules: all } = await rulesInForce({ set })
  const { rules } = await rulesInForce({ rules: asked, set })
  const skipped: EngineSieved['skipped'] = []
  const run = rules.filter(({ name }) => {
    const reason = reasonNot(name, asked.length > 0)
    if (reason !== null) skipped.push({ rule: name, reason })
    return reason === null
  })
  if (run.length === 0)
    throw new UserError(
      `no rule that was asked for runs on an engine: ${skipped.map(({ rule, reason }) => `${rule}: ${reason}`).join('; ')}`,
      {
        status: exitStatus.usage,
        hint: 'bring the records that matter into a case: tidemark pull --filter …, or tidemark add s3://…',
      },
    )
  const names = run.map(({ name }) => name)
  const needed = new Set([...names, ...names.flatMap(name => sieves[name]!.with ?? [])])
  return { sieved: all.filter(({ name }) => needed.has(name)), names, skipped }
}

function reasonNot(rule: string, isNamed: boolean): string | null {
  const sieve = sieves[rule]
  if (sieve === undefined) return withoutSieve[rule] ?? 'it has no sieve'
  if (sieve.isBroad && !isNamed)
    return `nearly every busy host passes its sieve: --rule ${rule.split('-')[0]} runs it, best in a short time`
  return null
}

/** What the engine gave. */
interface Passed {
  hosts: Prefix[]
  total: number
  perRule: ReadonlyMap<string, number>
  span: PartOfAll['span']
}

class Detecting {
  private readonly engine: Engine
  private readonly statement: Select
  private readonly chosen: Chosen
  private readonly options: EngineDetectOptions & { hostsMost: number }

  constructor(engine: Engine, statement: Select, chosen: Chosen, options: EngineDetectOptions & { hostsMost: number }) {
    this.engine = engine
    this.statement = statement
    this.chosen = chosen
    this.options = options
  }

  async run(): Promise<EngineDetections> {
    const { engine, options, chosen } = this
    const before = engine.ran.length
    const passed = await this.passed()
    this.requireFew(passed)
    const whose =
      passed.hosts.length === 0 ? { subject: [], filter: nothing } : { subject: passed.hosts, ofAll: true as const }
    const report = await this.pulled(whose, passed)
    options.onWork?.('running the rules')
    const { found, left } = await this.found(passed)
    const isNone = found.connections === 0
    return {
      ...found,
      not_decidable: isNone ? found.not_decidable.filter(({ rule }) => rule.startsWith('D00')) : found.not_decidable,
      engine: {
        ...{ name: engine.name, table: engine.place, from: timeText(options.from_us), to: timeText(options.to_us) },
        rules: chosen.names
          .filter(name => !left.some(({ rule }) => rule === name))
          .map(rule => ({ rule, hosts: passed.perRule.get(rule) ?? 0 })),
        skipped: [...chosen.skipped, ...left],
        ...{ hosts: passed.total, records: report.records, records_of_table: report.records_of_table },
        queries: engine.ran.slice(before).map(run => ({ ...run })),
      },
    }
  }

  private async passed(): Promise<Passed> {
    const { engine, options, statement } = this
    const { sieved } = this.chosen
    options.onWork?.('asking the engine which hosts may be in a finding')
    const rows: TextRow[] = []
    for await (const some of engine.ask(engine.dialect.print(statement), options)) rows.push(...some)
    const [first] = rows
    if (first === undefined) return { hosts: [], total: 0, perRule: new Map(), span: { from_us: 0, to_us: 0 } }
    // The host, of each rule whether it passes, and counts over all.
    const counts = first.slice(1 + sieved.length)
    const number = (at: number, otherwise: number): number => Number(counts[at] ?? otherwise)
    return {
      hosts: rows.map(([text]) => hostOf(text ?? null)),
      total: number(0, 0),
      perRule: new Map(sieved.map(({ name }, i) => [name, number(3 + i, 0)])),
      // Where no record has a time, it is that of the connections alone.
      span: { from_us: number(1, Number.POSITIVE_INFINITY), to_us: number(2, Number.NEGATIVE_INFINITY) },
    }
  }

  /** @throws UserError where more hosts pass than are brought: none is left out. */
  private requireFew(passed: Passed): void {
    const { hostsMost: most } = this.options
    if (passed.total <= most) return
    throw tooMany(`${passed.total} hosts may be in a finding, and records of ${most} are brought at most`, passed)
  }

  /** @throws UserError where a statement has no room for these hosts, or for the endpoints that they leave open. */
  private async pulled(whose: Pick<PullOptions, 'subject' | 'filter' | 'ofAll'>, passed: Passed): Promise<PullReport> {
    try {
      return await (await pullOf(this.engine, { ...pullOptions(this.options), ...whose })).run()
    } catch (error) {
      throw error instanceof QuestionTooLong
        ? tooMany(`${passed.total} hosts may be in a finding, and ${error.message}`, passed)
        : error
    }
  }

  private async found({ hosts: whole, span }: Passed): Promise<{ found: Detections; left: EngineSieved['skipped'] }> {
    const { options } = this
    // The time is that of the records that were pulled.
    const { from_us: _from, to_us: _to, ...others } = options
    const { signal } = options
    const names = [...this.chosen.names]
    const opened = await openCase(options.case, signal && { signal })
    try {
      const ask = (some: readonly string[]): Promise<Detections> => {
        const rests = Object.fromEntries(some.map(name => [name, sieves[name]!.whole]))
        const part = { whole, rests, span }
        return detectPart(opened, part, { ...others, rules: names })
      }
      const needed = this.chosen.sieved.map(({ name }) => name)
      const found = await ask(needed)
      const idle = names.filter(name => sieves[name]!.asksForAnswers)
      if (found.coverage.has.answers || whole.length === 0 || idle.length === 0) return { found, left: [] }
      const reason =
        'no connection that was brought is answered: whether answers are recorded at all, which it asks, is not known'
      const left = idle.map(rule => ({ rule, reason }))
      return { found: await ask(needed.filter(name => !idle.includes(name))), left }
    } finally {
      await opened.close()
    }
  }
}

/** @param perRule hosts that pass the sieve of each rule. */
function tooMany(what: string, { perRule }: Pick<Passed, 'perRule'>): UserError {
  const worst = [...perRule].sort(([, a], [, b]) => b - a).slice(0, 3)
  return new UserError(`${what}; by rule: ${worst.map(([rule, hosts]) => `${rule} ${hosts}`).join(', ')}`, {
    hint: 'a shorter time (--from, --to) has fewer, and so have higher thresholds (--set) or fewer rules (--rule)',
  })
}

function hostOf(text: string | null): Prefix {
  const prefix = text === null ? null : parsePrefix(text)
  assert(prefix !== null, 'an engine gives addresses')
  return prefix
}
