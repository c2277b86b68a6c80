import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repoRoot } from './repo.ts'

/**
 * Compares a text with `test/golden/<name>`, e.g. `golden('dossier.golden.txt', page)`.
 *
 * A mismatch fails and leaves the new text in `<name>-changed` beside it. `npm test -- -u` rewrites the files;
 * their diff is then reviewed. Names hold `.golden.`, which keeps the formatter away.
 */
export function golden(name: string, text: string): void {
  const path = join(repoRoot, 'test', 'golden', name)
  const changed = `${path}-changed`
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : null
  rmSync(changed, { force: true })
  if (expected === text) return
  mkdirSync(dirname(path), { recursive: true })
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(path, text)
    return
  }
  writeFileSync(changed, text)
  if (expected === null) assert.fail(`no test/golden/${name}; npm test -- -u writes it`)
  assert.equal(text, expected, `differs from test/golden/${name}; npm test -- -u takes it over`)
}
