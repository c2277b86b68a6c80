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
}

export function enginePlanPage(plan: EnginePlan): Block[] {
  return [
    title(strong(plan.question)),
    paragraph(`${plan.engine} ${plan.table}`),
    paragraph(`It ${plan.reads}. Nothing was run but questions about the table itself.`),
    ...plan.statements.flatMap((text, i) => [
      heading(i === 0 ? 'Statement' : 'Statement that counts, and for how many records something is unknown'),
      code(text),
    ]),
  ]
}
