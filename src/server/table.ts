/** Finds the routes of a path: by exact parts, never by a file's name. */
import type { Route } from './route.ts'

export interface Hit {
  route: Route
  params: Record<string, string>
}

/** Those of every method. */
export function found(routes: readonly Route[], path: string): Hit[] {
  const parts = path.split('/')
  const hits = routes.flatMap(route => {
    const params = paramsOf(route.path.split('/'), parts)
    return params === null ? [] : [{ route, params }]
  })
  // What names a part itself goes before what takes any.
  return hits.sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length)
}

export function methodsOf(hits: readonly Hit[]): string[] {
  return [...new Set(hits.map(({ route }) => route.method))]
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
