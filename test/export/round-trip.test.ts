/** What exports say is what the case says, and what is read back from them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ListEntries } from '../../src/enrich/list-entries.ts'
import { Problems } from '../../src/enrich/source-file.ts'
import { readStix } from '../../src/enrich/stix.ts'
import { ecsRelease } from '../../src/export/ecs.ts'
import type { Case } from '../../src/store/case.ts'
import { answerOf, caseOf, rowsOf, type Work, workFolder } from '../flows/support.ts'
import { repoRoot } from '../repo.ts'
import { attacker, exported, lines, victim, writeLog } from './case.ts'

let work: Work
let c: Case
before(async () => {
  work = workFolder()
  c = await caseOf(work.root, [writeLog(work.root)])
})
after(async () => {
  await c.close()
  work.close()
})

type Traffic = Record<'bytes_out' | 'bytes_in' | 'packets_out' | 'packets_in', number | undefined>
interface OcsfFlow {
  src_endpoint: { ip: string; port?: number }
  dst_endpoint: { ip: string; port?: number }
  traffic?: Traffic
  [name: string]: unknown
}
interface EcsFlow {
  source: { ip: string; bytes?: number }
  destination: { ip: string; bytes?: number }
  [name: string]: unknown
}

const sum = (numbers: readonly (number | undefined)[]): number =>
  numbers.reduce<number>((all, one) => all + (one ?? 0), 0)

/** Bytes by pair of ends, both ways together. */
async function bytesOfPairs(): Promise<Map<string, number>> {
  const pairs = new Map<string, number>()
  const by = ['pkt_srcaddr', 'pkt_dstaddr']
  for (const { pkt_srcaddr, pkt_dstaddr, bytes } of await rowsOf(c, { by, limit: null }))
    add(pairs, String(pkt_srcaddr), String(pkt_dstaddr), Number(bytes ?? 0))
  return pairs
}

function add(pairs: Map<string, number>, a: string, b: string, bytes: number): void {
  const pair = [a, b].sort().join(' ')
  pairs.set(pair, (pairs.get(pair) ?? 0) + bytes)
}

test('the figures of connections in OCSF and ECS are those of flows', async () => {
  const flows = await bytesOfPairs()
  const ocsf = lines((await exported(c, work.root, { to: 'ocsf' })).text) as unknown as OcsfFlow[]
  const ecs = lines((await exported(c, work.root, { to: 'ecs' })).text) as unknown as EcsFlow[]
  const [ofOcsf, ofEcs] = [new Map<string, number>(), new Map<string, number>()]
  for (const { src_endpoint, dst_endpoint, traffic } of ocsf)
    add(ofOcsf, src_endpoint.ip, dst_endpoint.ip, sum([traffic?.bytes_out, traffic?.bytes_in]))
  for (const { source, destination } of ecs)
    add(ofEcs, source.ip, destination.ip, sum([source.bytes, destination.bytes]))
  // Seen twice, counted once; what was rejected is 0.
  assert.equal(ofOcsf.get(`10.0.0.5 10.0.0.6`), 13_000)
  assert.equal(ofOcsf.get(`10.0.0.5 ${attacker}`), 40 * 5700)
  assert.equal(ofOcsf.get(`10.0.0.5 192.0.2.77`), 0)
  assert.deepEqual([...ofEcs].sort(), [...ofOcsf].sort())
  assert.deepEqual([...flows].sort(), [...ofOcsf].sort())
})

test('the figures of records are those of every record', async () => {
  const { result } = await answerOf(c, { by: [], raw: true })
  const events = lines((await exported(c, work.root, { to: 'ocsf', what: 'records' })).text) as unknown as OcsfFlow[]
  const documents = lines((await exported(c, work.root, { to: 'ecs', what: 'records' })).text) as unknown as EcsFlow[]
  assert.equal(events.length, Number(result.counting.records))
  assert.equal(sum(events.map(({ traffic }) => traffic?.bytes_out)), Number(result.counting.bytes))
  assert.equal(sum(documents.map(({ source }) => source.bytes)), Number(result.counting.bytes))
})

