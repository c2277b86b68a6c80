import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Trino, type TrinoLimits } from '../../src/engines/trino.ts'
import { rawSql } from '../../src/query/sql.ts'
import { errorOf, rowsOf } from './asked.ts'
import { type Heard, type Reply, type Stub, startStub } from './stub.ts'

const secrets = { user: 'somebody', password: 'canary-password', token: null }
const statement = rawSql('SELECT 1')

async function withStub(
  answer: (heard: Heard, origin: string) => Reply,
  work: (stub: Stub) => Promise<void>,
): Promise<void> {
  const stub = await startStub(answer)
  try {
    await work(stub)
  } finally {
    await stub.close()
  }
}

function clientOf({ origin }: Pick<Stub, 'origin'>, limits: TrinoLimits = {}): Trino {
  return new Trino({ origin, catalog: 'hive', schema: 'logs', table: 'flows' }, secrets, { patience: 0.01, ...limits })
}

const page = (origin: string, n: number, more: object = {}): object => ({
  id: 'q1',
  nextUri: `${origin}/v1/statement/executing/q1/${n}`,
  stats: { state: 'RUNNING', physicalInputBytes: n * 10 },
  ...more,
})
const last = (more: object = {}): object => ({
  id: 'q1',
  stats: { state: 'FINISHED', physicalInputBytes: 99 },
  ...more,
})
const placeOf = ({ path }: Heard): number => Number(path.split('/').at(-1))

test('rows come page by page, exact, with what was read, and each request says who asks', async () => {
  const answer = (heard: Heard, origin: string): Reply => {
    if (heard.method === 'POST') return { body: page(origin, 0) }
    const n = placeOf(heard)
    return {
      body: n < 2 ? page(origin, n + 1, { data: [[`1844674407370955161${n}`, null]] }) : last({ data: [['x', 'y']] }),
    }
  }
  await withStub(answer, async stub => {
    const client = clientOf(stub, { bytes: 5000 })
    const seen: (number | null)[] = []
    const rows = await rowsOf(client.ask(statement, { onProgress: ({ bytes }) => seen.push(bytes) }))
    assert.deepEqual(rows, [
      ['18446744073709551610', null],
      ['18446744073709551611', null],
      ['x', 'y'],
    ])
    assert.deepEqual(client.ran, [{ id: 'q1', bytes: 99 }])
    assert.deepEqual(seen, [0, 10, 20, 99])
    for (const { method, headers } of stub.heard) {
      assert.equal(headers['x-trino-user'], 'somebody')
      assert.equal(headers['x-trino-session'], method === 'POST' ? 'query_max_scan_physical_bytes=5000B' : undefined)
      assert.equal(headers.authorization, `Basic ${Buffer.from('somebody:canary-password').toString('base64')}`)
    }
    assert.equal(stub.heard[0]!.body, 'SELECT 1')
    assert.ok(!stub.heard.some(({ method }) => method === 'DELETE'))
  })
})

test('what all statements together may read is left to the next, and none is sent when nothing is', async () => {
  const answer = (): Reply => ({ body: last({ data: [['1']] }) })
  await withStub(answer, async stub => {
    const client = clientOf(stub, { bytes: 198 })
    await rowsOf(client.ask(statement))
    await rowsOf(client.ask(statement))
    assert.deepEqual(
      stub.heard.map(({ headers }) => headers['x-trino-session']),
      ['query_max_scan_physical_bytes=198B', 'query_max_scan_physical_bytes=99B'],
    )
    const { message, hint } = await errorOf(rowsOf(client.ask(statement)))
    assert.match(`${message} ${hint}`, /more than --max-bytes: no other statement was sent.*query q1/)
    assert.equal(stub.heard.length, 2)
  })
})

