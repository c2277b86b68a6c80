// A window against a baseline: by a slow second implementation over random connections, and whole cases.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type BaselineAnswer, type BaselineOptions, compareWithBaseline } from '../../src/detect/baseline.ts'
import { Comparison } from '../../src/detect/baseline-count.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { toJson } from '../../src/report/json.ts'
import { outcome } from '../../src/rules/connections.ts'
import { openCase } from '../../src/store/case.ts'
import { header } from '../rules/flows.ts'
import { connectionsOf, type Given, randomNumbers } from './graphs.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-baseline-'))
after(() => rmSync(root, { recursive: true, force: true }))

// Hosts 0 to 4 are inside, 5 to 8 outside. The baseline is the times 0 to 9, the window 12 to 29.
const [hosts, inside] = [9, 5]
const isInternal = (host: number): boolean => host < inside
const windows = [
  { from_us: 0, to_us: 10 },
  { from_us: 12, to_us: 30 },
] as const

function randomGraph(seed: number): Given[] {
  const below = randomNumbers(seed)
  return Array.from({ length: 3 + below(30) }, (): Given => {
    const start = below(32)
    return {
      ...{ client: below(hosts), server: below(hosts), port: 22 + below(3), start, end: start + below(9) },
      ...{ outcome: below(3) === 0 ? below(4) : outcome.answered, isUnknown: below(8) === 0, isError: below(20) === 0 },
      ...{ up: 1 + below(1000), down: below(1000) },
    }
  })
}

type Test = (one: Given) => boolean
const isBefore: Test = ({ start }) => start < 10
const isAfter: Test = ({ start }) => start >= 12 && start < 30
const isRoleKnown: Test = ({ isUnknown, isError }) => isUnknown !== true && isError !== true
const sum = (some: readonly Given[], what: 'up' | 'down'): number => some.reduce((all, one) => all + one[what], 0)
const texts = (some: Iterable<string>): string[] => [...new Set(some)].sort()

