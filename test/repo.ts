import { existsSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of package.json. Tests run compiled, in build/, but their fixtures stay where they are. */
export const repoRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

/** Folder of shared reference data beside the checkout; null where there is none. */
export const sharedDir = orNull(join(dirname(repoRoot), 'shared'))

/** The compiled command line under test. */
export const cliEntry = join(repoRoot, 'build', 'src', 'cli', 'main.js')

/**
 * Options for `test` that skip it, with the reason, unless all that it needs is there: files (absolute paths),
 * commands (looked up in PATH), or a path that may be null.
 */
export function skipWithout(...needs: (string | null)[]): { skip: string | false } {
  const missing = needs.find(need => need === null || !isThere(need))
  if (missing === undefined) return { skip: false }
  return { skip: missing === null ? 'no shared data beside the checkout' : `no ${missing.replace(`${repoRoot}/`, '')}` }
}

function isThere(need: string): boolean {
  if (isAbsolute(need)) return existsSync(need)
  return (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && existsSync(join(folder, need)))
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('no package.json above the tests')
  return findRoot(parent)
}

function orNull(path: string): string | null {
  return existsSync(path) ? path : null
}
