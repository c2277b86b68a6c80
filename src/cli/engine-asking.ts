/** A question to an engine from its options to its answer: what it costs is said before, and how far it is meanwhile. */
import type { Engine, EngineProgress, Estimate } from '../engines/engine.ts'
import {
  checkEstimate,
  type EngineCliOptions,
  engineNamed,
  estimateWords,
  priceOf,
  pricesOf,
  progressWords,
} from './engine-options.ts'
import type { CommonOptions } from './options.ts'
import { note, print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'

interface Question<Answer> {
  /** In words. */
  sentence: string
  /** As they are sent. */
  statements: readonly string[]
  /** What a plan says over each of them, where it is not the usual. */
  titles?: readonly string[]
  /** How often the table is read. */
  passes: number
  estimate(): Promise<Estimate>
  ask(): Promise<Answer>
}

type Options = CommonOptions & EngineCliOptions & { quiet?: boolean }

/** The answer; null after `--dry-run`, which prints what would be asked. @throws UserError */
export async function askEngine<Answer>(
  options: Options,
  made: (engine: Engine, onProgress: (seen: EngineProgress) => void) => Promise<Question<Answer>>,
): Promise<Answer | null> {
  const engine = await engineNamed(options.engine!, options)
  const prices = pricesOf(options)
  const progress = new Progress(options.quiet === true ? null : engine)
  try {
    const question = await made(engine, seen => progress.see(seen))
    const { passes } = question
    const estimate = await question.estimate()
    const reads = estimateWords(engine, passes, estimate, prices, options)
    if (options.dryRun) {
      progress.stop()
      const price = priceOf(engine, passes, estimate, prices)
      await printPlan(engine, question, { reads, estimate, price }, options)
      return null
    }
    checkEstimate(passes, estimate, options)
    if (options.quiet !== true) await note(`tidemark: the engine ${reads}`)
    progress.namesStatements = true
    return await question.ask()
  } finally {
    progress.stop()
  }
}

async function printPlan(
  { name, place }: Engine,
  { sentence, statements, titles, passes }: Question<unknown>,
  { reads, estimate, price }: { reads: string; estimate: Estimate; price: ReturnType<typeof priceOf> },
  options: Options,
): Promise<void> {
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    return print(toJson({ engine: name, table: place, sentence, statements, passes, estimate, price }))
  }
  const { enginePlanPage } = await import('../report/engine-plan.ts')
  const page = enginePlanPage({ question: sentence, engine: name, table: place, reads, statements, titles })
  await printPage(page, options.color)
}

/** How far it is, and the names of the statements: with them one is found again if this process ends before it. */
class Progress {
  namesStatements = false
  private readonly engine: Engine | null
  private seen: EngineProgress | null = null
  private readonly named = new Set<string>()
  private waiting = this.start()
  private isStopped = false

  constructor(engine: Engine | null) {
    this.engine = engine
  }

  see(seen: EngineProgress): void {
    this.seen = seen
    const { id } = seen
    const words = id === undefined || this.named.has(id) ? undefined : this.engine?.shownBy?.(id)
    if (id === undefined || words === undefined || !this.namesStatements) return
    this.named.add(id)
    this.waiting.stop()
    void note(`tidemark: the engine runs query ${id}: ${words}`)
    if (!this.isStopped) this.waiting = this.start()
  }

  stop(): void {
    this.isStopped = true
    this.waiting.stop()
  }

  private start(): ReturnType<typeof startWaiting> {
    return startWaiting(() => progressWords(this.seen))
  }
}
