/** Routes: what would have stopped it. */
import type { Route } from '../route.ts'

export const controlsRoutes: readonly Route[] = []
