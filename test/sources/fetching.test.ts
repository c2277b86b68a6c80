import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { AwsError } from '../../src/aws/errors.ts'
import { Fetching } from '../../src/sources/fetching.ts'
import type { RemoteFile } from '../../src/sources/remote.ts'
import { temporaryFolder } from '../cli/run.ts'

const tick = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1))

/** A file of a size, which is written when it is fetched. */
function file(number: number, size: number, before: () => void = () => undefined): RemoteFile {
  const path = `s3://b/${number}`
  return {
    ...{ path, named: false, size, etag: `"${number}"` },
    fetch: async to => {
      await tick()
      before()
      writeFileSync(to, Buffer.alloc(size))
      return { uri: path, etag: null, size, version_id: null }
    },
  }
}

function failing(number: number, about: AwsError['about']): RemoteFile {
  const error = new AwsError(`cannot read s3://b/${number}: no`, 'do it', {
    code: 'No',
    http: 403,
    about,
    isTransient: false,
  })
  return { ...file(number, 1), fetch: () => Promise.reject(error) }
}

test('never more files, nor more bytes, are there than may be, and each is handed out once', async t => {
  const folder = temporaryFolder(t)
  const files = Array.from({ length: 200 }, (_, i) => file(i, 10 + (i % 7)))
  const fetching = new Fetching(files, { folder, signal: new AbortController().signal, filesMax: 5, bytesMax: 40 })
  const got: string[] = []
  for (;;) {
    const one = await fetching.next()
    if (one === null) break
    const there = readdirSync(folder)
    assert.ok(there.length <= 5 && there.length * 10 <= 40, `${there.length} files`)
    got.push(one.file.path)
    assert.ok(existsSync(one.at!))
    await fetching.release(one.at!)
  }
  assert.deepEqual(got.sort(), files.map(one => one.path).sort())
  assert.equal(fetching.left, 0)
  await fetching.close()
  assert.deepEqual(readdirSync(folder), [])
})

test('a file that is larger than all the room goes through it alone', async t => {
  const folder = temporaryFolder(t)
  let most = 0
  const note = (): void => {
    most = Math.max(most, readdirSync(folder).length)
  }
  const fetching = new Fetching([file(1, 5), file(2, 100, note), file(3, 5)], {
    folder,
    signal: new AbortController().signal,
    filesMax: 5,
    bytesMax: 40,
  })
  let count = 0
  for (let one = await fetching.next(); one !== null; one = await fetching.next()) {
    count++
    await fetching.release(one.at!)
  }
  assert.equal(count, 3)
  assert.equal(most, 0)
})

test('one that cannot be had is handed out with the reason, and what concerns all ends the fetching after what has arrived', async t => {
  const folder = temporaryFolder(t)
  const signal = new AbortController().signal
  const fetching = new Fetching([failing(1, 'one'), file(2, 3)], { folder, signal })
  const problems = [await fetching.next(), await fetching.next()].map(one => one!.problem)
  assert.deepEqual(problems.sort(), ['no (do it)', null])
  assert.equal(await fetching.next(), null)
  const all = new Fetching([file(1, 3), failing(2, 'all')], { folder, signal })
  await tick()
  await tick()
  await tick()
  assert.equal((await all.next())?.problem, null)
  await assert.rejects(all.next(), AwsError)
})

test('a stop ends the waiting, and leaves no file', async t => {
  const folder = temporaryFolder(t)
  const stop = new AbortController()
  const slow: RemoteFile = {
    ...file(1, 1),
    fetch: (to, signal) =>
      new Promise((_, reject) => {
        writeFileSync(to, 'half')
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  }
  const fetching = new Fetching([slow], { folder, signal: stop.signal })
  const next = fetching.next()
  stop.abort(new Error('stopped'))
  assert.equal(await next, null)
  assert.equal(fetching.left, 1)
  await fetching.close()
  assert.deepEqual(readdirSync(folder), [])
})

test('what turns out to hold nothing is passed over', async t => {
  const nothing: RemoteFile = { ...file(1, 0), fetch: () => Promise.resolve(null) }
  const fetching = new Fetching([nothing, file(2, 3), nothing], {
    folder: temporaryFolder(t),
    signal: new AbortController().signal,
  })
  assert.equal((await fetching.next())!.file.path, 's3://b/2')
  assert.equal(await fetching.next(), null)
  assert.equal(fetching.left, 0)
})
