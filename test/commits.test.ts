import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoRoot, skipWithout } from './repo.ts'

/** What is wrong with a commit's message, or null. */
function fault(message: string): string | null {
  const [subject = '', blank = '', ...body] = message.trimEnd().split('\n')
  if (!/^[a-z][\w./-]*(, [a-z][\w./-]*)*: \S/.test(subject)) return 'its subject is not `area: what changes`'
  if (subject.length >= 72) return `its subject has ${subject.length} characters: fewer than 72`
  if (blank !== '' || body.join('').trim() === '') return 'it has no body that says why'
  return null
}

const repository = existsSync(join(repoRoot, '.git')) ? skipWithout('git') : { skip: 'no repository' }

test('the last twenty commits say what changes, and why', repository, () => {
  const log = ['log', '-20', '--no-merges', '-z', '--format=%h %B']
  const { stdout, status } = spawnSync('git', log, { cwd: repoRoot, encoding: 'utf8' })
  assert.equal(status, 0)
  const faults = stdout
    .split('\0')
    .filter(one => one !== '')
    .flatMap(commit => {
      const what = fault(commit.slice(commit.indexOf(' ') + 1))
      return what === null ? [] : [`${commit.split('\n')[0]}: ${what}`]
    })
  assert.deepEqual(faults, [])
})

test('a message without an area, without a body or with a long subject is found', () => {
  assert.equal(fault('flows: rows stream\n\nA pipe closes at once.\n'), null)
  assert.equal(fault('query, filter: trees\n\nWhy.\n'), null)
  assert.match(fault('Rows stream\n\nWhy.')!, /area/)
  assert.match(fault('flows: rows stream\n')!, /body/)
  assert.match(fault(`flows: ${'x'.repeat(65)}\n\nWhy.`)!, /72/)
})
