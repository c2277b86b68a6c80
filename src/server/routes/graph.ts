/** Routes: who sent what to whom. */
import type { Route } from '../route.ts'

export const graphRoutes: readonly Route[] = []
