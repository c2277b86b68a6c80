/** Routes: the analyst’s own words. */
import type { Route } from '../route.ts'

export const notesRoutes: readonly Route[] = []
