/** What no table of flow logs could answer is refused before an engine is asked: it may be far away, or slow to say what its table is like. */
import type { EngineTable } from '../engines/engine.ts'
import { FilterError } from '../filter/error.ts'
import { flowFields } from '../records/fields.ts'
import { UnknownElement } from './elements.ts'

/** A table with every field that flow logs may have. */
const widest: EngineTable = {
  sql: '"every"."field"',
  columns: flowFields.map(({ name, type }) => ({
    name,
    type: type === 'text' || type === 'address' ? 'varchar' : 'bigint',
  })),
  ...{ partitions: [], listsPartitions: false, hasPath: true },
}

/**
 * @param check of a request, with a table that has every field.
 * @throws UserError, FilterError (status 2) as `check` does; but for names that are no field of flow logs, which the engine's table may have.
 */
export async function checkBefore(check: (table: EngineTable) => unknown): Promise<void> {
  try {
    await check(widest)
  } catch (error) {
    const mayBeColumn = error instanceof UnknownElement || (error instanceof FilterError && error.isUnknownField)
    if (!mayBeColumn) throw error
  }
}
