import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { parseAddress } from '../../src/net/address.ts'
import { isInternal } from '../../src/net/internal.ts'
import { nextSteps } from '../../src/overview/next.ts'
import { type CaseOverview, overviewOf } from '../../src/overview/overview.ts'
import { overviewPage } from '../../src/report/overview.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { displayWidth, hidden } from '../../src/report/text.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { tidemark } from '../cli/run.ts'
import { golden } from '../golden.ts'
import { captureOf, talk } from '../handmade.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { caseOverview, hostileText, withText } from '../report/fixtures.ts'
import { folderFor, logOf, setting } from '../robustness/support.ts'

const folders = setting('OVERVIEW_FOLDERS', 4)

async function allRows(c: Case, request: FlowsRequest): Promise<FlowsRow[]> {
  const rows: FlowsRow[] = []
  for await (const row of (await queryFlows(c, { ...request, limit: null })).rows()) rows.push(row)
  return rows
}

type Sum = [name: string, records: bigint, bytes: bigint | null]

/** Rows summed up by a name, the most bytes first, those without last. */
function ranked(rows: readonly FlowsRow[], nameOf: (row: FlowsRow) => string | null): Sum[] {
  const sums = new Map<string, Sum>()
  for (const row of rows) {
    const name = nameOf(row)
    if (name === null) continue
    const one = sums.get(name) ?? ([name, 0n, null] as Sum)
    one[1] += BigInt(row['records'] as number)
    if (row['bytes'] !== null) one[2] = (one[2] ?? 0n) + BigInt(row['bytes'] as number)
    sums.set(name, one)
  }
  return [...sums.values()].sort((a, b) => compare(b[2] ?? -1n, a[2] ?? -1n) || compare(b[1], a[1]))
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Equal up to the order of what is equally much. */
function assertTop(found: Sum[], all: Sum[], what: string): void {
  const volumes = (list: Sum[]): unknown[] => list.map(([, records, bytes]) => [String(bytes), String(records)])
  assert.deepEqual(volumes(found), volumes(all.slice(0, found.length)), what)
  const known = new Map(all.map(([name, ...rest]) => [name, rest]))
  for (const [name, ...rest] of found) assert.deepEqual(known.get(name), rest, `${what}: ${name}`)
  assert.equal(found.length, Math.min(8, all.length), what)
}

test(`the overview says what single questions say, in ${folders} random folders`, async t => {
  for (let seed = 301; seed < 301 + folders; seed++) {
    const root = folderFor(t)
    writeRandomFolder(join(root, 'logs'), seed)
    const dir = join(root, 'case')
    await addEvidence({ case: dir, paths: [join(root, 'logs')], workers: 1, rowsPerSegment: 256 })
    const c = await openCase(dir)
    t.after(() => c.close())
    const first = await overviewOf(c)
    const { totals } = await readEvidence(dir)
    const [sums] = await allRows(c, { by: [] })
    assert.deepEqual(
      [first.records.total, first.records.counted, first.records.rejected, first.records.bytes, first.records.packets],
      [totals.records, sums!['records'], sums!['rejected'] ?? 0, sums!['bytes'], sums!['packets']],
      `seed ${seed}`,
    )
    const peers = ranked(await allRows(c, { stat: { element: 'ip' } }), ({ ip }) =>
      ip == null || isInternal(parseAddress(String(ip))!) ? null : String(ip),
    )
    assertTop(
      first.peers.map(one => [one.address, BigInt(one.records), one.bytes === null ? null : BigInt(one.bytes)]),
      peers,
      `seed ${seed}: peers`,
    )
    assert.equal(first.peers_total, peers.length)

    assert.equal(first.services_basis, 'port-number')
    const byPorts = ranked(await allRows(c, { by: ['srcport', 'dstport', 'proto'] }), row => {
      const ports = [row['srcport'], row['dstport']].filter(port => port !== null).map(Number)
      const protocol = row['protocol']
      return [6, 17, 33, 132].includes(Number(protocol)) ? `${Math.min(...ports)} ${protocol}` : `${protocol}`
    })
    const volumes = (list: Sum[]): string[][] => list.map(([, records, bytes]) => [String(records), String(bytes)])
    assert.deepEqual(volumes(servicesOf(first)), volumes(byPorts.slice(0, first.services.length)), `seed ${seed}`)
    assert.equal(first.services_total, byPorts.length)

    // A question that has worked out the roles is enough to name services by them.
    const byRole = ranked(await allRows(c, { stat: { element: 'service' } }), row => String(row['service']))
    const second = await overviewOf(c)
    assert.equal(second.services_basis, 'roles')
    assertTop(
      second.services.map(one => [
        String(one.name),
        BigInt(one.records),
        one.bytes === null ? null : BigInt(one.bytes),
      ]),
      byRole,
      `seed ${seed}: services`,
    )
    assert.deepEqual({ ...second, ...services(first) }, first)
  }
})

function services({ services, services_total, services_basis }: CaseOverview): Partial<CaseOverview> {
  return { services, services_total, services_basis }
}

function servicesOf({ services }: CaseOverview): Sum[] {
  return services.map(one => [String(one.at), BigInt(one.records), one.bytes === null ? null : BigInt(one.bytes)])
}

test('everything that the page proposes runs, in cases of logs, of packets and of what was not read', t => {
  const cwd = folderFor(t)
  mkdirSync(join(cwd, "it's logs"))
  writeFileSync(join(cwd, "it's logs", 'a.log'), logOf(200))
  writeFileSync(
    join(cwd, 'x.pcap'),
    captureOf(talk({ at: 1_700_000_000, client: '203.0.113.9 40000', server: '10.0.0.7 443' })),
  )
  writeFileSync(join(cwd, "what's this.txt"), 'nothing')
  for (const [i, paths] of [["it's logs"], ['x.pcap'], ["it's logs", 'x.pcap', "what's this.txt"]].entries()) {
    const dir = `case ${i}`
    tidemark(['add', ...paths, '--case', dir], { cwd })
    const { stdout, stderr, status } = tidemark(['case', '--json', '--case', dir], { cwd })
    assert.equal(status, i === 2 ? 3 : 0, stderr)
    const { next } = JSON.parse(stdout) as { next: { line: string }[] }
    assert.ok(next.length >= 2)
    for (const { line } of next) {
      const args = wordsOf(line).slice(1)
      rmSync(join(cwd, 'peer.pcapng'), { force: true })
      const run = tidemark(args, { cwd })
      assert.ok(run.status === 0 || run.status === 3, `${line}: ${run.stderr}`)
    }
  }
})

/** As a shell splits words that `quoted` wrote. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g)].map(([word]) =>
    word.replaceAll("'\\''", '\0').replaceAll("'", '').replaceAll('\0', "'"),
  )
}

test('an empty case says that it is empty', t => {
  const cwd = folderFor(t)
  writeFileSync(join(cwd, 'a.log'), logOf(5))
  tidemark(['add', 'a.log'], { cwd })
  tidemark(['remove', 'a.log'], { cwd })
  const { status, stdout } = tidemark(['case'], { cwd })
  assert.equal(status, 0)
  assert.match(stdout, /It holds no flow records\.[\s\S]*files besides {2}1 removed or read again since/)
})

function page(width: number, text?: string): string {
  const shown = text === undefined ? caseOverview() : withText(caseOverview(), text)
  const commands = nextSteps(shown).map(({ args, why }) => ({ line: `tidemark ${args.join(' ')}`, why }))
  return terminalText(overviewPage(shown, commands), { width, color: false })
}

test('the page of case', () => {
  for (const width of [80, 140]) golden(`case-${width}.golden.txt`, page(width))
})

test('the page of case fits every width, whatever stands in the names', () => {
  for (const text of [undefined, hostileText]) {
    for (let width = 60; width <= 160; width += 5) {
      for (const line of page(width, text).split('\n')) {
        assert.ok(displayWidth(line) <= width, `${displayWidth(line)} of ${width}: ${line}`)
        assert.equal(line.search(hidden), -1, line)
      }
    }
  }
})
