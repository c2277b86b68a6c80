import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ObjectFiles } from '../../src/pull/objects.ts'
import { folderFor } from '../robustness/support.ts'

/** Each is another one's folder, or has its name but for an ending or the size of its letters. */
const objects = [
  's3://bucket/a',
  's3://bucket/a.gz',
  's3://bucket/a.gz/b',
  's3://bucket/A.gz/b',
  's3://bucket/a.gz/b.gz/c.log.gz',
  's3://bucket/a.parquet',
  's3://bucket/a-2.gz/d',
  's3://bucket/../a',
  's3://bucket/.gz',
  's3://bucket',
  's3://',
]

test('every object has a file of its own, also where its name is another one’s folder', async t => {
  for (const [n, order] of [objects, [...objects].reverse()].entries()) {
    const folder = join(folderFor(t), `${n}`, 'pulled', '001')
    const files = new ObjectFiles(folder, ['version'])
    for (const object of order) files.know(object)
    const names = [...files.files.values()]
    assert.equal(new Set(names.map(name => name.toLowerCase())).size, objects.length, names.join(' '))
    for (const name of names)
      for (const other of names)
        assert.ok(!other.toLowerCase().startsWith(`${name.toLowerCase()}/`), `${other} lies in ${name}`)
    await files.fill()
    await files.sync()
    assert.ok(names.every(name => existsSync(join(folder, name))))
  }
})
