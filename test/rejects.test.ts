import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { addEvidence } from '../src/ingest/add.ts'
import type { RejectTriage } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { openCase } from '../src/store/case.ts'
import { readFolder } from './oracle/oracle.ts'
import { rejectsSlow } from './oracle/rejects.ts'

const home = mkdtempSync(join(tmpdir(), 'tidemark-rejects-'))
after(() => rmSync(home, { recursive: true, force: true }))
let folders = 0

const version2 =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const withFlags =
  'interface-id srcaddr dstaddr srcport dstport protocol tcp-flags packets bytes start end action reject-reason log-status'

async function dossierOf(files: Record<string, string[]>, subject: string) {
  const root = join(home, String(++folders))
  const folder = join(root, 'logs')
  mkdirSync(folder, { recursive: true })
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [folder], workers: 1 })
  const c = await openCase(join(root, 'case'))
  try {
    return { folder, dossier: await investigate(c, [subject]) }
  } finally {
    await c.close()
  }
}

/** `records by`, the most first. */
function short({ explained }: RejectTriage): string[] {
  return explained.map(({ by, records }) => `${records} ${by}`)
}

async function explained(lines: string[], header = withFlags): Promise<string[]> {
  const { dossier } = await dossierOf({ 'a.log': [header, ...lines] }, '203.0.113.12')
  return short(dossier.rejects)
}

const zero = 1_700_000_000
interface Extra {
  at: number
  to?: number
  flags?: number | '-'
  protocol?: number
  reason?: string
}

const [client, server] = ['203.0.113.12 172.31.16.139 40000 22', '172.31.16.139 203.0.113.12 22 40000']

function row(ends: string, action: 'ACCEPT' | 'REJECT', { at, to = at, flags = 0, protocol = 6, reason = '-' }: Extra) {
  return `eni-a ${ends} ${protocol} ${flags} 4 336 ${zero + at} ${zero + to} ${action} ${reason} OK`
}

describe('rejected records in the words of AWS', () => {
  const ping = (from: string, to: string, start: number, action: string): string =>
    `2 123456789010 eni-1235b8ca123456789 ${from} ${to} 0 0 1 4 336 ${start} 1432917142 ${action} OK`

  it('an ACCEPT and a REJECT of the response are the way back, which a stateless network ACL refuses', async () => {
    const lines = [
      ping('203.0.113.12', '172.31.16.139', 1432917027, 'ACCEPT'),
      ping('172.31.16.139', '203.0.113.12', 1432917094, 'REJECT'),
    ]
    assert.deepEqual(await explained(lines, version2), ['1 return-path'])
  })

  it('a single REJECT without a response is a refusal, whoever refused it', async () => {
    const lines = [
      ping('203.0.113.12', '172.31.16.139', 1432917027, 'REJECT'),
      ping('203.0.113.12', '172.31.16.140', 1432917027, 'ACCEPT'),
    ]
    assert.deepEqual(await explained(lines, version2), ['1 none'])
  })

  it('packets after the end of a connection are late', async () => {
    const session = [
      row(client, 'ACCEPT', { at: 0, to: 50, flags: 3 }),
      row(server, 'ACCEPT', { at: 0, to: 50, flags: 19 }),
    ]
    assert.deepEqual(await explained([...session, row(server, 'REJECT', { at: 55, flags: 4 })]), ['1 late'])
    assert.deepEqual(await explained([...session, row(server, 'REJECT', { at: 9000 })]), ['1 late'], 'with flags')
    assert.deepEqual(await explained([...session, row(client, 'REJECT', { at: 55, flags: 2 })]), ['1 none'], 'a SYN')
  })

  it('takes reject-reason at its word', async () => {
    const lines = ['BPA', 'BPA', 'EC', 'NEW'].map((reason, at) => row(client, 'REJECT', { at, flags: 2, reason }))
    assert.deepEqual(await explained(lines), ['2 block-public-access', '1 encryption-control', '1 not-decidable'])
  })

  it('without flags, late ends after four minutes: then it may be a new attempt', async () => {
    const let_through = row(client, 'ACCEPT', { at: 0, to: 50, flags: '-' })
    const rejected = (at: number): string => row(client, 'REJECT', { at, flags: '-' })
    assert.deepEqual(await explained([let_through, rejected(290)]), ['1 late'])
    assert.deepEqual(await explained([let_through, rejected(291)]), ['1 not-decidable'])
  })

  it('does not decide where another interface let it through, or a log has REJECT alone', async () => {
    const answer = row(server, 'REJECT', { at: 5, flags: 18 })
    const elsewhere = row(client, 'ACCEPT', { at: 0, flags: 2 }).replace('eni-a', 'eni-b')
    const { dossier } = await dossierOf({ 'a.log': [withFlags, elsewhere, answer] }, '203.0.113.12')
    assert.deepEqual(short(dossier.rejects), ['1 not-decidable'])
    const udp = row(server, 'REJECT', { at: 5, protocol: 17 })
    const { dossier: one } = await dossierOf({ 'a.log': [withFlags, udp] }, '203.0.113.12')
    assert.deepEqual(short(one.rejects), ['1 not-decidable'])
    const { dossier: two } = await dossierOf({ 'a.log': [withFlags, udp, elsewhere] }, '203.0.113.12')
    assert.deepEqual(short(two.rejects), ['1 none'])
    assert.equal(two.rejects.explained[0]?.basis[0]?.line, 2)
  })

  it('does not decide without times, but for an opening', async () => {
    const header = withFlags.replace('start end ', '')
    const lines = [2, 4].map(flags => `eni-a ${client} 6 ${flags} 4 336 REJECT - OK`)
    assert.deepEqual(await explained([...lines, `eni-a ${client} 6 0 4 336 ACCEPT - OK`], header), [
      '1 none',
      '1 not-decidable',
    ])
  })

  it('counts a record for each sensor that wrote it, like records.rejected', async () => {
    const syn = row(client, 'REJECT', { at: 0, flags: 2 })
    const { dossier } = await dossierOf(
      { 'a.log': [withFlags, syn], 'b.log': [withFlags, syn, syn.replace('eni-a', 'eni-b')] },
      '203.0.113.12',
    )
    assert.equal(dossier.rejects.total, dossier.records.rejected)
    assert.deepEqual(short(dossier.rejects), ['3 none'])
  })
})

