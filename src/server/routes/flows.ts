/** Routes: records, a page at a time. */
import type { Route } from '../route.ts'

export const flowsRoutes: readonly Route[] = []
