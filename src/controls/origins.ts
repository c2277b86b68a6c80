/** Accounts and regions that the logs of a case are of. */
import { TextKeys } from '../record-index/text-keys.ts'
import type { Case } from '../store/case.ts'
import type { Origins } from './advice.ts'
import { originOf } from './log-names.ts'

/** By the names of files, and where some of them do not tell, by the records; in order. */
export async function originsOf(c: Pick<Case, 'evidence' | 'columns' | 'db' | 'source'>): Promise<Origins> {
  const logs = c.evidence.filter(({ kind, records }) => kind?.includes('flow-log') === true && records > 0)
  const names = logs.map(({ path }) => originOf(path))
  const isTold = names.every(name => name !== null)
  const accounts = isTold ? [] : await textsOf(c, 'account_id')
  const regions = isTold ? [] : await textsOf(c, 'region')
  return {
    accounts: [...new Set([...names.flatMap(name => name?.account ?? []), ...accounts])].sort(),
    regions: [...new Set([...names.flatMap(name => name?.region ?? []), ...regions])].sort(),
  }
}

async function textsOf(
  { columns, db, source }: Pick<Case, 'columns' | 'db' | 'source'>,
  name: string,
): Promise<string[]> {
  if (source !== 'logs' || !columns.has(name)) return []
  const { texts } = await TextKeys.of(db, 'flows', name)
  return texts.filter(text => text !== null && text !== 'unknown') as string[]
}
