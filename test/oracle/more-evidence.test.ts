import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { type Chance, chanceFrom, folderFor, setting } from '../robustness/support.ts'

// More evidence of the same traffic: copies of files, flow logs of rejected or accepted traffic alone, of another interval, and what a
// second interface saw. None of it may change a figure that counts once.

const folders = setting('MORE_EVIDENCE_FOLDERS', 8)
const firstSeed = setting('MORE_EVIDENCE_SEED', 1)

const header = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags'

interface Line {
  key: string
  packets: number
  bytes: number
  start: number
  end: number
  action: 'ACCEPT' | 'REJECT'
  flags: number
}

/** Conversations of a few hosts over two hours, one line a minute and direction. */
function traffic(chance: Chance): Line[] {
  const lines: Line[] = []
  for (let n = chance.int(5, 25); n > 0; n--) {
    const client = chance.maybe(0.6) ? '203.0.113.9' : `10.0.0.${chance.int(1, 5)}`
    const server = `10.0.1.${chance.int(1, 3)}`
    const [from, to] = [chance.int(32_768, 60_999), chance.pick([22, 80, 443, 8889])]
    const begin = 1_700_000_000 + chance.int(0, 7200)
    const stopped = chance.maybe(0.25)
    const minutes = stopped ? 1 : chance.int(1, 8)
    for (let minute = 0; minute < minutes; minute++) {
      const start = begin + 60 * minute
      const packets = chance.int(1, 40)
      const flags = (minute === 0 ? 2 : 0) | (minute === minutes - 1 ? 1 : 0)
      const one = { start, end: start + chance.int(0, 59), packets, bytes: packets * chance.int(40, 1500) }
      const up = { ...one, key: `${client} ${server} ${from} ${to} 6`, flags }
      lines.push({ ...up, action: stopped ? 'REJECT' : 'ACCEPT' })
      if (stopped) continue
      const answer = { ...one, bytes: packets * chance.int(40, 1500), flags: minute === 0 ? 18 : 0 }
      lines.push({ ...answer, key: `${server} ${client} ${to} ${from} 6`, action: 'ACCEPT' })
      // Late packets after the close.
      if (minute === minutes - 1 && chance.maybe(0.3))
        lines.push({ ...up, start: one.end, end: one.end, packets: 1, bytes: 40, flags: 4, action: 'REJECT' })
    }
  }
  return lines
}

/** The same lines as a flow log of a ten-minute interval has them. */
function coarse(lines: readonly Line[]): Line[] {
  const windows = new Map<string, Line>()
  for (const line of lines) {
    const name = `${line.key} ${line.action} ${Math.floor(line.start / 600)}`
    const known = windows.get(name)
    if (known === undefined) windows.set(name, { ...line })
    else {
      known.packets += line.packets
      known.bytes += line.bytes
      known.start = Math.min(known.start, line.start)
      known.end = Math.max(known.end, line.end)
      known.flags |= line.flags
    }
  }
  return [...windows.values()]
}

function written(lines: readonly Line[], sensor: string, late = 0): string {
  const texts = lines.map(
    line =>
      `${sensor} ${line.key} ${line.packets} ${line.bytes} ${line.start + late} ${line.end + late} ${line.action} ${line.flags}`,
  )
  return `${[header, ...texts].join('\n')}\n`
}

function moreEvidence(lines: readonly Line[], chance: Chance): Record<string, string> {
  const some = (list: readonly Line[]): Line[] => {
    const share = chance.pick([0.2, 0.7, 1])
    return list.filter(() => chance.maybe(share))
  }
  const of = (action: Line['action']): Line[] => lines.filter(line => line.action === action)
  const all: [string, () => string][] = [
    ['copy.log', () => written(some(lines), 'eni-a')],
    ['second copy.log', () => written(some(lines), 'eni-a')],
    ['1_vpcflowlogs_x_fl-0b_1.log', () => written(some(of('REJECT')), 'eni-a')],
    ['1_vpcflowlogs_x_fl-0c_1.log', () => written(some(of('ACCEPT')), 'eni-a')],
    ['1_vpcflowlogs_x_fl-0d_1.log', () => written(coarse(some(lines)), 'eni-a')],
    ['1_vpcflowlogs_x_fl-0e_1.log', () => written(coarse(some(of('REJECT'))), 'eni-a')],
    ['1_vpcflowlogs_x_fl-0f_1.log', () => written(some(lines), 'eni-b', 1)],
    ['1_vpcflowlogs_x_fl-07_1.log', () => written(some(of('REJECT')), 'eni-b', 1)],
  ]
  return Object.fromEntries(all.filter(() => chance.maybe(0.4)).map(([name, text]) => [name, text()]))
}

/** What counts once, and what follows from it. */
async function figures(folder: string, caseDir: string, subjects: string[]): Promise<unknown> {
  await addEvidence({ case: caseDir, paths: [folder], workers: 1 })
  const c = await openCase(caseDir)
  try {
    const { bytes, packets, services, findings } = await investigate(c, subjects)
    const result = await queryFlows(c, { by: ['dstip', 'dstport'], order: 'bytes', limit: null })
    const rows: unknown[] = []
    for await (const { dstaddr, dstport, packets, bytes } of result.rows())
      rows.push([dstaddr, dstport, packets, bytes].map(String))
    return {
      ...{ bytes: [bytes.from_subject, bytes.to_subject], packets: [packets.from_subject, packets.to_subject] },
      services: services.map(({ findings: _, ...row }) => row),
      findings: findings.map(({ rule, title }) => [rule, title]),
      flows: rows.map(row => JSON.stringify(row)).sort(),
    }
  } finally {
    await c.close()
  }
}

test(`more evidence of the same traffic changes no figure that counts once, in ${folders} random folders`, async t => {
  const root = folderFor(t)
  let files = 0
  for (let seed = firstSeed; seed < firstSeed + folders; seed++) {
    const chance = chanceFrom(seed)
    const lines = traffic(chance)
    const folder = join(root, `logs-${seed}`)
    mkdirSync(folder)
    writeFileSync(join(folder, '1_vpcflowlogs_x_fl-0a_1.log'), written(lines, 'eni-a'))
    const subjects = [chance.pick(['203.0.113.9', '10.0.1.1', '10.0.0.0/16'])]
    const before = await figures(folder, join(root, `before-${seed}`), subjects)
    const more = moreEvidence(lines, chance)
    for (const [name, text] of Object.entries(more)) writeFileSync(join(folder, name), text)
    files += Object.keys(more).length
    const after = await figures(folder, join(root, `after-${seed}`), subjects)
    assert.deepEqual(after, before, `seed ${seed}, subject ${subjects.join()}, with ${Object.keys(more).join(', ')}`)
  }
  t.diagnostic(`${files} files more`)
})
