import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { saveQuery } from '../../src/flows/saved.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { ask, caseFolder, value } from './support.ts'

const { caseDir } = await caseFolder()
const path = join(caseDir, 'queries.json')

/** What is asked of the case as it is now: a process sees the queries that there are at its start. */
async function during<T>(work: (session: QuerySession) => Promise<T>): Promise<T> {
  const session = new QuerySession(caseDir)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

test('saved queries are a view, empty where none is saved', async () => {
  await during(async session => assert.equal(await value(session, 'SELECT count(*) FROM queries'), 0))
  await saveQuery({ dir: caseDir }, 'from', {
    filter: 'src ip $who',
    params: { port: '22' },
    by: ['dstip'],
    order: 'bytes',
  })
  await saveQuery({ dir: caseDir }, 'all', { limit: null })
  await during(async session => {
    const { rows } = await ask(
      session,
      "SELECT name, saved > TIMESTAMP '2020-01-01', filter, request->>'order', request->'by' FROM queries ORDER BY name",
    )
    assert.deepEqual(rows, [
      ['all', true, null, null, null],
      ['from', true, 'src ip $who', 'bytes', '["dstip"]'],
    ])
  })
})

test('a file of queries that cannot be read stops only what asks for them', async () => {
  const query = (saved: string, filter: string): string =>
    `{"version":1,"queries":{"a":{"saved":"${saved}","request":{"filter":"${filter}"}}}}`
  const broken: [text: string, message: RegExp][] = [
    ['', /^saved queries cannot be read: queries\.json: /],
    ['{"it\'s": 1}', /^saved queries cannot be read: queries\.json: /],
    ['{"version":1,"queries":{},"\\u0000\'":1}', /^saved queries cannot be read: queries\.json: /],
    [query('yesterday', 'any'), /^saved queries cannot be read: queries\.json$/],
    [query('2023-11-14T22:13:20Z', '\\ud800'), /^saved queries cannot be read: queries\.json$/],
  ]
  for (const [text, message] of broken) {
    writeFileSync(path, text)
    await during(async session => {
      assert.equal(await value(session, 'SELECT count(*) FROM flows'), 5, text)
      for (const sql of ['FROM queries', 'SELECT count(*) FROM queries']) {
        await assert.rejects(ask(session, sql), (error: Error & { hint?: string }) => {
          assert.match(error.message, message)
          assert.match(error.hint ?? '', /fix or delete it/)
          assert.ok(!error.message.includes(caseDir))
          return true
        })
      }
      assert.equal((await ask(session, 'DESCRIBE FROM queries')).rows.length, 4)
    })
  }
  rmSync(path)
})