test('over random connections every list is what a look at all of them gives', () => {
  const found = { peers: 0, pairs: 0, ports: 0, opened: 0, closed: 0, clients: 0 }
  for (let seed = 0; seed < 1500; seed++) {
    const graph = randomGraph(seed)
    const hasAnswers = seed % 3 !== 0
    const isUsed: Test = one =>
      isRoleKnown(one) && (one.outcome === outcome.answered || (!hasAnswers && one.outcome === outcome.unanswered))
    const comparison = new Comparison({ hosts, isInternal, windows, hasAnswers })
    const connections = connectionsOf(graph)
    comparison.note(connections)
    comparison.find(connections)
    const said = `seed ${seed}`
    const [base, now] = [graph.filter(isBefore), graph.filter(isAfter)]
    const [usedBefore, usedAfter] = [base.filter(isUsed), now.filter(isUsed)]
    const wasThere = (host: number): boolean => base.some(one => one.client === host || one.server === host)
    assert.deepEqual([...comparison.connections], [base.length, now.length], said)

    const peers = usedAfter.filter(one => isInternal(one.client) && !isInternal(one.server) && !wasThere(one.server))
    assert.deepEqual(
      texts(comparison.newPeers.map(({ host }) => `${host}`)),
      texts(peers.map(one => `${one.server}`)),
      said,
    )
    for (const peer of comparison.newPeers) {
      const of = peers.filter(({ server }) => server === peer.host)
      assert.deepEqual(
        [peer.connections, peer.bytesUp, peer.bytesDown, peer.hosts, peer.first_us],
        [
          of.length,
          sum(of, 'up'),
          sum(of, 'down'),
          new Set(of.map(one => one.client)).size,
          Math.min(...of.map(one => one.start)),
        ],
        said,
      )
    }

    const clients = usedAfter.filter(one => !isInternal(one.client) && isInternal(one.server) && !wasThere(one.client))
    for (const client of comparison.newClients.listed()) {
      const of = clients.filter(one => one.client === client.host)
      assert.deepEqual(
        [client.connections, client.bytesUp, client.hosts],
        [of.length, sum(of, 'up'), new Set(of.map(one => one.server)).size],
        said,
      )
    }
    assert.equal(comparison.newClients.total, new Set(clients.map(one => one.client)).size, said)

    const ofOld = usedAfter.filter(one => isInternal(one.client) && wasThere(one.client) && one.client !== one.server)
    const knew = (one: Given, what: 'server' | 'port'): boolean =>
      base.some(old => old.client === one.client && old[what] === one[what])
    const pairs = ofOld.filter(one => isInternal(one.server) && !knew(one, 'server'))
    assert.deepEqual(
      texts(
        comparison.newPairs
          .listed()
          .map(one => `${one.host} ${one.peer} ${one.services.map(({ port }) => port).join()}`),
      ),
      texts(
        pairs.map(
          one =>
            `${one.client} ${one.server} ${[...new Set(pairs.filter(other => other.client === one.client && other.server === one.server).map(({ port }) => port))].sort().join()}`,
        ),
      ),
      said,
    )
    const ports = ofOld.filter(one => !knew(one, 'port'))
    assert.deepEqual(
      texts(comparison.newPorts.listed().map(one => `${one.host} ${one.port} ${one.peers} ${one.bytesDown}`)),
      texts(
        ports.map(one => {
          const of = ports.filter(other => other.client === one.client && other.port === one.port)
          return `${one.client} ${one.port} ${new Set(of.map(({ server }) => server)).size} ${sum(of, 'down')}`
        }),
      ),
      said,
    )

    for (const isOutside of [false, true]) {
      const atOurs: Test = one =>
        isInternal(one.server) && isInternal(one.client) !== isOutside && one.client !== one.server
      const services = (some: readonly Given[]): string[] =>
        texts(some.filter(atOurs).map(one => `${one.server} ${one.port}`))
      const [old, recent] = [services(usedBefore), services(usedAfter)]
      const uses = [...comparison.services[isOutside ? 1 : 0].values()]
      const only = (which: 0 | 1): string[] =>
        texts(
          uses
            .filter(({ clients }) => clients[which] > 0 && clients[1 - which] === 0)
            .map(one => `${one.server} ${one.port}`),
        )
      assert.deepEqual(
        only(1),
        recent.filter(one => !old.includes(one)),
        said,
      )
      assert.deepEqual(
        only(0),
        old.filter(one => !recent.includes(one)),
        said,
      )
      for (const use of uses.filter(({ clients }) => clients[0] === 0 || clients[1] === 0)) {
        const tried = (use.clients[1] === 0 ? now : base).filter(
          one =>
            one.server === use.server &&
            one.port === use.port &&
            isInternal(one.client) !== isOutside &&
            one.isUnknown !== true,
        )
        const attempts = use.attempts[use.clients[1] === 0 ? 1 : 0]
        const count = (what: number): number => tried.filter(one => one.outcome === what).length
        assert.deepEqual(
          attempts,
          { rejected: count(outcome.rejected), refused: count(outcome.refused), unanswered: count(outcome.unanswered) },
          said,
        )
      }
      if (isOutside) {
        found.opened += only(1).length
        found.closed += only(0).length
      }
    }

    for (const [host, volume] of comparison.volumes) {
      for (const [which, some] of [base, now].entries()) {
        const [from, to] = [
          some.filter(one => one.client === host && !isInternal(one.server)),
          some.filter(one => one.server === host && !isInternal(one.client)),
        ]
        assert.deepEqual(
          [volume.bytesOut[which], volume.bytesIn[which]],
          [sum(from, 'up') + sum(to, 'down'), sum(from, 'down') + sum(to, 'up')],
          said,
        )
        assert.equal(
          volume.connections[which],
          some.filter(one => one.client === host && one.isUnknown !== true).length,
          said,
        )
        assert.equal(
          volume.peers[which],
          new Set(some.filter(one => one.client === host && isUsed(one)).map(one => one.server)).size,
          said,
        )
      }
    }
    for (const port of [22, 23, 24])
      for (const [which, used] of ([usedBefore, usedAfter] as const).entries())
        assert.equal(
          comparison.hostsOfPort(which as 0 | 1, 6, port),
          new Set(used.filter(one => isInternal(one.client) && one.port === port).map(one => one.client)).size,
          said,
        )
    found.peers += comparison.newPeers.length
    found.pairs += pairs.length
    found.ports += ports.length
    found.clients += clients.length
  }
  assert.ok(
    Object.values(found).every(count => count > 100),
    JSON.stringify(found),
  )
})

// Whole cases.

interface Flow {
  /** Minutes. */
  at: number
  from: string
  to: string
  port?: number
  bytes?: number
  isRejected?: boolean
  isRefused?: boolean
}

const begin = 1_695_859_200

