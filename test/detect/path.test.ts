// Paths: against a slow second implementation over random graphs, their properties, and whole cases.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeLab } from '../../src/demo/lab.ts'
import { type PathAnswer, type PathOptions, pathFrom } from '../../src/detect/path.ts'
import { edgesOf } from '../../src/detect/path-edges.ts'
import { type Arrival, type Reached, reachedFrom } from '../../src/detect/path-search.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { toJson } from '../../src/report/json.ts'
import { mark, outcome } from '../../src/rules/connections.ts'
import { openCase } from '../../src/store/case.ts'
import { header } from '../rules/flows.ts'
import { connectionsOf, type Given, randomNumbers, sourceOf } from './graphs.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-path-'))
after(() => rmSync(root, { recursive: true, force: true }))

// Hosts 0 to 7 are inside, 8 and 9 outside; a hub is one of the first three that four others use.
const [hosts, inside, margin] = [10, 8, 5]
const isInternal = (host: number): boolean => host < inside

interface Settings {
  hops: number
  hubs: ReadonlySet<number>
  /** Whom a host that it reached itself is followed from, hub or not. */
  direct: number
  margin: number
  firstMargin: number
}

const isStep = (one: Given): boolean =>
  one.outcome === outcome.answered && !one.isUnknown && !one.isError && one.client !== one.server

/** Every chain there is, tried one by one. */
function slowArrivals(
  graph: readonly Given[],
  first: number,
  at: number,
  settings: Settings,
): { found: Map<number, number>; followed: Map<number, number> } {
  const found = new Map([[first, at]])
  const followed = new Map<number, number>()
  const walk = (host: number, time: number, left: number, by: number): void => {
    if (left === 0 || (host !== first && settings.hubs.has(host) && by !== settings.direct)) return
    followed.set(host, Math.min(followed.get(host) ?? Number.POSITIVE_INFINITY, time))
    for (const one of graph) {
      const least = time + (host === first ? settings.firstMargin : settings.margin)
      if (one.client !== host || !isStep(one) || one.start < least || !isInternal(one.server)) continue
      if (one.server === first) continue
      found.set(one.server, Math.min(found.get(one.server) ?? Number.POSITIVE_INFINITY, one.start))
      walk(one.server, one.start, left - 1, host)
    }
  }
  walk(first, at, settings.hops, -1)
  return { found, followed }
}

function arrivals(graph: readonly Given[], first: number, at: number, settings: Settings): Reached {
  const { hops, hubs, margin: margin_us, firstMargin: firstMargin_us } = settings
  const follows = (host: number, by: number): boolean => !hubs.has(host) || by === settings.direct
  const limits = { hops, follows, isTarget: isInternal, margin_us, firstMargin_us }
  return reachedFrom(sourceOf(connectionsOf(graph)), first, at, limits)
}

const timesOf = ({ arrivals: some }: Reached): [number, number][] =>
  [...some].map(([host, { at_us }]): [number, number] => [host, at_us]).sort(([a], [b]) => a - b)
const sorted = (some: Map<number, number>): [number, number][] => [...some].sort(([a], [b]) => a - b)

function randomGraph(seed: number): { graph: Given[]; first: number; at: number; settings: Settings } {
  const below = randomNumbers(seed)
  const graph = Array.from({ length: 3 + below(30) }, (): Given => {
    const start = below(30)
    return {
      ...{ client: below(hosts), server: below(hosts), port: 22 + below(2), start, end: start + below(9) },
      ...{ outcome: below(4) === 0 ? below(4) : outcome.answered, isUnknown: below(8) === 0, isError: false },
      ...{ up: below(1000), down: below(1000) },
    }
  })
  const settings = {
    ...{ hops: 1 + below(4), hubs: new Set([below(hosts), below(hosts)]), direct: below(2) - 1 },
    ...{ margin: below(2) * margin, firstMargin: below(2) * margin },
  }
  const first = below(hosts)
  return { graph, first, at: below(10), settings: { ...settings, direct: settings.direct === 0 ? first : -1 } }
}

const seeds = Array.from({ length: 1500 }, (_, seed) => seed)

