/** The rows of an answer as a Parquet file. */
import { dirname } from 'node:path'
import { type FileTarget, fileTarget } from '../disk/output.ts'
import { clearKilledOutputs } from '../disk/part-file.ts'
import { type AnswerColumn, keepAnswer, writeAnswer } from '../store/answer-file.ts'
import type { Case } from '../store/case.ts'
import { type Plan, type PlannedColumn, type Setting, totalNames } from './plan.ts'

let kept = 0

/** The file that is to be written. @throws UserError where it must not be, or cannot. */
export function targetOf(path: string, inputs: readonly (string | Uint8Array)[], force: boolean): FileTarget {
  return fileTarget(path, { option: '--parquet', seeks: 'Parquet', inputs: [...inputs], force })
}

/** Works out a plan's rows, and keeps them. Returns the name of their table. */
export async function keepRows(c: Case, plan: Plan, { dialect }: Setting): Promise<string> {
  const table = `flows_answer_${++kept}`
  const names = [...(plan.totals ? totalNames : []), ...plan.columns.map((_, i) => `c${i}`)]
  await keepAnswer(c.db, table, dialect.print(plan.statement), names)
  return table
}

/** Writes the rows that were kept in that table, and keeps them no longer. @throws UserError where the file cannot be written. */
export async function writeParquet(c: Case, plan: Plan, table: string, target: FileTarget): Promise<void> {
  clearKilledOutputs(dirname(target.path), target)
  await writeAnswer(c.db, table, plan.columns.map(answerColumn), plan.totals ? '_is' : null, target)
}

function answerColumn({ name, type, length }: PlannedColumn): AnswerColumn {
  if (name === 'path') return { name, type: 'file' }
  if (type === 'integer') return { name, type, signed: /_change$|^duration$/.test(name) }
  if (type === 'prefix') return { name, type, ...(length !== undefined && { length }) }
  return { name, type: type === 'address' ? type : 'other' }
}
