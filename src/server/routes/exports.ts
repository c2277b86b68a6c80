/** Routes: what is written for other tools. */
import type { Route } from '../route.ts'

export const exportsRoutes: readonly Route[] = []
