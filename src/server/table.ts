/** Finds the route of a path: by exact parts, never by a file's name. */
import type { Route } from './route.ts'

export interface Hit {
  route: Route
  params: Record<string, string>
}

/** Null: no such path; `method`: there is, but not for this method. */
export function found(routes: readonly Route[], method: string, path: string): Hit | 'method' | null {
  const parts = path.split('/')
  const fitting = routes.flatMap(route => {
    const params = paramsOf(route.path.split('/'), parts)
    return params === null ? [] : [{ route, params }]
  })
  if (fitting.length === 0) return null
  return fitting.find(hit => hit.route.method === method) ?? 'method'
}

function paramsOf(wanted: readonly string[], given: readonly string[]): Record<string, string> | null {
  if (wanted.length !== given.length) return null
  const params: Record<string, string> = Object.create(null)
  for (const [i, part] of wanted.entries()) {
    if (!part.startsWith(':')) {
      if (part !== given[i]) return null
      continue
    }
    const value = decoded(given[i]!)
    if (value === null || value === '') return null
    params[part.slice(1)] = value
  }
  return params
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
