/** The programs in `examples/`, which the page of the library shows, do what they say. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { tidemark } from '../cli/run.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { ethernet, ipv4, pcap, tcp } from '../packet/build.ts'
import { repoRoot } from '../repo.ts'

const attacker = '203.0.113.9'
const victim = '10.0.0.5'
const from = 1_700_000_000
let work: Work

/** Forty SSH attempts within minutes, and a large upload. */
function log(): string {
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  const line = (source: string, target: string, ports: string, counts: string, at: number): string =>
    `2 1 eni-1 ${source} ${target} ${ports} 6 ${counts} ${from + at} ${from + at + 8} ACCEPT OK`
  const attempts = Array.from({ length: 40 }, (_, i) => [
    line(attacker, victim, `${40_000 + i} 22`, '12 2400', i * 9),
    line(victim, attacker, `22 ${40_000 + i}`, '11 3300', i * 9),
  ])
  const upload = line(victim, '198.51.100.7', '50000 8889', '9007199 9007199254740993', 600)
  return `${[header, ...attempts.flat(), upload].join('\n')}\n`
}

function capture(): Uint8Array {
  const packets = [
    {
      time: [from, 0] as [number, number],
      bytes: ethernet(0x0800, ipv4({ src: attacker, dst: victim, protocol: 6 }, tcp(40_000, 22, 2))),
    },
    {
      time: [from + 1, 0] as [number, number],
      bytes: ethernet(0x0800, ipv4({ src: victim, dst: '10.0.0.9', protocol: 6 }, tcp(50_001, 443, 2))),
    },
  ]
  return pcap(packets)
}

/** Runs an example with this build in the place of the package. */
function run(name: string, ...args: string[]): string {
  const library = pathToFileURL(join(repoRoot, 'build', 'src', 'index.js')).href
  const text = readFileSync(join(repoRoot, 'build', 'examples', `${name}.js`), 'utf8')
  const script = join(work.root, `${name}.mjs`)
  writeFileSync(script, text.replace("from 'tidemark'", `from '${library}'`))
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout
}

before(() => {
  work = workFolder()
  writeFileSync(join(work.root, 'a.log'), log())
  writeFileSync(join(work.root, 'a.pcap'), capture())
})
after(() => work.close())

test('an example reads logs and prints the findings', () => {
  const dir = join(work.root, 'case')
  const lines = run('dossier', dir, join(work.root, 'a.log'), attacker).trimEnd().split('\n')
  assert.equal(lines[0], '81 records; 0 malformed lines')
  assert.match(lines.slice(1).join('\n'), /^F1 \S+ \S+ /m)
})

test('an example asks two questions at once, with typed rows', () => {
  assert.deepEqual(run('rank', join(work.root, 'case')).trimEnd().split('\n'), [
    `sent ${victim} 9007199254872993n`,
    `sent ${attacker} 96000`,
    'ports 10.0.0.0/24 41',
    'ports 203.0.113.0/24 1',
  ])
})

test('an example streams the records of a filter, integers with every digit', () => {
  const lines = run('stream', join(work.root, 'case'), 'dst port 8889').trimEnd().split('\n')
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /"bytes": ?9007199254740993\b/)
})

test('an example asks in SQL within limits', () => {
  assert.equal(run('sql', join(work.root, 'case')), '22 40\n8889 1\nof 42 ports\n')
})

test('an example carves packets and converts them', () => {
  const dir = join(work.root, 'packets')
  assert.equal(tidemark(['add', join(work.root, 'a.pcap'), '--case', dir]).status, 0)
  const out = join(work.root, 'out.pcapng')
  assert.equal(run('packets', dir, 'port 22', out), '1 of 2 packets\n1 flow records\n')
})

test('each example is run here', () => {
  const shown = readFileSync(join(repoRoot, 'test', 'library', 'examples.test.ts'), 'utf8')
  for (const file of readdirSync(join(repoRoot, 'examples')).filter(name => name.endsWith('.ts'))) {
    assert.ok(shown.includes(`run('${file.replace('.ts', '')}'`), file)
  }
})
