import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as library from '../../src/index.ts'
import { repoRoot } from '../repo.ts'
import { libraryPage } from './page.ts'

test('the page of the library says what the doc comments do', () => {
  const path = join(repoRoot, 'docs', 'reference', 'library.md')
  if (process.env['UPDATE_GOLDEN']) writeFileSync(path, libraryPage())
  assert.equal(readFileSync(path, 'utf8'), libraryPage(), 'node scripts/test.mjs library -u writes it again')
})

test('the page has every value that the library exports, and what each is for', () => {
  const page = libraryPage()
  for (const name of Object.keys(library)) {
    const section = new RegExp(`^### ${name}\n\n(?!\`\`\`)[^\n]+`, 'm')
    assert.ok(section.test(page), `${name} has no doc comment`)
  }
})