test('over random graphs whoever is reached, and when, is what trying every chain gives', async () => {
  let most = 0
  for (const seed of seeds) {
    const { graph, first, at, settings } = randomGraph(seed)
    const reached = arrivals(graph, first, at, settings)
    const slow = slowArrivals(graph, first, at, settings)
    assert.deepEqual(timesOf(reached), sorted(slow.found), `seed ${seed}`)
    // The earliest arrival over a chain that leaves a hop over, and does not end with a hub.
    assert.deepEqual(sorted(reached.followedFrom_us), sorted(slow.followed), `seed ${seed}`)
    most = Math.max(most, slow.found.size)
  }
  assert.ok(most >= 6, `${most}`)
})

test('each chain is one of connections in order of time, no longer than the hops', async () => {
  for (const seed of seeds) {
    const { graph, first, at, settings } = randomGraph(seed)
    const { arrivals: some } = arrivals(graph, first, at, settings)
    for (const arrival of some.values()) {
      assert.ok(arrival.hop <= settings.hops)
      for (let one: Arrival = arrival; one.by !== null; one = one.by) {
        const { host, by, at_us, hop } = one
        assert.ok(hop === by.hop + 1 && at_us >= by.at_us)
        assert.ok(
          graph.some(one => isStep(one) && one.client === by.host && one.server === host && one.start === at_us),
        )
      }
    }
  }
})

test('a connection more removes nobody and makes nobody later; nor does a hop more', async () => {
  for (const seed of seeds.slice(0, 500)) {
    const { graph, first, at, settings } = randomGraph(seed)
    const all = arrivals(graph, first, at, settings)
    const fewer = [
      arrivals(graph.slice(1), first, at, settings),
      arrivals(graph, first, at, { ...settings, hops: Math.max(1, settings.hops - 1) }),
      arrivals(graph, first, at + 1, settings),
      arrivals(graph, first, at, { ...settings, margin: settings.margin + 3 }),
    ]
    for (const few of fewer)
      for (const [host, { at_us }] of few.arrivals)
        if (host !== first) assert.ok(all.arrivals.get(host)!.at_us <= at_us, `seed ${seed}`)
  }
})

test('edges, hosts outside, attempts and connections without roles are the sums of what began from then on', async () => {
  for (const seed of seeds.slice(0, 700)) {
    const { graph, first, at, settings: some } = randomGraph(seed)
    const settings = { ...some, margin: 0, firstMargin: 0 }
    const reached = arrivals(graph, first, at, settings)
    const found = edgesOf(sourceOf(connectionsOf(graph)), { isInternal, hosts }, reached, {
      ...{ first, margin_us: margin, firstMargin_us: 0, warm_us: 8, edgesMax: 1000, hostsMax: 1000 },
    })
    const from = (host: number): number => reached.followedFrom_us.get(host) ?? Number.POSITIVE_INFINITY
    const later = graph.filter(one => one.start >= from(one.client))
    const sum = (of: readonly Given[], what: 'up' | 'down'): number => of.reduce((all, one) => all + one[what], 0)
    for (const { host, at_us, by } of reached.arrivals.values()) {
      const step = found.steps.get(host)
      if (by === null) assert.equal(step, undefined)
      else assert.equal(step!.start_us, at_us)
    }
    for (const edge of found.edges.listed()) {
      const ofEdge = (one: Given): boolean =>
        one.client === edge.client && one.server === edge.server && one.port === edge.port
      const steps = later.filter(one => ofEdge(one) && isStep(one))
      const others = later.filter(one => ofEdge(one) && !one.isUnknown && one.outcome !== outcome.answered)
      assert.deepEqual(
        [edge.connections, edge.bytesUp, edge.bytesDown],
        [steps.length, sum(steps, 'up'), sum(steps, 'down')],
      )
      assert.equal(edge.others.rejected + edge.others.refused + edge.others.unanswered, others.length)
      const begin = Math.min(...steps.map(({ start }) => start))
      assert.deepEqual([edge.first.start_us, edge.last_us], [begin, Math.max(...steps.map(({ end }) => end))])
      assert.equal(edge.earlier, graph.filter(one => ofEdge(one) && isStep(one)).length - steps.length)
      assert.equal(edge.isNew, begin < 8 ? null : Math.min(...graph.filter(ofEdge).map(one => one.start)) >= 8)
      assert.equal(edge.isUncertain, edge.client !== first && begin < from(edge.client) + margin)
    }
    const pairs = (of: readonly Given[]): string[] =>
      [...new Set(of.map(({ client, server, port }) => `${client} ${server} ${port}`))].sort()
    const steps = later.filter(isStep)
    assert.deepEqual(
      found.edges
        .listed()
        .map(({ client, server, port }) => `${client} ${server} ${port}`)
        .sort(),
      pairs(steps.filter(({ server }) => isInternal(server))),
    )
    for (const leaf of found.outside) {
      const to = steps.filter(({ server }) => server === leaf.host)
      assert.deepEqual(
        [leaf.connections, leaf.bytesUp, leaf.first.start_us],
        [to.length, sum(to, 'up'), Math.min(...to.map(({ start }) => start))],
      )
    }
    assert.equal(
      found.outsideTotal,
      new Set(steps.filter(({ server }) => !isInternal(server)).map(({ server }) => server)).size,
    )
    for (const [client, tried] of found.tried) {
      const vain = later.filter(one => one.client === client && one.outcome !== outcome.answered && !one.isUnknown)
      assert.deepEqual(tried, { connections: vain.length, hosts: new Set(vain.map(({ server }) => server)).size })
    }
    const isThere = (host: number, start: number): boolean =>
      (reached.arrivals.get(host)?.at_us ?? Number.POSITIVE_INFINITY) <= start
    const undirected = graph.filter(
      ({ isUnknown, client, server, start }) => isUnknown && (isThere(client, start) || isThere(server, start)),
    )
    assert.equal(found.undirectedConnections, undirected.length)
    const nearly = graph.filter(
      one =>
        isStep(one) &&
        isInternal(one.server) &&
        !reached.arrivals.has(one.server) &&
        one.client !== first &&
        one.start < from(one.client) &&
        one.start > from(one.client) - margin,
    )
    assert.deepEqual(
      found.maybes
        .listed()
        .map(({ host }) => host)
        .sort(),
      [...new Set(nearly.map(({ server }) => server))]
        .filter(host => nearly.some(({ server, client }) => server === host && from(client) < Number.POSITIVE_INFINITY))
        .sort(),
    )
  }
})

