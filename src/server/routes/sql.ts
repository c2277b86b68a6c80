/** Routes: queries in SQL. */
import type { Route } from '../route.ts'

export const sqlRoutes: readonly Route[] = []
