/** What would be asked of an engine, and what that would read: the answer to `--dry-run`. */
import { type Block, code, heading, paragraph, strong, title } from './block.ts'

export interface EnginePlan {
  /** The question in words. */
  question: string
  engine: string
  table: string
  /** "reads at most …": what follows "It". */
  reads: string
  /** The statement of the answer, and the one that counts where there are two. */
  statements: readonly string[]
  /** What stands over each statement, where it is something else. */
  titles?: readonly string[] | undefined
}

const usualTitles = ['Statement', 'Statement that counts, and for how many records something is unknown'] as const

export function enginePlanPage(plan: EnginePlan): Block[] {
  return [
    title(strong(plan.question)),
    paragraph(`${plan.engine} ${plan.table}`),
    paragraph(`It ${plan.reads}. Nothing was run but questions about the table itself.`),
    ...plan.statements.flatMap((text, i) => [heading(plan.titles?.[i] ?? usualTitles[i === 0 ? 0 : 1]), code(text)]),
  ]
}
