/** `tidemark evidence --engine`: what the lines of a table cover. Nothing of a case is read. */
import type { EngineProgress } from '../engines/engine.ts'
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
import { selectionOf } from './selection.ts'

export interface EvidenceCliOptions extends CommonOptions, EngineCliOptions {
  from?: string
  to?: string
}

export async function evidenceOfEngine(options: EvidenceCliOptions, signal: AbortSignal): Promise<void> {
  const { from, to } = options
  const selected = await selectionOf({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
  const at = (us: number | undefined): bigint | null => (us === undefined ? null : BigInt(us))
  const window = { from_us: at(selected.from_us), to_us: at(selected.to_us) }
  const engine = await engineNamed(options.engine!, options)
  const prices = pricesOf(options)
  let progress: EngineProgress | null = null
  const waiting = startWaiting(() => progressWords(progress))
  const onProgress = (seen: EngineProgress): void => {
    progress = seen
  }
  try {
    const [{ coverageQuestion }, { toJson }] = await Promise.all([
      import('../flows/engine-coverage.ts'),
      import('../report/json.ts'),
    ])
    const question = await coverageQuestion(engine, window, { signal, onProgress })
    const estimate = await question.estimate()
    const reads = estimateWords(engine, 1, estimate, prices, options)
    if (options.dryRun) {
      waiting.stop()
      const { statement } = question
      const price = priceOf(engine, 1, estimate, prices)
      const told = { engine: engine.name, table: engine.place, statements: [statement], passes: 1, estimate, price }
      if (options.json) return await print(toJson(told))
      const { enginePlanPage } = await import('../report/engine-plan.ts')
      const asked = { question: `Coverage of ${engine.place}`, engine: engine.name, table: engine.place }
      return await printPage(enginePlanPage({ ...asked, reads, statements: [statement] }), options.color)
    }
    checkEstimate(1, estimate, options)
    await note(`tidemark: the engine ${reads}`)
    const found = await question.ask()
    waiting.stop()
    if (options.json) return await print(toJson(found))
    const { engineCoveragePage } = await import('../report/engine-coverage.ts')
    await printPage(engineCoveragePage(found), options.color)
  } finally {
    waiting.stop()
  }
}