test('a connection of unknown role, a refused one and an ICMP error carry nobody', async () => {
  const one: Given = { client: 1, server: 2, port: 22, start: 5, end: 6, outcome: outcome.answered, up: 1, down: 1 }
  const settings = { hops: 4, hubs: new Set<number>(), direct: -1, margin: 0, firstMargin: 0 }
  const reaches = async (change: Partial<Given>): Promise<boolean> =>
    arrivals([{ ...one, ...change }], 1, 5, settings).arrivals.has(2)
  assert.equal(await reaches({}), true)
  for (const change of [
    { isUnknown: true },
    { isError: true },
    { start: 4 },
    { outcome: outcome.refused },
    { outcome: outcome.unanswered },
    { outcome: outcome.rejected },
  ])
    assert.equal(await reaches(change), false, JSON.stringify(change))
  assert.equal(mark.unknownRole, 16)
})

// Whole cases.

interface Flow {
  at: number
  from: string
  to: string
  port?: number
  isRefused?: boolean
}

const begin = 1_695_859_200
const timeOf = (at: number): string => `${new Date((begin + at) * 1000).toISOString().slice(0, 19)}Z`

function linesOf(flows: readonly Flow[]): string[] {
  return flows.flatMap(({ at, from, to, port = 22, isRefused = false }, n) => {
    const rest = `${begin + at} ${begin + at + 10} ACCEPT OK`
    const sport = 40_000 + n
    return [
      `5 1 eni-1 ${from} ${to} ${sport} ${port} 6 10 1000 ${rest} 2`,
      `5 1 eni-1 ${to} ${from} ${port} ${sport} 6 ${isRefused ? '1 40' : '12 3000'} ${rest} ${isRefused ? 4 : 18}`,
    ]
  })
}

let cases = 0

async function caseOf(files: readonly (readonly string[])[]): Promise<string> {
  const folder = join(root, `${cases++}`)
  mkdirSync(folder)
  const paths = files.map((lines, i) => {
    const path = join(folder, `${i}.log`)
    writeFileSync(path, `${[header, ...lines].join('\n')}\n`)
    return path
  })
  const into = join(folder, 'case')
  await addEvidence({ case: into, paths, workers: 1 })
  return into
}

async function ask(folder: string, options: PathOptions): Promise<PathAnswer> {
  const opened = await openCase(folder)
  try {
    return await pathFrom(opened, options)
  } finally {
    await opened.close()
  }
}

