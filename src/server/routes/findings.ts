/** Routes: what detect finds. */
import type { Route } from '../route.ts'

export const findingsRoutes: readonly Route[] = []
