/** Routes: when which sensor recorded. */
import type { Route } from '../route.ts'

export const coverageRoutes: readonly Route[] = []
