/** Routes: what the charts and panels show, from the time index. */
import type { Route } from '../route.ts'

export const viewRoutes: readonly Route[] = []
