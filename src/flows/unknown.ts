/** For how many records something cannot be told. */
import { all, any, column, count, isUnknown, named, not, own, select } from '../query/build.ts'
import type { Query } from '../query/nodes.ts'
import { hasUnknownPart } from '../query/walk.ts'
import type { Case } from '../store/case.ts'
import { factsOf } from '../store/kept-facts.ts'
import { isRejected } from './measures.ts'
import { matching, type Setting } from './plan.ts'
import type { Cell } from './request.ts'
import { integer } from './values.ts'

/** Asks the records only where a column that the filter names has unknown values, by the statistics of the segments. */
export async function unknownCount(c: Case, s: Setting): Promise<Cell> {
  const { where, unknown } = s.filter
  if (!hasUnknownPart(where) && !(await hasUnknown(c, s, where.columns))) return 0
  const asked: Setting = { ...s, filter: { ...s.filter, where: unknown }, request: {} }
  return counted(c, s, select([named(count(), 'n')], matching(asked, [])))
}

/** How many of the records that are summed up do not say how much they moved: the sums are lower bounds then. */
export async function unsummedCount(c: Case, s: Setting): Promise<Cell> {
  const { records, acceptedOnly } = s
  const names = ['packets', 'bytes'].filter(name => records.columns.has(name))
  if (records.nfdump || !(await hasUnknown(c, s, names))) return 0
  const needs = acceptedOnly ? [...names, 'action'] : names
  const isUnsaid = any(names.map(name => isUnknown(column(name))))
  const where = acceptedOnly ? all([isUnsaid, not(isRejected)]) : isUnsaid
  return counted(c, s, select([named(count(), 'n')], { from: select(needs.map(own), matching(s, needs)), where }))
}

async function counted(c: Case, { dialect }: Setting, query: Query): Promise<Cell> {
  const { text, values } = dialect.print(query)
  const [row] = await c.db.rows(text, values)
  return integer(row?.['n'])
}

async function hasUnknown(c: Case, { records, facts }: Setting, names: readonly string[]): Promise<boolean> {
  const kind = records.evidence === 'logs' ? 'flows' : 'packet-flows'
  const columns = names.filter(name => records.columns.has(name))
  const segments = c.segments.filter(segment => segment.kind === kind)
  if (columns.length === 0 || segments.length === 0) return false
  if (columns.includes('interface_id') && records.evidence === 'packets') return true
  if (segments.some(segment => columns.some(name => !segment.columns.includes(name)))) return true
  const { withNulls } = facts ?? (await factsOf(c, kind, false))
  return columns.some(name => withNulls.has(name))
}
