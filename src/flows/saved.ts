/** Saved requests, in the case's `queries.json`. */
import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Case } from '../store/case.ts'
import { readQueries, writeQueries } from '../store/queries.ts'
import type { FlowsRequest } from './request.ts'

export interface SavedQuery {
  name: string
  /** When, ISO 8601, UTC. */
  saved: string
  request: FlowsRequest
}

/** Keeps a request under a name; one of that name is replaced. Parameters of the filter, `$name`, are given when it is asked. */
export async function saveQuery({ dir }: Pick<Case, 'dir'>, name: string, request: FlowsRequest): Promise<void> {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) {
    throw new UserError(`invalid name of a query: ${name}`, { status: 2, hint: 'letters, digits, - _ . up to 64' })
  }
  if (request.filter !== undefined && typeof request.filter !== 'string') {
    throw new UserError('a query is saved with the text of its filter', { status: 2 })
  }
  const saved = new Date().toISOString()
  const { saved: _, ...kept } = request
  await writeQueries(dir, { ...(await readQueries(dir)), [name]: { saved, request: kept } })
}

/** The request of that name, marked as a saved one: its filter may come from somebody else. @throws UserError if there is none. */
export async function savedQuery({ dir }: Pick<Case, 'dir'>, name: string): Promise<FlowsRequest> {
  const queries = await readQueries(dir)
  const found = Object.hasOwn(queries, name) ? queries[name] : undefined
  if (found !== undefined) return { ...(found.request as FlowsRequest), saved: true }
  const names = Object.keys(queries)
  const near = nearest(name, names)
  const hint =
    near !== null
      ? `did you mean ${near}?`
      : names.length > 0
        ? `there are: ${names.join(', ')}`
        : 'save one with --save NAME'
  throw new UserError(`no saved query: ${name}`, { status: 2, hint })
}

/** All of them, by name. */
export async function savedQueries({ dir }: Pick<Case, 'dir'>): Promise<SavedQuery[]> {
  const queries = await readQueries(dir)
  return Object.entries(queries).map(([name, { saved, request }]) => ({
    name,
    saved,
    request: { ...(request as FlowsRequest), saved: true },
  }))
}
