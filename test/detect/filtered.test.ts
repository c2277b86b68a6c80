// Which connections a filter chooses, beside a second way: records and connections by hand, and the records that the filter language finds.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { withConnections } from '../../src/conversations/kept-connections.ts'
import { noPort } from '../../src/conversations/services.ts'
import { chosenBy, type Detections, detect } from '../../src/detect/detect.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress } from '../../src/net/address.ts'
import { withRecordIndex } from '../../src/record-index/kept.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { tidemark } from '../cli/run.ts'
import { randomNumbers } from '../meter/random-packets.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-filtered-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** A record, and the number of its connection. */
interface Line {
  connection: number
  sensor: string
  from: string
  to: string
  ports: [number, number]
  protocol: number
  packets: number
  bytes: number
  start: number
  end: number
  action: 'ACCEPT' | 'REJECT'
}

const begin = 1_695_859_200
const next = randomNumbers(13)
const below = (most: number): number => Math.floor(next() * most)
const hosts = ['10.0.0.1', '10.0.0.2', '10.9.0.1', '192.0.2.1', '198.51.100.7', '203.0.113.9']
const services: [number, number][] = [
  [6, 22],
  [6, 443],
  [6, 8889],
  [17, 53],
]

/** Connections of several records each, both ways, some seen by two sensors; each has a client port of its own, so that its ends tell it. */
function linesOf(connections: number): Line[] {
  return Array.from({ length: connections }, (_, connection): Line[] => {
    const client = hosts[below(hosts.length)]!
    const server = hosts.filter(host => host !== client)[below(hosts.length - 1)]!
    const [protocol, port] = services[below(services.length)]!
    const clientPort = 40_000 + connection
    const sensors = below(3) === 0 ? ['eni-1', 'eni-2'] : [`eni-${1 + below(2)}`]
    const at = begin + below(7200)
    const isRejected = below(8) === 0
    return Array.from({ length: 1 + below(4) }, (_, i) => i).flatMap(i => {
      const record = {
        ...{ connection, protocol, packets: 1 + below(20), bytes: 100 + below(5000) },
        ...{
          start: at + 60 * i,
          end: at + 60 * i + 59,
          action: isRejected ? ('REJECT' as const) : ('ACCEPT' as const),
        },
      }
      const there = { ...record, from: client, to: server, ports: [clientPort, port] as [number, number] }
      const back = {
        ...record,
        bytes: 50 + below(9000),
        from: server,
        to: client,
        ports: [port, clientPort] as [number, number],
      }
      return [there, ...(isRejected || below(5) === 0 ? [] : [back])].flatMap(one =>
        sensors.map(sensor => ({ ...one, sensor })),
      )
    })
  }).flat()
}

const lines = linesOf(300)
const textOf = ({ sensor, from, to, ports, protocol, packets, bytes, start, end, action }: Line): string =>
  `2 1 ${sensor} ${from} ${to} ${ports.join(' ')} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} OK`
const has = (line: Line, ...ports: number[]): boolean => ports.some(port => line.ports.includes(port))
const isOf = (line: Line, ...some: string[]): boolean => some.includes(line.from) || some.includes(line.to)

/** Filters, and what each means of a record. */
const filters: [string, (line: Line) => boolean][] = [
  ['any', () => true],
  ['port 22', line => has(line, 22)],
  ['not port 22', line => !has(line, 22)],
  ['dst port 22', line => line.ports[1] === 22],
  ['src port in [22 443]', line => [22, 443].includes(line.ports[0])],
  ['host 10.0.0.1', line => isOf(line, '10.0.0.1')],
  ['src ip 203.0.113.9', line => line.from === '203.0.113.9'],
  ['net 10.0.0.0/24', line => isOf(line, '10.0.0.1', '10.0.0.2')],
  ['proto udp or port 8889', line => line.protocol === 17 || has(line, 8889)],
  ['proto tcp and not host 10.9.0.1', line => line.protocol === 6 && !isOf(line, '10.9.0.1')],
  ['bytes > 5000', line => line.bytes > 5000],
  ['packets < 3 and src net 10.0.0.0/8', line => line.packets < 3 && line.from.startsWith('10.')],
  ['action REJECT', line => line.action === 'REJECT'],
  ['interface-id eni-2', line => line.sensor === 'eni-2'],
  ['first seen >= 2023-09-28T00:30:00', line => line.start >= begin + 1800],
  [
    'between 2023-09-28T00:30:00 and 2023-09-28T00:31:00',
    line => line.start <= begin + 1860 && line.end >= begin + 1800,
  ],
  ['port 1', () => false],
]