function linesOf(flows: readonly Flow[]): string[] {
  return flows.flatMap(({ at, from, to, port = 443, bytes = 1000, isRejected = false, isRefused = false }, n) => {
    const rest = `${begin + 60 * at} ${begin + 60 * at + 10} ${isRejected ? 'REJECT' : 'ACCEPT'} OK`
    const sport = 40_000 + n
    const back = isRefused ? '1 40' : '12 3000'
    return [
      `5 1 eni-1 ${from} ${to} ${sport} ${port} 6 10 ${bytes} ${rest} 2`,
      ...(isRejected ? [] : [`5 1 eni-1 ${to} ${from} ${port} ${sport} 6 ${back} ${rest} ${isRefused ? 4 : 18}`]),
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

async function ask(folder: string, options: BaselineOptions): Promise<BaselineAnswer> {
  const opened = await openCase(folder)
  try {
    return await compareWithBaseline(opened, options)
  } finally {
    await opened.close()
  }
}

// A keep-alive every minute: the sensor is never silent. Four hours, of which the first is the baseline.
const hosts12 = Array.from({ length: 12 }, (_, i) => `10.0.0.${i + 1}`)
const steady: Flow[] = Array.from({ length: 240 }, (_, at) => ({
  at,
  from: hosts12[at % 12]!,
  to: '198.51.100.1',
  bytes: 1000 + 10 * (at % 12) + at,
}))
const changes: Flow[] = [
  { at: 5, from: '203.0.113.1', to: '10.0.0.1', port: 80 },
  { at: 6, from: '203.0.113.1', to: '10.0.0.1', port: 22, isRejected: true },
  { at: 7, from: '203.0.113.1', to: '10.0.0.2', port: 8080 },
  { at: 7, from: '203.0.113.1', to: '10.0.0.2', port: 8081 },
  { at: 8, from: '10.0.0.1', to: '10.0.0.2', port: 5432 },
  { at: 100, from: '203.0.113.2', to: '10.0.0.1', port: 22 },
  { at: 101, from: '203.0.113.2', to: '10.0.0.1', port: 80 },
  { at: 102, from: '203.0.113.2', to: '10.0.0.2', port: 8080, isRefused: true },
  { at: 110, from: '10.0.0.1', to: '10.0.0.3', port: 22 },
  { at: 120, from: '10.0.0.1', to: '192.0.2.9', port: 8889, bytes: 50_000_000 },
  { at: 130, from: '10.0.0.99', to: '10.0.0.1', port: 443 },
]
const at = (minutes: number): number => (begin + 60 * minutes) * 1e6

test('what opened, closed, and is new, with what was tried in the other window', async () => {
  const folder = await caseOf([linesOf([...steady, ...changes])])
  const { baseline, not_decidable } = await ask(folder, { baseline: 'auto' })
  const { surface, window } = baseline!
  assert.deepEqual(
    [baseline!.from, baseline!.to, window.to, window.hosts],
    ['2023-09-28T00:00:00Z', '2023-09-28T00:59:47Z', '2023-09-28T03:59:11Z', 13],
  )
  assert.deepEqual(
    surface.opened.map(({ address, port, service, clients, other_window }) => [
      address,
      port,
      service,
      clients,
      other_window.rejected,
    ]),
    [['10.0.0.1', 22, 'ssh', 1, 1]],
  )
  assert.deepEqual(
    surface.closed.map(({ address, port, other_window: { refused } }) => [address, port, refused]),
    [
      ['10.0.0.2', 8080, 1],
      ['10.0.0.2', 8081, 0],
    ],
  )
  assert.deepEqual(
    baseline!.new_peers.map(({ address, host, hosts, prevalence, port }) => [address, host, hosts, prevalence, port]),
    [['192.0.2.9', '10.0.0.1', 1, 0.0769, 8889]],
  )
  assert.deepEqual(
    baseline!.new_clients.map(({ address, hosts }) => [address, hosts]),
    [['203.0.113.2', 1]],
  )
  assert.deepEqual(
    baseline!.new_pairs.map(({ from, to, administrative }) => [from, to, administrative]),
    [['10.0.0.1', '10.0.0.3', true]],
  )
  assert.deepEqual(
    baseline!.new_ports.map(({ address, port, prevalence_before }) => [address, port, prevalence_before]),
    [
      ['10.0.0.1', 8889, 0],
      ['10.0.0.1', 22, 0],
    ],
  )
  assert.deepEqual([baseline!.new_hosts, baseline!.gone_hosts], [['10.0.0.99'], []])
  assert.deepEqual(
    baseline!.new_services.map(({ address, port }) => [address, port]),
    [
      ['10.0.0.1', 443],
      ['10.0.0.3', 22],
    ],
  )
  assert.deepEqual(
    baseline!.gone_services.map(({ address, port }) => [address, port]),
    [['10.0.0.2', 5432]],
  )
  const [most] = baseline!.volumes
  assert.equal(baseline!.volumes_total, 12, 'hosts of both windows')
  assert.deepEqual(
    [most!.address, most!.bytes_out.after > 50_000_000, most!.bytes_out.z! > 10, most!.peers],
    ['10.0.0.1', true, true, { before: 2, after: 3 }],
  )
  assert.ok(
    baseline!.volumes.every(
      ({ bytes_out: { per_hour_after, after: bytes } }) => Math.abs(per_hour_after! - bytes / window.hours) < 0.01,
    ),
  )
  assert.deepEqual(
    [baseline!.truncated, baseline!.certain, baseline!.doubts.length, not_decidable],
    [false, false, 1, []],
  )
})

test('new is certain only where the baseline has no gap and is no shorter than the window', async () => {
  const lines = linesOf([...steady, ...changes])
  const folder = await caseOf([lines])
  const long = (await ask(folder, { baseline: { from_us: at(0), to_us: at(95) }, from_us: at(95), to_us: at(150) }))
    .baseline!
  assert.deepEqual([long.certain, long.doubts, long.surface.opened.length], [true, [], 1])
  const early = (await ask(folder, { baseline: { from_us: at(-60), to_us: at(95) }, from_us: at(95), to_us: at(150) }))
    .baseline!
  assert.deepEqual([early.certain, early.doubts.length, early.hours], [false, 1, long.hours])
  const holes = await caseOf([linesOf([...steady.filter(({ at: minute }) => minute < 20 || minute > 40), ...changes])])
  const gaps = (await ask(holes, { baseline: { from_us: at(0), to_us: at(95) }, from_us: at(95), to_us: at(150) }))
    .baseline!
  assert.deepEqual([gaps.certain, gaps.gaps, gaps.window.gaps], [false, 1, 0])
  assert.match(gaps.doubts[0]!, /the baseline has 1 known gap/)
})

test('the later window may be the baseline: what opened is then what closed', async () => {
  const folder = await caseOf([linesOf([...steady, ...changes])])
  const first = { from_us: at(0), to_us: at(95) }
  const second = { from_us: at(95), to_us: at(240) }
  const forth = (await ask(folder, { baseline: first, ...second })).baseline!
  const back = (await ask(folder, { baseline: second, ...first })).baseline!
  assert.deepEqual(back.surface.opened, forth.surface.closed)
  assert.deepEqual(back.surface.closed, forth.surface.opened)
  assert.deepEqual([back.gone_hosts, back.new_services], [forth.new_hosts, forth.gone_services])
})

test('windows that overlap, or lie outside the evidence, are refused', async () => {
  const folder = await caseOf([linesOf(steady)])
  const of = (from: number, to: number) => ({ from_us: at(from), to_us: at(to) })
  await assert.rejects(ask(folder, { baseline: of(0, 60), ...of(59, 100) }), {
    message: 'the baseline and the window overlap',
  })
  await assert.rejects(ask(folder, { baseline: of(-60, 0) }), { message: /^the baseline lies outside the evidence/ })
  await assert.rejects(ask(folder, { baseline: of(0, 60), ...of(500, 600) }), {
    message: /^the window lies outside the evidence/,
  })
  await assert.rejects(ask(folder, { baseline: of(0, 300) }), { message: /^the window lies outside the evidence/ })
})

test('the same comparison whatever the order of files and lines', async () => {
  const lines = linesOf([...steady, ...changes])
  const shown = async (files: readonly (readonly string[])[]): Promise<string> =>
    toJson((await ask(await caseOf(files), { baseline: 'auto' })).baseline)
  const whole = await shown([lines])
  assert.equal(await shown([[...lines].reverse()]), whole)
  assert.equal(await shown([lines.slice(101), lines.slice(0, 101)]), whole)
})

test('where no answer is recorded what was let through counts as used, and where nothing is internal this is said', async () => {
  const lines = linesOf([...steady, ...changes]).filter(line => line.endsWith(' 2'))
  const { baseline, not_decidable } = await ask(await caseOf([lines]), { baseline: 'auto' })
  assert.deepEqual(
    baseline!.surface.opened.map(({ port }) => port),
    [22],
  )
  assert.match(not_decidable[0]!.reason, /what the other side answered is not recorded/)
  const outside = linesOf(steady.map(flow => ({ ...flow, from: flow.from.replace('10.', '11.') })))
  const nobody = await ask(await caseOf([outside]), { baseline: 'auto' })
  assert.match(nobody.not_decidable[0]!.reason, /name your own networks with --internal/)
  assert.equal(
    (await ask(await caseOf([outside]), { baseline: 'auto', internal: ['11.0.0.0/8'] })).baseline!.window.hosts,
    12,
  )
})
