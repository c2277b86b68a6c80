/** Routes: one record, as its line stands in the file. */
import type { Route } from '../route.ts'

export const recordRoutes: readonly Route[] = []
