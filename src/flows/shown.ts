/** The statement of a request for people: it runs in any DuckDB, and, unless it asks for roles, pasted into `tidemark sql`. */
import { shownWithRoles } from '../conversations/roles.ts'
import { trusted } from '../query/build.ts'
import type { Relation } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import { shownCollapsed } from './count-once.ts'
import { planOf, type Settled } from './settle.ts'

/**
 * The statement, which is not run. Tables of the case's cache are read as the files that they are; where nothing could be kept there, they
 * have the names of tables that no other program has.
 */
export async function shownStatement(c: Case, { setting, makers, usesRoles }: Settled): Promise<string> {
  const { records, internal } = setting
  const roles = usesRoles ? await shownWithRoles(c, records.source, records, internal) : null
  const forPeople = {
    ...records,
    table: (_: boolean, withRoles?: boolean): Relation =>
      withRoles === true && roles !== null ? trusted(roles, []) : records.shown(withRoles),
  }
  const kept = setting.collapsed === null ? null : await shownCollapsed(c, records.evidence)
  const collapsed = kept === null ? setting.collapsed : trusted(kept, [])
  const { statement } = planOf({ ...setting, records: forPeople, collapsed, totals: null }, makers)
  return setting.dialect.shown(statement)
}
