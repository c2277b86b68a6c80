/** Routes: files of the case, and what is added. */
import type { Route } from '../route.ts'

export const evidenceRoutes: readonly Route[] = []