const us = (at: number): number => (begin + at) * 1e6
const chain: Flow[] = [
  { at: 0, from: '10.0.0.9', to: '10.0.0.8', port: 443 },
  { at: 100, from: '10.0.0.2', to: '10.0.0.3' },
  { at: 500, from: '203.0.113.7', to: '10.0.0.1', port: 80 },
  { at: 700, from: '10.0.0.1', to: '10.0.0.2' },
  { at: 720, from: '10.0.0.2', to: '10.0.0.4', port: 3389 },
  { at: 900, from: '10.0.0.2', to: '198.51.100.1', port: 443 },
  { at: 1000, from: '10.0.0.4', to: '10.0.0.5', port: 5000 },
  { at: 1100, from: '10.0.0.5', to: '10.0.0.6', port: 5000 },
  { at: 1150, from: '10.0.0.5', to: '10.0.0.77', isRefused: true },
  { at: 1200, from: '10.0.0.6', to: '10.0.0.7', port: 5000 },
  { at: 9000, from: '10.0.0.9', to: '10.0.0.8', port: 443 },
]

test('a chain is followed forward in time: hops, leaves outside, what is uncertain and what was not reached', async () => {
  const folder = await caseOf([linesOf(chain)])
  const { path, not_decidable } = await ask(folder, { from: '203.0.113.7' })
  assert.deepEqual(
    path.hosts.map(({ address, hop, reached_at, uncertain, not_followed }) => [
      address,
      hop,
      reached_at,
      uncertain,
      not_followed,
    ]),
    [
      ['203.0.113.7', 0, timeOf(500), false, null],
      ['10.0.0.1', 1, timeOf(500), false, null],
      ['10.0.0.2', 2, timeOf(700), false, null],
      ['10.0.0.4', 3, timeOf(720), true, null],
      ['10.0.0.5', 4, timeOf(1000), true, 'hops'],
    ],
  )
  assert.deepEqual(path.hosts[3]!.chain, ['203.0.113.7', '10.0.0.1', '10.0.0.2', '10.0.0.4'])
  assert.deepEqual(
    [path.at, path.at_given, path.truncated, path.limits.hosts_at_last_hop],
    [timeOf(500), false, false, 1],
  )
  const { via, basis } = path.hosts[3]!
  assert.deepEqual(
    [via!.service, via!.administrative, via!.seconds, via!.bytes_up, via!.bytes_down, basis!.line],
    ['ms-wbt-server', true, 10, 1000, 3000, 10],
  )
  assert.deepEqual(
    path.edges.map(({ from, to, new: isNew, uncertain, administrative }) => [
      from,
      to,
      isNew,
      uncertain,
      administrative,
    ]),
    [
      ['203.0.113.7', '10.0.0.1', null, false, false],
      ['10.0.0.1', '10.0.0.2', null, false, true],
      ['10.0.0.2', '10.0.0.4', null, true, true],
      ['10.0.0.4', '10.0.0.5', null, false, false],
    ],
  )
  assert.deepEqual(
    path.outside.map(({ address, by }) => [address, by]),
    [['198.51.100.1', '10.0.0.2']],
  )
  assert.deepEqual(
    not_decidable.map(({ rule }) => rule),
    ['D00-coverage'],
    'the sensor is silent in between',
  )
  const far = (await ask(folder, { from: '203.0.113.7', hops: 9 })).path
  assert.deepEqual(
    far.hosts.slice(5).map(({ address }) => address),
    ['10.0.0.6', '10.0.0.7'],
  )
  assert.deepEqual(far.hosts[4]!.tried, { connections: 1, hosts: 1 })
  const late = (await ask(folder, { from: '10.0.0.2', at_us: us(720) })).path
  assert.deepEqual(late.hosts.map(({ address, uncertain }) => [address, uncertain]).slice(0, 2), [
    ['10.0.0.2', false],
    ['10.0.0.4', true],
  ])
  const after = (await ask(folder, { from: '10.0.0.2', at_us: us(730) })).path
  assert.deepEqual(
    [after.hosts.length, after.possible.map(({ address, seconds_early }) => [address, seconds_early])],
    [1, [['10.0.0.4', 10]]],
  )
  const narrow = (await ask(folder, { from: '10.0.0.2', from_us: us(600), to_us: us(1000) })).path
  assert.deepEqual([narrow.at, narrow.hosts.map(({ address }) => address)], [timeOf(700), ['10.0.0.2', '10.0.0.4']])
})

