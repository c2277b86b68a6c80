import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { repoRoot, skipWithout } from '../repo.ts'
import { stepsOf } from './page-commands.ts'

// The lab's page: what is done by hand, and `tidemark flows`, on the reconstruction.

interface Answer {
  rows: Record<string, string | number | null>[]
  total_rows: number
}

const page = readFileSync(join(repoRoot, 'docs', 'tutorials', 'lab-1.3.md'), 'utf8')

/** By step: what its section does by hand, and our line without what shortens it for the page. */
const steps = new Map(
  page.split(/^## (?=\d+\. )/m).flatMap(section => {
    const scripts = stepsOf(section).map(({ script }) => script)
    const hand = scripts.find(script => /^(zcat|nfdump) /.test(script))
    const ours = scripts.find(script => script.startsWith('tidemark flows '))
    const step = Number.parseInt(section, 10)
    return hand === undefined || ours === undefined
      ? []
      : [[String(step), { hand, ours: ours.replace(/ \| (head|tail) -\d$/, '').replace(' --csv', '') }] as const]
  }),
)

let work: Work
let demo = ''

before(async () => {
  work = workFolder()
  demo = join(work.root, 'demo')
  await copyLab(demo)
  assert.equal(tidemark(['demo', '--out', demo, '--json']).status, 0)
  const convert = tidemark(['convert', 'investigate.pcap', '-o', 'investigate.nf', '--to', 'nfcapd'], { cwd: demo })
  assert.equal(convert.status, 0, convert.stderr)
})
after(() => work.close())

function byHand(step: string, hand = steps.get(step)!.hand): string {
  return execFileSync('bash', ['-c', hand], { cwd: demo, encoding: 'utf8', maxBuffer: 1 << 28 }).trim()
}

/** Our line as it stands there, as a shell takes it apart, with --json. */
function byUs(step: string): Answer {
  const words = execFileSync('bash', ['-c', `printf '%s\\0' ${steps.get(step)!.ours}`], { encoding: 'utf8' })
  const args = words.split('\0').slice(1, -1)
  const run = tidemark([...args, '--json'], { cwd: demo })
  assert.ok(run.status === 0 || run.status === 3, run.stderr)
  return JSON.parse(run.stdout) as Answer
}

const unix = (time: unknown): number => Date.parse(String(time)) / 1000

test('the page has both lines for steps 4 to 7 and 9 to 12', () => {
  assert.deepEqual([...steps.keys()], ['4', '5', '6', '7', '9', '10', '11', '12'])
})

test('step 4: records of the address', () => {
  const answer = byUs('4')
  assert.equal(String(answer.total_rows), byHand('4'))
  assert.equal(answer.total_rows, 33_232)
})

test('step 5: first and last', () => {
  const [row] = byUs('5').rows
  assert.equal(`${unix(row!['start'])} ${unix(row!['end'])}`, byHand('5'))
})

test('step 6: bytes to port 8889', () => {
  const [row] = byUs('6').rows
  assert.equal(String(row!['bytes']), byHand('6'))
  assert.equal(row!['bytes'], 265_183_813)
})

test('step 7: bytes from port 80', () => {
  const [row] = byUs('7').rows
  assert.equal(String(row!['bytes']), byHand('7'))
  assert.equal(row!['bytes'], 190_703_527)
})

test('step 9: nothing but 22, 80 and 8889 in the capture', skipWithout('nfdump'), () => {
  assert.equal(String(byUs('9').total_rows), byHand('9'))
  assert.equal(byUs('9').total_rows, 0)
})

test('step 10: bytes by destination port', () => {
  const rows = byUs('10').rows.map(row => `${row['bytes']} ${row['dstport']}`)
  assert.equal(rows.join('\n'), byHand('10'))
})

test('step 11: records of every ten minutes', () => {
  const rows = byUs('11').rows.filter(row => row['records'] !== 0)
  assert.equal(
    rows.map(row => `${unix(row['bin'])} ${row['records']}`).join('\n'),
    byHand('11', steps.get('11')!.hand.replace(' | head -3', '')),
  )
})

test('step 12: what a rule against port 8889 outward would have stopped', () => {
  const rows = byUs('12').rows.map(row => `${row['bytes']} ${row['dstaddr']}`)
  assert.equal(rows.join('\n'), byHand('12'))
})
