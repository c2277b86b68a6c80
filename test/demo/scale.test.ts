import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { GroundTruth } from '../../src/demo/ground-truth.ts'
import { LAB_FOLDER } from '../../src/demo/lab.ts'
import { writeScaled } from '../../src/demo/scale.ts'
import { planScale } from '../../src/demo/scale-plan.ts'
import { UserError } from '../../src/errors.ts'
import { digest, faultsOf, missingCommands, shell } from './shell.ts'

const RECORDS = 50_000
const root = mkdtempSync(join(tmpdir(), 'scale-'))
const folder = join(root, 'a', LAB_FOLDER)
let truth: GroundTruth

before(async () => {
  truth = await writeScaled(join(root, 'a'), { records: RECORDS, workers: 2 })
})
after(() => rmSync(root, { recursive: true }))

const skip = missingCommands('zcat', 'awk', 'grep')

test('the ground truth equals what awk counts', { skip }, () => {
  const all = `zcat *.gz | grep -v ^version |`
  assert.equal(shell(folder, `${all} wc -l`), String(truth.lines - truth.files))
  assert.equal(shell(folder, `${all} awk '$18 == "OK"' | wc -l`), String(RECORDS))
  assert.equal(shell(folder, `${all} awk '$18 == "NODATA"' | wc -l`), String(truth.no_data))
  assert.equal(shell(folder, `zcat *.gz | grep -c 20.106.124.93`), String(truth.attacker.records))

  const attacker = `${all} awk '$7 == "20.106.124.93" || $8 == "20.106.124.93"' |`
  const sum = (condition: string, column: string) =>
    Number(shell(folder, `${attacker} awk '${condition} {S+=${column}} END {printf "%.0f", S}'`))
  for (const service of truth.attacker.services) {
    const [to, from] = [`$10 == ${service.port}`, `$9 == ${service.port}`]
    const counted = [sum(to, '$12'), sum(from, '$12'), sum(to, '$13'), sum(from, '$13'), sum(`${to} || ${from}`, '1')]
    const { bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, records } = service
    assert.deepEqual(counted, [bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, records])
  }
  assert.equal(sum('$7 == "20.106.124.93"', '$12'), truth.attacker.bytes_from)
  assert.equal(sum('$8 == "20.106.124.93"', '$12'), truth.attacker.bytes_to)
  for (const sensor of truth.sensors) {
    const count = shell(folder, `${all} grep -c ${sensor.interface_id}`)
    assert.equal(count, String(sensor.records + sensor.no_data))
  }
})

test('every row is possible and in its file, and no interface has an unexplained silence', async () => {
  const larger = join(root, 'larger')
  const { records } = await writeScaled(larger, { records: 300_000, files: 200 })
  const { busy, quiet } = planScale(1, records)
  assert.ok(busy.length > 1)
  const offsets = new Map([...busy, ...quiet].map(s => [s.interface_id, s.window_offset]))
  assert.deepEqual(faultsOf(join(larger, LAB_FOLDER), offsets), [])
})

test('the files depend on the seed, not on the number of threads', async () => {
  await writeScaled(join(root, 'b'), { records: RECORDS, workers: 1 })
  await writeScaled(join(root, 'c'), { records: RECORDS, seed: 2 })
  assert.equal(digest(join(root, 'b', LAB_FOLDER), false), digest(folder, false))
  assert.notEqual(digest(join(root, 'c', LAB_FOLDER), true), digest(folder, true))
})

test('the smallest set is whole too', async () => {
  const small = await writeScaled(join(root, 'small'), { records: 1000 })
  assert.equal(small.records, 1000)
  assert.equal(readdirSync(join(root, 'small', LAB_FOLDER)).length, small.files)
  assert.deepEqual(
    small.attacker.services.map(s => s.port),
    [22, 80, 8889],
  )
})

test('the plan grows with the records', () => {
  const lab = planScale(1, 172_619)
  const large = planScale(1, 20_000_000)
  assert.deepEqual([lab.incident.records, lab.bins, large.bins, large.files], [33232, 84, 288, 2000])
  assert.ok(large.incident.records > 190_000 && large.incident.records < 210_000)
  assert.ok(large.busy.length > 300)
  assert.throws(() => planScale(1, 999), UserError)
  assert.throws(() => planScale(1, 100_000_001), UserError)
  assert.throws(() => planScale(1, 50_000, 10), /one for every 5 minutes/)
})

test('it stops when asked, in the middle too', async () => {
  const stop = new AbortController()
  const onProgress = () => stop.abort(new Error('enough'))
  const writing = writeScaled(join(root, 'stopped'), { records: 200_000, signal: stop.signal, onProgress })
  await assert.rejects(writing, /enough/)
})
