import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTrinoPlace, trinoUser } from '../../src/engines/trino-place.ts'
import { UserError } from '../../src/errors.ts'

test('a table of Trino is named by host, catalog, schema and table', () => {
  assert.deepEqual(parseTrinoPlace('trino://lake.example:8080/hive/logs/my%20flows'), {
    ...{ origin: 'http://lake.example:8080', catalog: 'hive', schema: 'logs', table: 'my flows' },
  })
  assert.equal(parseTrinoPlace('trino+https://lake.example/a/b/c').origin, 'https://lake.example')
  for (const text of [
    ...['http://a/b/c/d', 'trino:', 'trino://', 'trino://a', 'trino://a/b/c', 'trino://a/b/c/', 'trino://a/b/c/d/e'],
    ...['trino://a/b/c/d?x=1', 'trino://a/b/%ff/d', 'trino://a:99999/b/c/d'],
  ]) {
    assert.throws(
      () => parseTrinoPlace(text),
      (error: unknown) => error instanceof UserError && error.status === 2,
      text,
    )
  }
})

test('a password in the name of an engine is refused, and not repeated', () => {
  for (const text of ['trino://u:canary@a/b/c/d', 'trino://canary@a/b/c/d']) {
    assert.throws(
      () => parseTrinoPlace(text),
      (error: unknown) =>
        error instanceof UserError &&
        !/canary/.test(`${error.message} ${error.hint}`) &&
        /TIDEMARK_TRINO_PASSWORD/.test(error.hint!),
    )
  }
})

test('who asks is said by the environment, and secrets go over encrypted or local connections only', () => {
  const far = parseTrinoPlace('trino://lake.example/a/b/c')
  const near = parseTrinoPlace('trino://127.0.0.1:8080/a/b/c')
  const safe = parseTrinoPlace('trino+https://lake.example/a/b/c')
  const env = { TIDEMARK_TRINO_USER: 'u', TIDEMARK_TRINO_PASSWORD: 'canary', TIDEMARK_TRINO_TOKEN: '' }
  assert.deepEqual(trinoUser(env, near), { user: 'u', password: 'canary', token: null })
  assert.deepEqual(trinoUser(env, safe), { user: 'u', password: 'canary', token: null })
  assert.throws(
    () => trinoUser(env, far),
    (error: unknown) => error instanceof UserError && !/canary/.test(error.message),
  )
  assert.deepEqual(trinoUser({ USER: 'me' }, far), { user: 'me', password: null, token: null })
})
