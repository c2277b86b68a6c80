/** What tests of every engine do with what it gives. */
import assert from 'node:assert/strict'
import type { TextRow } from '../../src/engines/engine.ts'
import { UserError } from '../../src/errors.ts'

export async function rowsOf(batches: AsyncGenerator<TextRow[]>): Promise<TextRow[]> {
  const rows: TextRow[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

/** What is thrown, which never holds a secret, plain or as HTTP sends it. */
export async function errorOf(work: Promise<unknown>): Promise<UserError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof UserError, String(error))
  assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /canary|Y2FuYXJ5|Basic/i)
  return error
}
