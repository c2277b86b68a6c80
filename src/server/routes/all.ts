/** Every route of the workbench. */
import type { Route } from '../route.ts'
import { caseRoutes } from './case.ts'
import { jobRoutes } from './jobs.ts'

export const allRoutes: readonly Route[] = [...caseRoutes, ...jobRoutes]
