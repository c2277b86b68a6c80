// The same evidence gives the same document, byte by byte, however it was cut into files, in which order, and by how many threads.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Detections, type DetectOptions, toJson } from '../../src/index.ts'
import { chanceFrom } from '../robustness/support.ts'
import { makeCase, scenarios } from './generator.ts'
import { addLines, detectIn, saidOf } from './run.ts'

const format = 'flags'
let [root, whole] = ['', '']
let lines: string[] = []
let said: DetectOptions = {}
let cases = 0

/** Those that are asked for most, few enough for many cases. */
const wanted = [
  'scan from outside that finds a way in',
  'slow scan over a day',
  'ICMP sweep',
  'many users behind a NAT gateway',
  'SSH brute force from outside, with success',
  'spray of guesses from many sources',
  'rejected, then let through',
  'from host to host over administrative ports',
  'a service for our own use that the internet reaches',
  'a beacon every quarter of an hour',
  'a channel out on an odd port',
  'a shell that calls back after a request from outside',
  'call-backs that fail again and again',
  'SYN flood from many sources',
  'a tunnel of 20 MB in questions of a day',
  'much data out to a new peer',
  'data gathered from hosts inside, then sent out',
  'spam by a host that sent no mail before',
  'mining for a pool',
]

/**
 * A document without what names where the evidence lies: `evidence` and `problems`, which count and name files, are left out; the path of the
 * case in statements is one word; and lines that findings rest on are told by their text, for in other files they have other places. All else
 * must be equal: findings with their ids, times and figures, the order of hosts and their reasons, what cannot be decided, what logs cover.
 */
function comparable(
  { evidence: _, problems: __, findings, ...rest }: Detections,
  folder: string,
  files: readonly (readonly string[])[],
): string {
  const lineOf = ({ path, line }: { path: string; line?: number }): string =>
    files[Number(basename(path, '.log'))]![line! - 2]!
  const told = findings.map(({ basis, ...finding }) => ({ ...finding, basis: basis.map(lineOf) }))
  return toJson({ ...rest, findings: told }).replaceAll(folder, 'CASE')
}

async function documentOf(files: readonly (readonly string[])[], apart = false): Promise<string> {
  const folder = await addLines(join(root, `${cases++}`), format, files, apart)
  return comparable(await detectIn(folder, said), folder, files)
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-twins-'))
  const made = makeCase(
    scenarios.filter(({ name }) => wanted.includes(name)),
    { seed: 3, interval: 60 },
  )
  ;[lines, said] = [made.lines(format), saidOf(made)]
  assert.equal(made.played.length, wanted.length)
  whole = await documentOf([lines])
  assert.ok(JSON.parse(whole).findings.length >= 12)
})
after(() => rmSync(root, { recursive: true, force: true }))

/** So many files of about equal length. */
function pieces(count: number): string[][] {
  const length = Math.ceil(lines.length / count)
  return Array.from({ length: count }, (_, i) => lines.slice(i * length, (i + 1) * length))
}

/** The lines of each network interface in a file of its own. */
function byInterface(): string[][] {
  const files = new Map<string, string[]>()
  for (const line of lines) {
    const eni = line.split(' ')[2]!
    const known = files.get(eni)
    if (known === undefined) files.set(eni, [line])
    else known.push(line)
  }
  return [...files.values()]
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const chance = chanceFrom(seed)
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const other = chance.int(0, i)
    ;[copy[i], copy[other]] = [copy[other]!, copy[i]!]
  }
  return copy
}

test('the order of lines and of files does not matter', async () => {
  assert.equal(await documentOf([[...lines].reverse()]), whole, 'lines backwards')
  assert.equal(await documentOf([shuffled(lines, 1)]), whole, 'lines in any order')
  assert.equal(await documentOf(pieces(9)), whole, 'nine files')
  assert.equal(await documentOf(pieces(9).reverse()), whole, 'nine files backwards')
})

test('how records are split into files does not matter: merged, by interface, one here and one there', async () => {
  assert.equal(await documentOf(byInterface()), whole, 'a file for each interface')
  const dealt = [0, 1, 2].map(rest => lines.filter((_, i) => i % 3 === rest))
  assert.equal(await documentOf(dealt), whole, 'line by line into three files')
})

test('the number of threads and parts does not matter', async () => {
  const files = pieces(4)
  const folder = await addLines(join(root, `${cases++}`), format, files)
  const told = async (parts: number, threads: number): Promise<string> =>
    comparable(await detectIn(folder, { ...said, limits: { parts, threads } }), folder, files)
  for (const [parts, threads] of [
    [1, 1],
    [5, 1],
    [2, 2],
    [7, 2],
  ] as const)
    assert.equal(await told(parts, threads), whole, `${parts} parts, ${threads} threads`)
})

test('a case that was extended in ten steps tells what one of a single step does, in any order', async () => {
  assert.equal(await documentOf(pieces(10), true), whole, 'forwards')
  assert.equal(await documentOf(shuffled(pieces(10), 2), true), whole, 'in any order')
})
