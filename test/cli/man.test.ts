import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoRoot, skipWithout } from '../repo.ts'
import { manPage } from './man.ts'

const path = join(repoRoot, 'man', 'tidemark.1')

test('the manual page has the commands and options that there are', () => {
  if (process.env['UPDATE_GOLDEN']) writeFileSync(path, manPage())
  assert.equal(readFileSync(path, 'utf8'), manPage(), 'node scripts/test.mjs cli/man -u writes it again')
})

test('the manual page is set without a warning', skipWithout('groff'), () => {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', path], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.match(stdout, /tidemark investigate/)
})
