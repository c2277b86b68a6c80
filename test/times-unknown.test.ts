import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { investigate } from '../src/investigate/investigate.ts'
import { caseOf, type Work, workFolder } from './flows/support.ts'

// A custom format may lack `start` or `end`: unknown is no time of 1970.

let work: Work
before(() => {
  work = workFolder()
})
after(() => work.close())

const ends = ['10.0.0.1 10.0.0.2 40000 22', '10.0.0.2 10.0.0.1 22 40000']

async function dossierOf(name: string, fields: string, times: readonly string[]) {
  const path = join(work.root, `${name}.log`)
  const lines = ends.map((pair, i) => `eni-1 ${pair} 6 10 ${1000 * (i + 1)} ${times[i]} ACCEPT OK`.replace('  ', ' '))
  const header = `interface-id srcaddr dstaddr srcport dstport protocol packets bytes ${fields} action log-status`
  writeFileSync(path, `${[header.replace('  ', ' '), ...lines].join('\n')}\n`)
  const c = await caseOf(work.root, [path], `case-${name}`)
  try {
    return await investigate(c, ['10.0.0.1'])
  } finally {
    await c.close()
  }
}

for (const field of ['start', 'end'])
  test(`where records have no other time than their ${field}, that is when they were`, async () => {
    const dossier = await dossierOf(field, field, ['1700000000', '1700000001'])
    assert.deepEqual(
      [dossier.window.first_start, dossier.window.last_end],
      ['2023-11-14T22:13:20Z', '2023-11-14T22:13:21Z'],
    )
    assert.equal(dossier.services.length, 1)
    assert.equal(dossier.services[0]!.connections, 1)
    assert.deepEqual(
      dossier.timeline.map(bin => bin.records),
      [1, 1],
    )
  })

test('records without a time count, and are in no window and no bin', async () => {
  const dossier = await dossierOf('none', '', ['', ''])
  assert.deepEqual(dossier.window, { first_start: null, last_start: null, last_end: null, seconds: null })
  assert.deepEqual(dossier.timeline, [])
  assert.deepEqual([dossier.records.subject, dossier.bytes.from_subject, dossier.bytes.to_subject], [2, 1000, 2000])
})
