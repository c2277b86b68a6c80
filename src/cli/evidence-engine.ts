/** `tidemark evidence --engine`: what the lines of a table cover. Nothing of a case is read. */
import { askEngine } from './engine-asking.ts'
import type { EngineCliOptions } from './engine-options.ts'
import type { CommonOptions } from './options.ts'
import { print, printPage } from './output.ts'
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
  const found = await askEngine(options, async (engine, onProgress) => {
    const { coverageQuestion } = await import('../flows/engine-coverage.ts')
    return coverageQuestion(engine, window, { signal, onProgress })
  })
  if (found === null) return
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    return print(toJson(found))
  }
  const { engineCoveragePage } = await import('../report/engine-coverage.ts')
  await printPage(engineCoveragePage(found), options.color)
}