test('a service that is first used after the warm-up is new, and one that was used before is not', async () => {
  const more: Flow[] = [
    { at: 10, from: '10.0.0.1', to: '10.0.0.30' },
    { at: 5000, from: '10.0.0.1', to: '10.0.0.30' },
    { at: 5000, from: '10.0.0.1', to: '10.0.0.31' },
  ]
  const { path } = await ask(await caseOf([linesOf([...chain, ...more])]), { from: '10.0.0.1', at_us: us(4000) })
  assert.deepEqual(
    path.edges.map(({ to, new: isNew, earlier }) => [to, isNew, earlier]),
    [
      ['10.0.0.30', false, 1],
      ['10.0.0.31', true, 0],
    ],
  )
})

test('a host that twenty internal clients use is a hub: named, and not followed unless it is asked for', async () => {
  const clients = (count: number): Flow[] =>
    Array.from({ length: count }, (_, i) => ({ at: 10 + i, from: `10.0.1.${i}`, to: '10.0.0.2', port: 53 }))
  const flows = [...chain, ...clients(19)]
  const folder = await caseOf([linesOf(flows)])
  const { path } = await ask(folder, { from: '203.0.113.7' })
  assert.deepEqual(path.hubs, [{ address: '10.0.0.2', clients: 20, reached_at: timeOf(700) }])
  assert.deepEqual(
    path.hosts.map(({ address }) => address),
    ['203.0.113.7', '10.0.0.1', '10.0.0.2'],
  )
  assert.deepEqual([path.hosts[2]!.not_followed, path.hosts[2]!.followed_from], ['hub', null])
  assert.equal((await ask(folder, { from: '203.0.113.7', hub: 21 })).path.hosts.length, 5)
  assert.ok((await ask(folder, { from: '10.0.0.2' })).path.hosts.length > 1, 'the first host is followed in any case')
  const fewer = await ask(await caseOf([linesOf([...chain, ...clients(18)])]), { from: '203.0.113.7' })
  assert.deepEqual([fewer.path.hubs, fewer.path.hosts.length], [[], 5])
  const fromOutside: Flow = { at: 600, from: '203.0.113.7', to: '10.0.0.2', port: 22 }
  const direct = (await ask(await caseOf([linesOf([...flows, fromOutside])]), { from: '203.0.113.7' })).path
  const hub = direct.hosts.find(({ address }) => address === '10.0.0.2')!
  assert.deepEqual(
    [hub.hub, hub.followed_from, direct.hubs],
    [true, timeOf(600), []],
    'who comes from outside is not one of its clients',
  )
})

test('the same path whatever the order of files and lines', async () => {
  const lines = linesOf(chain)
  const shown = async (files: readonly (readonly string[])[]): Promise<string> => {
    const { path } = await ask(await caseOf(files), { from: '203.0.113.7', hops: 9 })
    return toJson({
      ...path,
      hosts: path.hosts.map(({ basis: _, ...host }) => host),
      outside: path.outside.map(({ basis: _, ...one }) => one),
    })
  }
  const whole = await shown([lines])
  assert.equal(await shown([[...lines].reverse()]), whole)
  assert.equal(await shown([lines.slice(7), lines.slice(0, 7)]), whole)
})

test('who is not in the case has no path, and where nothing is answered this is said', async () => {
  const folder = await caseOf([linesOf(chain).filter((_, i) => i % 2 === 0)])
  const nobody = await ask(folder, { from: '192.0.2.1' })
  assert.deepEqual([nobody.path.at, nobody.path.hosts], [null, []])
  const { path, not_decidable } = await ask(folder, { from: '203.0.113.7' })
  assert.equal(path.hosts.length, 1)
  assert.match(not_decidable[1]!.reason, /what the other side answered is not recorded/)
  await assert.rejects(ask(folder, { from: '10.0.0.0/8' }), { message: 'not an address in --from-host: 10.0.0.0/8' })
})

test('in the lab the path of the attacker leads to the victim, and out again', async () => {
  await writeLab(join(root, 'lab'), {})
  const folder = join(root, 'lab-case')
  await addEvidence({ case: folder, paths: [join(root, 'lab', '20230928')] })
  const { path } = await ask(folder, { from: '20.106.124.93' })
  assert.deepEqual(
    path.hosts.map(({ address }) => address),
    ['20.106.124.93', '10.130.8.94'],
  )
  const session = path.edges.find(({ port }) => port === 22)!
  assert.deepEqual([session.administrative, session.new, session.connections], [true, true, 4])
  const [most] = path.outside
  assert.deepEqual([most!.address, most!.via.port, most!.bytes_up], ['20.106.124.93', 8889, 265_183_813])
})