test('from and until choose what begins in a time, and a filter what meets it', async () => {
  const from_us = 1_700_000_600_000_000
  const to_us = 1_700_000_700_000_000
  for (const what of ['records', 'connections'] as const) {
    const { report } = await exported(c, work.root, { to: 'ndjson', what, from_us, to_us })
    assert.equal(report[what], what === 'records' ? 2 : 1)
    const ssh = await exported(c, work.root, { to: 'ndjson', what, filter: 'port 22' })
    assert.equal(ssh.report[what], what === 'records' ? 80 : 40)
  }
})

const ends = ['client', 'client_port', 'server', 'port', 'protocol', 'start', 'end']
const sums = ['bytes_to_server', 'bytes_to_client', 'packets_to_server', 'packets_to_client']

test('a conn.log that is read back gives the same connections and sums', async () => {
  const out = join(work.root, 'conn.log')
  writeFileSync(out, (await exported(c, work.root, { to: 'conn-log' })).text)
  const again = await caseOf(work.root, [out], 'again')
  try {
    assert.deepEqual(again.problems, [])
    const of = async (from: Case): Promise<Record<string, unknown>[]> =>
      lines((await exported(from, work.root, { to: 'ndjson' })).text)
    const told = (some: readonly Record<string, unknown>[], names: readonly string[]): string[] =>
      some.map(one => JSON.stringify(names.map(name => one[name] ?? 0))).sort()
    const [first, second] = [await of(c), await of(again)]
    assert.deepEqual(told(second, ends), told(first, ends))
    // What a client sent that was rejected is in no sum, and unknown in the log.
    const isRejected = (one: Record<string, unknown>): boolean => one['port'] === 3389
    const accepted = (some: readonly Record<string, unknown>[]): Record<string, unknown>[] =>
      some.filter(one => !isRejected(one))
    assert.deepEqual(told(accepted(second), sums), told(accepted(first), sums))
  } finally {
    await again.close()
  }
})

test('a bundle is read back as a list that names the outside hosts that act, and no others', async () => {
  const { text } = await exported(c, work.root, { to: 'stix' })
  const [entries, problems] = [new ListEntries(), new Problems('bundle.json')]
  readStix(JSON.parse(text) as { objects?: unknown }, entries, problems)
  const named = [...text.matchAll(/"pattern":"\[ipv[46]-addr:value = '([^']+)'\]"/g)].map(([, address]) => address)
  assert.equal(entries.count, named.length)
  assert(named.includes(attacker) && !named.includes(victim), named.join(' '))
  const again = await exported(c, work.root, { to: 'stix' })
  assert.equal(again.text, text, 'the same bundle each time')
})

interface EcsField {
  type: string
  array?: boolean
  allowed?: string[]
}

test('every field of ECS is one of the release that is named, with its type and its words', async () => {
  const table = JSON.parse(readFileSync(join(repoRoot, 'test', 'export', 'ecs-fields.json'), 'utf8')) as {
    version: string
    fields: Record<string, EcsField>
  }
  assert.equal(table.version, ecsRelease)
  const { text } = await exported(c, work.root, { to: 'ecs', what: 'all' })
  const faults = new Set<string>()
  for (const document of lines(text)) for (const fault of faultsOf(document, '', table.fields)) faults.add(fault)
  assert.deepEqual([...faults], [])
})

function* faultsOf(value: unknown, path: string, fields: Record<string, EcsField>): Generator<string> {
  if (path === 'tidemark') return
  const field = fields[path]
  if (field === undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) yield `${path}: no such field`
    else
      for (const [name, one] of Object.entries(value))
        yield* faultsOf(one, path === '' ? name : `${path}.${name}`, fields)
    return
  }
  if (Array.isArray(value) !== (field.array === true)) yield `${path}: a list, or none`
  for (const one of Array.isArray(value) ? value : [value]) {
    const isNumber = ['long', 'float'].includes(field.type)
    if (typeof one !== (isNumber ? 'number' : 'string')) yield `${path}: ${typeof one}`
    if (field.allowed !== undefined && !field.allowed.includes(String(one))) yield `${path}: ${String(one)}`
  }
}