/** Records of many tuples, a few each: close enough in time that every row of the table comes. */
function randomLines(seed: number, tuples: number): string[] {
  let state = seed
  const int = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <T>(choices: readonly T[]): T => choices[int(choices.length)]!
  return Array.from({ length: tuples }, (_, i) => {
    const [port, protocol] = [1024 + i, pick([6, 6, 6, 17, 1])]
    return Array.from({ length: 1 + int(6) }, () => {
      const isForward = int(2) === 0
      const ports = protocol === 1 || int(60) === 0 ? '- -' : isForward ? `${port} 22` : `22 ${port}`
      const ends = isForward ? `203.0.113.12 172.31.16.139 ${ports}` : `172.31.16.139 203.0.113.12 ${ports}`
      const at = pick([0, 1, 20, 59, 60, 61, 100, 300, 301, 600])
      const action = pick(['ACCEPT', 'REJECT'] as const)
      const reason = action === 'REJECT' && int(20) === 0 ? pick(['BPA', 'EC', 'NEW']) : '-'
      const flags = protocol === 6 ? pick([0, 0, 1, 2, 3, 4, 18, 19, '-'] as const) : pick([0, '-'] as const)
      const line = row(ends, action, { at, to: at + pick([0, 0, 1, 39, 40, 59]), flags, protocol, reason })
      return int(4) === 0 ? line.replace('eni-a', 'eni-b') : line
    })
  }).flat()
}

it('agrees with a slow implementation on the records of random tuples, by every row of the table', async () => {
  const lines = randomLines(7, 1200)
  const rejected = lines.filter(line => line.includes('REJECT') && line.includes('eni-b'))
  const files = {
    'a_fl-01_1.log': [withFlags, ...lines.filter(line => !rejected.includes(line))],
    'b_fl-02_1.log': [withFlags, ...rejected],
  }
  const { folder, dossier } = await dossierOf(files, '203.0.113.12')
  const slow = new Map<number, number>()
  for (const { row } of rejectsSlow(readFolder(folder), ['203.0.113.12'])) slow.set(row, (slow.get(row) ?? 0) + 1)
  const of = (...rows: number[]): number => rows.reduce((sum, row) => sum + (slow.get(row) ?? 0), 0)
  assert.deepEqual(
    [...slow.keys()].sort((a, b) => a - b),
    Array.from({ length: 16 }, (_, i) => i + 1),
  )
  const found = (words: string): number =>
    dossier.rejects.explained.find(({ reason }) => reason.includes(words))?.records ?? 0
  for (const [words, rows] of [
    ['BPA', [1]],
    ['is EC', [2]],
    ['whose meaning is not known', [3]],
    ['no addresses, ports or protocol', [4]],
    ['a SYN;', [5]],
    ['which came first', [6, 11]],
    ['no TCP flags', [7]],
    ['after FIN or RST', [8]],
    ['before and after it', [9, 13]],
    ['nothing of that direction after it', [10]],
    ['no answer ever was', [12]],
    ['REJECT records alone', [14]],
    ['TCP without SYN', [15]],
    ['nothing of its ends was let through before; ', [16]],
  ] as const)
    assert.equal(found(words), of(...rows), words)
})
