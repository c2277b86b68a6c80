/** Routes: hosts and connections. */
import type { Route } from '../route.ts'

export const hostRoutes: readonly Route[] = []