let opened: Case
before(async () => {
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  writeFileSync(join(root, 'flows.log'), `${[header, ...lines.map(textOf)].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'flows.log')], workers: 1 })
  opened = await openCase(join(root, 'case'))
})
after(() => opened.close())

/** The ends of connections, the lower first, in order. */
const keyOf = (a: string, b: string, protocol: number): string => `${[a, b].sort().join(' ')} ${protocol}`

/** The connections that a filter chooses. */
async function keysOf(text: string, limits = { parts: 1, threads: 1 }): Promise<string[]> {
  return withRecordIndex(opened, 'logs', index =>
    withConnections(opened, index, { evidence: 'logs', own: [], limits }, async kept => {
      const { connections: chosen } = await chosenBy(opened, index, [], limits, { filter: text })
      const { hosts } = index.dictionaries
      const end = (host: number, at: number): string =>
        `${formatAddress(hosts.hi[host]!, hosts.lo[host]!)}:${at === noPort ? '' : at}`
      return Array.from({ length: kept.blocks }, (_, block) => kept.read(block))
        .flatMap(({ count, place, client, server, clientPort, port, protocol }) =>
          Array.from({ length: count }, (_, i) => i)
            .filter(i => chosen[place[i]!] === 1)
            .map(i => keyOf(end(client[i]!, clientPort[i]!), end(server[i]!, port[i]!), protocol[i]!)),
        )
        .sort()
    }),
  )
}

for (const [filter, meets] of filters) {
  test(`chosen are the connections with a record that meets: ${filter}`, async () => {
    const some = lines.filter(meets)
    const expected = new Set(
      some.map(({ from, to, ports, protocol }) => keyOf(`${from}:${ports[0]}`, `${to}:${ports[1]}`, protocol)),
    )
    assert.deepEqual(await keysOf(filter), [...expected].sort())
    const { selection, connections } = await detect(opened, { filter })
    assert.deepEqual(selection.filter, {
      ...{ text: filter, records: some.length, unknown: 0, of_connections: 300, notes: [] },
    })
    assert.equal(connections, expected.size)
  })
}

test('which connections are chosen depends neither on parts nor on threads', async () => {
  for (const [filter] of filters.filter((_, i) => i % 4 === 1)) {
    const once = await keysOf(filter)
    assert.deepEqual(await keysOf(filter, { parts: 5, threads: 1 }), once, filter)
    assert.deepEqual(await keysOf(filter, { parts: 7, threads: 2 }), once, filter)
  }
})

test('what is known of hosts, and the time of the evidence, is of all connections', async () => {
  const [all, some] = [await detect(opened), await detect(opened, { filter: 'port 22' })]
  assert.ok(some.connections < all.connections)
  assert.deepEqual(some.window, all.window)
  const rule = `export default { name: 'X01-facts', title: 't', needs: {}, thresholds: {}, reasons: {}, attack: [], guardDuty: [],
    scope: 'case', selects: () => true, find: ({ ownClients, highPeers, firstSeen_us }) => [{
      title: 't', severity: 'low', confidence: 'low', tactic: 'discovery', technique: null, technique_name: null,
      summary: JSON.stringify([ownClients, highPeers, firstSeen_us]), scores: [], would_change: 'w', counter_hypotheses: [],
      subject: [0], peers: [], connections: [0] }] }`
  const ownRules = mkdtempSync(join(root, 'rules-'))
  writeFileSync(join(ownRules, 'facts.mjs'), rule)
  const facts = async (filter?: string) =>
    (await detect(opened, { ownRules, rules: ['X01'], ...(filter !== undefined && { filter }) })).findings[0]?.summary
  assert.equal(await facts('port 22'), await facts())
})

test('a filter that asks for what no record has chooses nothing, and says that it cannot be told', async () => {
  const { selection, connections, not_decidable } = await detect(opened, { filter: 'flags S' })
  assert.equal(connections, 0)
  assert.equal(selection.filter?.unknown, lines.filter(({ protocol }) => protocol === 6).length)
  assert.match(selection.filter?.notes.join() ?? '', /no record has tcp_flags/)
  assert.ok(not_decidable.every(({ reason }) => reason.includes('no connections in what was asked for')))
})

test('a filter that does not read is refused with the place', async () => {
  await assert.rejects(detect(opened, { filter: 'prot 22' }), error => error instanceof UserError && error.status === 2)
})

test('the command tells a filter from paths as flows does, and the page says what was chosen', () => {
  const at = (...args: string[]) => tidemark(['detect', ...args], { cwd: root })
  const page = at('port 22', 'flows.log')
  assert.equal(page.status, 0, page.stderr)
  assert.match(
    page.stdout.replace(/\s+/g, ' '),
    /Only connections with a record that meets port 22: \d+ of 300 connections, by \d+ records\./,
  )
  const unquoted = at('port', '22', 'flows.log')
  assert.equal(unquoted.stdout, page.stdout)
  const { selection } = JSON.parse(at('--json', 'flows.log').stdout) as Detections
  assert.equal(selection.filter, null)
  for (const args of [['prot 22', 'flows.log'], ['not-there.log'], ['port 22', 'not-there.log']]) {
    const { status, stderr } = at(...args)
    const flows = tidemark(['flows', ...args], { cwd: root })
    assert.deepEqual({ status, stderr }, { status: flows.status, stderr: flows.stderr })
    assert.ok(status === 1 || status === 2)
  }
})
