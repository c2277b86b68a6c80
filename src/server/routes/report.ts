/** Routes: the report. */
import type { Route } from '../route.ts'

export const reportRoutes: readonly Route[] = []
