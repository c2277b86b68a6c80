/** A route: an exact path, the form of its question, and who answers. */
import type { ZodType } from 'zod'
import type { Services } from './services.ts'

export interface Asked<Body> {
  /** Parts of the path that are named in it, as `:id`. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  body: Body
  /** Aborted when the browser no longer waits. */
  signal: AbortSignal
}

export { OwnReply } from './own-reply.ts'

export interface Route<Body = unknown> {
  method: 'GET' | 'POST'
  /** `/api/file/:id`; each part that begins with a colon takes any text without a slash. */
  path: string
  /** What the body must be; none: the route takes no body. */
  body?: ZodType<Body>
  answer(services: Services, asked: Asked<Body>): Promise<unknown> | unknown
}

/** A route as the table has it: the form of its body is checked before it is asked. */
export function route<Body>(given: Route<Body>): Route {
  return given as unknown as Route
}
