import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FlowsRow } from '../../src/flows/request.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import type { End, GraphAnswer, GraphAsk, Link } from '../../src/server/contract/graph.ts'
import { toLine } from '../../src/server/json-line.ts'
import { windowRequest } from '../../src/server/window-filter.ts'
import { viewWork } from '../../src/server/work/view.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomCases } from '../flows/random-case.ts'
import { rowsOf, type Work, workFolder } from '../flows/support.ts'
import { setting } from '../robustness/support.ts'
import { asked } from './asking.ts'

const questions = setting('GRAPHS', 15)
const filters = [
  '',
  'dst port 443 or src port 53',
  'net 10.0.0.0/8',
  'not action REJECT',
  'action is unknown',
  'proto 17',
]

describe('the graph of a view', () => {
  const cases: Record<string, Case> = {}
  let work: Work

  before(async () => {
    work = workFolder()
    for (const [name, dir] of Object.entries(await randomCases(work.root, 3000, 5))) cases[name] = await openCase(dir)
  })
  after(async () => {
    for (const c of Object.values(cases)) await c.close()
    work.close()
  })

  for (const name of ['logs', 'packets']) {
    test(`adds up to what flows groups by sender, server's port and receiver: ${name}`, async () => {
      const c = cases[name]!
      await asked(viewWork, c, 'open timeline', {})
      const random = randomFrom(name.length)
      const times = (await rowsOf(c, { limit: null })).flatMap(({ start }) =>
        typeof start === 'string' ? Math.floor(Date.parse(start) / 1000) : [],
      )
      for (let round = 0; round < questions; round++) {
        const [from, to] = [pick(random, times), pick(random, times)].sort((a, b) => a - b) as [number, number]
        const ask: GraphAsk = {
          view: { filter: pick(random, filters), raw: random() < 0.3, own: [] },
          window: random() < 0.4 ? { from: null, to: null } : { from, to: to + 1 },
          measure: pick(random, ['bytes', 'packets', 'records'] as const),
          open: random() < 0.5 ? [] : ['10.0.0.0/24'],
        }
        const answer = JSON.parse(toLine(await asked<GraphAnswer>(viewWork, c, 'graph', ask))) as GraphAnswer
        const by = ['srcip', 'server_port', 'dstip']
        const rows = await rowsOf(c, { ...windowRequest(c, ask.view, ask.window), by, limit: null })
        compare(answer, rows, ask)
      }
    })
  }
})

function compare(answer: GraphAnswer, rows: readonly FlowsRow[], ask: GraphAsk): void {
  const { measure } = ask
  const sum = (some: readonly FlowsRow[], name: string): bigint =>
    some.reduce((total, row) => total + BigInt(row[name] ?? 0), 0n)
  assert.equal(BigInt(answer.total.records), sum(rows, 'records'))
  assert.equal(BigInt(answer.total.value!), sum(rows, measure))
  const source = placesOf(answer.sources, 'srcaddr')
  const port = placesOf(answer.ports, 'server_port')
  const destination = placesOf(answer.destinations, 'dstaddr')
  const node = (name: string) => placesOf(answer.nodes, name)
  const isSame = (links: readonly Link[], from: (row: FlowsRow) => number, to: (row: FlowsRow) => number): void => {
    const plain = new Map<string, [bigint, bigint]>()
    for (const row of rows) {
      const key = `${from(row)} ${to(row)}`
      const [records, value] = plain.get(key) ?? [0n, 0n]
      plain.set(key, [records + BigInt(row['records']!), value + BigInt(row[measure] ?? 0)])
    }
    assert.deepEqual(
      new Map(links.map(link => [`${link.from} ${link.to}`, [BigInt(link.records), BigInt(link.value!)]])),
      plain,
    )
  }
  isSame(answer.sent, source, port)
  isSame(answer.received, port, destination)
  assert.equal(answer.left.links, 0)
  isSame(answer.between, node('srcaddr'), node('dstaddr'))
  largestFirst(answer.sources, rows, 'srcaddr', measure)
  largestFirst(answer.destinations, rows, 'dstaddr', measure)
  const others = answer.sources.flatMap(end => ('others' in end ? end.others : []))
  const known = new Set(rows.flatMap(({ srcaddr }) => (srcaddr === null ? [] : srcaddr)))
  assert.deepEqual(others, [known.size - answer.sources.filter(end => 'host' in end).length])
}

/** At which end a row is. */
function placesOf(ends: readonly End[], column: string): (row: FlowsRow) => number {
  const [none, others] = [ends.findIndex(end => 'none' in end), ends.findIndex(end => 'others' in end)]
  const own = new Map(ends.map((end, at) => [String('host' in end ? end.host : 'port' in end ? end.port : '-'), at]))
  const networks = ends.flatMap((end, at) => ('network' in end ? [{ prefix: parsePrefix(end.network)!, at }] : []))
  return row => {
    const value = row[column] ?? null
    if (value === null) return none
    const at = own.get(String(value))
    if (at !== undefined) return at
    const network = networks.find(
      ({ prefix }) => parsePrefix(`${value}${prefix.text.slice(prefix.text.indexOf('/'))}`)?.text === prefix.text,
    )
    return network?.at ?? others
  }
}

/** Those that are named have no less than any other. */
function largestFirst(ends: readonly End[], rows: readonly FlowsRow[], column: string, measure: string): void {
  const sums = new Map<string, bigint>()
  for (const row of rows)
    if (row[column] !== null)
      sums.set(String(row[column]), (sums.get(String(row[column])) ?? 0n) + BigInt(row[measure] ?? 0))
  const named = ends.flatMap(end => ('host' in end ? end.host : []))
  const least = named.map(host => sums.get(host) ?? 0n).sort((a, b) => (a < b ? -1 : 1))[0]
  // Ranks are sums of floating point where they pass 2^53.
  for (const [host, value] of sums)
    if (!named.includes(host)) assert.ok(least !== undefined && value <= least + (least >> 40n), host)
}
