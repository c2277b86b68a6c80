import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tunnelNames } from '../../src/packet/packet.ts'
import { reasonNames } from '../../src/packet/reasons.ts'
import { repoRoot } from '../repo.ts'

test('the page of packets names every reason and every tunnel', () => {
  const page = readFileSync(join(repoRoot, 'docs', 'reference', 'packets.md'), 'utf8')
  const missing = [...reasonNames, ...tunnelNames].filter(name => name !== '' && !page.includes(`\`${name}\``))
  assert.deepEqual(missing, [])
})
