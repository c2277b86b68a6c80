/** Routes: values of every field. */
import type { Route } from '../route.ts'

export const fieldsRoutes: readonly Route[] = []
