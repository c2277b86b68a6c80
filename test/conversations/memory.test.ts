import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOfPart, requireMemory } from '../../src/conversations/memory.ts'
import { UserError } from '../../src/errors.ts'

test('conversations that need more memory than there is are refused, with both figures', () => {
  assert.doesNotThrow(() => requireMemory(100_000_000, 2 ** 31, 2 ** 31))
  assert.throws(
    () => requireMemory(100_000_000, bytesOfPart(50_000_000), 2 ** 31),
    (error: unknown) =>
      error instanceof UserError &&
      error.message ===
        'too little memory for the conversations of all 100,000,000 records: about 7.5 GiB are needed, 2.0 GiB are free' &&
      error.hint?.includes('tidemark investigate') === true,
  )
})