test('an engine that is busy, or breaks off a page, is asked again', async () => {
  for (const trouble of [
    { status: 503 },
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 502 },
    { status: 504 },
    { body: '{"cut' },
    'break',
  ] as Reply[]) {
    let troubles = 3
    const answer = (heard: Heard, origin: string): Reply => {
      if (heard.method === 'POST') return { body: page(origin, 0) }
      return troubles-- > 0 ? trouble : { body: last({ data: [['1']] }) }
    }
    await withStub(answer, async stub => {
      assert.deepEqual(await rowsOf(clientOf(stub).ask(statement)), [['1']], JSON.stringify(trouble))
      assert.equal(stub.heard.length, 5)
    })
  }
})

test('an engine that stays busy, refuses a user, forgot a statement, or is none is named, and what to do', async () => {
  await withStub(
    () => ({ status: 503 }),
    async stub => {
      const error = await errorOf(rowsOf(clientOf(stub).ask(statement)))
      assert.match(error.message, /answers with status 503/)
      assert.equal(stub.heard.length, 8)
    },
  )
  await withStub(
    () => ({ status: 401, body: 'canary-password' }),
    async stub => {
      const error = await errorOf(rowsOf(clientOf(stub).ask(statement)))
      assert.match(error.hint!, /TIDEMARK_TRINO_PASSWORD/)
      assert.equal(stub.heard.length, 1)
    },
  )
  await withStub(
    () => ({ status: 302, headers: { location: 'http://192.0.2.1/' } }),
    async stub => {
      assert.match((await errorOf(rowsOf(clientOf(stub).ask(statement)))).message, /status 302/)
    },
  )
  await withStub(
    ({ method }, origin) => (method === 'POST' ? { body: page(origin, 0) } : { status: 404 }),
    async stub => {
      const error = await errorOf(rowsOf(clientOf(stub).ask(statement)))
      assert.match(error.message, /no longer knows the statement.*status 404/)
      assert.match(error.hint!, /ask again/)
      assert.equal(stub.heard.filter(({ method }) => method === 'GET').length, 1)
    },
  )
  await withStub(
    () => ({ status: 404 }),
    async stub => {
      assert.match((await errorOf(rowsOf(clientOf(stub).ask(statement)))).message, /refuses: .* status 404/)
    },
  )
  const gone = await startStub(() => 'break')
  await gone.close()
  assert.match((await errorOf(rowsOf(clientOf(gone).ask(statement)))).message, /cannot be reached: http:.*ECONNREFUSED/)
})

test('that an engine is asked again is said once, until it answers; a wrong address is not asked again', async () => {
  let troubles = 2
  const answer = ({ method }: Heard, origin: string): Reply => {
    if (troubles-- > 0) return 'break'
    // The second page is troubled, too.
    if (method === 'POST') troubles = 2
    return { body: method === 'POST' ? page(origin, 0) : last({ data: [['1']] }) }
  }
  await withStub(answer, async stub => {
    const told: string[] = []
    assert.deepEqual(await rowsOf(clientOf(stub, { onRetry: text => told.push(text) }).ask(statement)), [['1']])
    assert.equal(told.length, 2)
    for (const text of told)
      assert.match(text, /^no answer from http:\/\/127\.0\.0\.1:\d+ \(.+\): trying again, 8 times in all$/)
  })
  const gone = await startStub(() => 'break')
  await gone.close()
  for (const [origin, why] of [
    [gone.origin, /ECONNREFUSED/],
    ['http://127.0.0.1:1', /bad port/],
  ] as const) {
    const told: string[] = []
    const client = clientOf({ origin }, { onRetry: text => told.push(text) })
    assert.match((await errorOf(rowsOf(client.ask(statement)))).message, why)
    assert.deepEqual(told, [])
  }
})

test('what may pass is asked twice more, and what is wrong or too large is not', async () => {
  for (const [errorType, asked] of [
    ['INTERNAL_ERROR', 3],
    ['EXTERNAL', 3],
    ['USER_ERROR', 1],
    ['INSUFFICIENT_RESOURCES', 1],
  ] as const) {
    const error = { message: 'no\u001b[31m good', errorName: 'SOME_NAME', errorType }
    await withStub(
      () => ({ body: last({ error }) }),
      async stub => {
        const thrown = await errorOf(rowsOf(clientOf(stub).ask(statement)))
        assert.equal(thrown.message, 'the engine refuses: no\\x1b[31m good')
        assert.match(thrown.hint!, /SOME_NAME, query q1/)
        assert.equal(/ask again/.test(thrown.hint!), asked === 3, errorType)
        assert.equal(stub.heard.length, asked, errorType)
      },
    )
  }
})

