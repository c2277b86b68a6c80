import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { investigate } from '../../src/investigate/investigate.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { answerOf, caseOf, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const line = (
  sensor: string,
  from: string,
  to: string,
  bytes: number,
  start = 1_700_000_000,
  action = 'ACCEPT',
): string => {
  const [[src, sport], [dst, dport]] = [from.split(' '), to.split(' ')]
  return ['2 1', sensor, src, dst, sport, dport, 6, 10, bytes, start, start + 50, action, 'OK'].join(' ')
}

function folderOf(t: TestContext, files: Record<string, string[]>): string {
  const { root, close } = workFolder()
  t.after(close)
  mkdirSync(join(root, 'logs'))
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(root, 'logs', name), `${[header, ...lines].join('\n')}\n`)
  }
  return root
}

/** One conversation within the VPC, seen at both ends, and one with the outside. */
const twoSensors = [
  line('eni-a', '10.0.0.1 40000', '10.0.0.2 443', 1000),
  line('eni-a', '10.0.0.2 443', '10.0.0.1 40000', 5000),
  line('eni-b', '10.0.0.1 40000', '10.0.0.2 443', 1000),
  line('eni-b', '10.0.0.2 443', '10.0.0.1 40000', 5000),
  line('eni-b', '10.0.0.2 50000', '198.51.100.7 80', 70),
  line('eni-b', '10.0.0.2 50000', '198.51.100.7 22', 90, 1_700_000_000, 'REJECT'),
]

test('a conversation that two sensors saw counts once, and the answer says so', async t => {
  const root = folderOf(t, { 'a.log': twoSensors })
  const c = await caseOf(root, [join(root, 'logs')])
  t.after(() => c.close())
  const once = await answerOf(c, { by: [] })
  assert.deepEqual([once.rows[0]!['records'], once.rows[0]!['bytes'], once.result.counting.collapsed], [4, 6070, 2])
  const raw = await answerOf(c, { by: [], raw: true })
  assert.deepEqual([raw.rows[0]!['records'], raw.rows[0]!['bytes'], raw.result.counting.collapsed], [6, 12_160, 0])
  const list = await answerOf(c, { filter: 'port 443' })
  assert.equal(list.result.total_rows, 4, 'a listing has every record')
})

test('volumes are those of the dossier', async t => {
  const files = {
    'a.log': twoSensors,
    'b.log': [...twoSensors.slice(0, 3), line('eni-a', '10.0.0.1 41000', '10.0.0.2 443', 7)],
  }
  const root = folderOf(t, files)
  const c = await caseOf(root, [join(root, 'logs')])
  t.after(() => c.close())
  for (const subject of ['10.0.0.1', '10.0.0.2', '198.51.100.7']) {
    const dossier = await investigate(c, [subject])
    const { rows, result } = await answerOf(c, { filter: `ip ${subject}`, by: [] })
    assert.equal(
      Number(rows[0]!['bytes']),
      Number(dossier.bytes.from_subject) + Number(dossier.bytes.to_subject),
      subject,
    )
    const dropped = dossier.vantages.reduce((sum, one) => sum + one.copies + one.twins + one.translated, 0)
    assert.equal(result.counting.collapsed, dropped, subject)
  }
})

test('where one sensor wrote each record once nothing is worked out', async t => {
  const root = folderOf(t, { 'a.log': twoSensors.filter(text => text.includes('eni-b')) })
  const c = await caseOf(root, [join(root, 'logs')])
  t.after(() => c.close())
  const { result } = await answerOf(c, { by: [] })
  assert.deepEqual([result.counting.count_once, result.counting.collapsed], [true, 0])
  assert.equal(existsSync(join(c.dir, 'cache')), false)
})

test('what was worked out is kept, may be lost, and is no part of the case', async t => {
  const root = folderOf(t, { 'a.log': twoSensors })
  const first = await caseOf(root, [join(root, 'logs')])
  await answerOf(first, { by: [] })
  const kept = readdirSync(join(first.dir, 'cache'))
  assert.deepEqual(
    kept.map(name => name.replace(/-\d.*/, '')),
    ['counted-once-logs', 'records-logs'],
  )
  await first.close()
  assert.equal((await verifyCase(first.dir)).intact, true)
  for (const spoil of [
    () => writeFileSync(join(first.dir, 'cache', kept[0]!), 'no Parquet'),
    () => rmSync(join(first.dir, 'cache'), { recursive: true }),
  ]) {
    spoil()
    const c = await caseOf(root, [])
    const { rows } = await answerOf(c, { by: [] })
    assert.equal(rows[0]!['bytes'], 6070)
    await c.close()
  }
})

test('a case that cannot be written is asked all the same', async t => {
  const root = folderOf(t, { 'a.log': twoSensors })
  const c = await caseOf(root, [join(root, 'logs')])
  // Root may write everywhere: a file where the folder would be keeps it out as well.
  writeFileSync(join(c.dir, 'cache'), '')
  chmodSync(c.dir, 0o555)
  try {
    const { rows } = await answerOf(c, { by: [] })
    assert.equal(rows[0]!['bytes'], 6070)
  } finally {
    chmodSync(c.dir, 0o755)
    await c.close()
  }
})

test('which files share a segment changes no sensor: a log without interfaces is told apart by its instances', async t => {
  const bare =
    'version account-id instance-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  const seen = (instance: string): string => line(instance, '10.0.0.1 40000', '10.0.0.2 443', 500)
  const root = folderOf(t, { 'b.log': [line('eni-9', '10.0.0.7 40000', '10.0.0.8 443', 40)] })
  const path = join(root, 'logs', 'a.log')
  writeFileSync(path, `${[bare, seen('i-a'), seen('i-b')].join('\n')}\n`)
  const sums: unknown[] = []
  for (const [name, paths] of [
    ['together', [join(root, 'logs')]],
    ['alone', [path]],
  ] as const) {
    const c = await caseOf(root, [...paths], `case-${name}`)
    t.after(() => c.close())
    sums.push((await investigate(c, ['10.0.0.1'])).bytes.from_subject)
  }
  assert.deepEqual(sums, [500, 500])
})

test('only names that AWS gives make two files of a flow log two deliveries', async t => {
  const records = [
    line('eni-a', '10.0.0.1 40000', '10.0.0.2 443', 500),
    line('eni-a', '10.0.0.2 443', '10.0.0.1 40000', 700),
  ]
  const root = folderOf(t, {
    '1_vpcflowlogs_us-east-1_fl-0abc_20231114T2210Z_1111aaaa.log': records,
    'all_of_fl-0abc.log': [...records].reverse(),
  })
  const c = await caseOf(root, [join(root, 'logs')])
  t.after(() => c.close())
  const { rows } = await answerOf(c, { by: ['srcip'] })
  assert.deepEqual(rows.map(row => Number(row['bytes'])).sort(), [500, 700])
})