test('a statement that has given rows is not run again, for they would come twice', async () => {
  const error = { message: 'a worker is gone', errorName: 'REMOTE_HOST_GONE', errorType: 'INTERNAL_ERROR' }
  const answer = (heard: Heard, origin: string): Reply =>
    heard.method === 'POST' ? { body: page(origin, 0, { data: [['1']] }) } : { body: last({ error }) }
  await withStub(answer, async stub => {
    await errorOf(rowsOf(clientOf(stub).ask(statement)))
    assert.equal(stub.heard.filter(({ method }) => method === 'POST').length, 1)
  })
})

test('Ctrl-C, a time that is over and a reader that has enough cancel on the server', async () => {
  const answer = ({ method }: Heard, origin: string): Reply =>
    method === 'DELETE'
      ? { status: 204 }
      : { body: page(origin, 1, { data: [['1']] }), wait_ms: method === 'GET' ? 20 : 0 }
  const wasCancelled = ({ heard }: Stub): boolean =>
    heard.some(({ method, path }) => method === 'DELETE' && path === '/v1/statement/executing/q1/1')
  const controller = new AbortController()
  const stopping = (heard: Heard, origin: string): Reply => {
    if (heard.method === 'GET') controller.abort(new Error('stopped'))
    return answer(heard, origin)
  }
  await withStub(stopping, async stub => {
    await assert.rejects(rowsOf(clientOf(stub).ask(statement, { signal: controller.signal })), /stopped/)
    assert.ok(wasCancelled(stub))
  })
  await withStub(answer, async stub => {
    const error = await errorOf(rowsOf(clientOf(stub, { time_ms: 1000 }).ask(statement)))
    assert.match(error.message, /takes too long/)
    assert.ok(wasCancelled(stub))
  })
  await withStub(answer, async stub => {
    for await (const [row] of clientOf(stub).ask(statement)) {
      assert.deepEqual(row, ['1'])
      break
    }
    assert.ok(wasCancelled(stub))
  })
})

test('credentials go to the engine that was named, whichever an answer names', async () => {
  const answer = ({ method }: Heard): Reply =>
    method === 'POST' ? { body: page('http://192.0.2.1:1', 0) } : { body: last({ data: [['1']] }) }
  await withStub(answer, async stub => {
    assert.deepEqual(await rowsOf(clientOf(stub).ask(statement)), [['1']])
  })
})

test('what is no page of Trino is refused, and not taken for one without rows', async () => {
  for (const [what, body] of [
    [/no object/, '[]'],
    [/names no statement/, { status: 'ok' }],
    [/nor that it is the last one/, { id: 'q1', stats: { state: 'RUNNING' } }],
    // The path of such an address begins after the colon: behind a host's name it would name another host.
    [/where the next page is/, { id: 'q1', nextUri: 'data:.example.com/v1/statement' }],
    [/where the next page is/, { id: 'q1', nextUri: '/v1/statement/executing/q1/1' }],
    [/where the next page is/, { id: 'q1', nextUri: 1 }],
    [/no list/, last({ data: {} })],
    [/does not have 2 values/, last({ columns: [{}, {}], data: [['1']] })],
    [/does not have 1 values/, last({ data: [['1'], ['1', '2']] })],
    [/a row is no list/, last({ data: [1] })],
    [/neither text nor null/, last({ data: [[443]] })],
  ] as [RegExp, object | string][]) {
    await withStub(
      () => ({ body }),
      async stub => {
        const { message } = await errorOf(rowsOf(clientOf(stub).ask(statement)))
        assert.match(message, /^the engine.s answer is not one of Trino: /)
        assert.match(message, what)
        assert.equal(stub.heard.length, 1)
      },
    )
  }
})
