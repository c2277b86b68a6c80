// `detect --from-host` and `detect --baseline`: pages, documents, and options that do not go together.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, tidemark } from './run.ts'

const begin = 1_695_859_200
const header =
  'version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

/** Connections of a minute each: at, client, server, port. */
const flows: [number, string, string, number][] = [
  ...Array.from({ length: 120 }, (_, at): [number, string, string, number] => [at, '10.0.0.5', '10.0.0.6', 443]),
  [5, '10.0.0.1', '10.0.0.6', 443],
  [6, '10.0.0.2', '10.0.0.6', 443],
  [70, '203.0.113.7', '10.0.0.1', 22],
  [80, '10.0.0.1', '10.0.0.2', 3389],
  [90, '10.0.0.2', '203.0.113.7', 8889],
]

const lines = flows.flatMap(([at, client, server, port], n) => {
  const times = `${begin + 60 * at} ${begin + 60 * at + 50} ACCEPT OK`
  return [
    `5 eni-1 ${client} ${server} ${40_000 + n} ${port} 6 10 1000 ${times} 2`,
    `5 eni-1 ${server} ${client} ${port} ${40_000 + n} 6 9 900 ${times} 18`,
  ]
})

test('the path and the comparison are pages, and documents with --json; what does not go together is refused', t => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'a.log')
  writeFileSync(log, `${[header, ...lines].join('\n')}\n`)
  const path = tidemark(['detect', '--from-host', '203.0.113.7', log])
  assert.equal(path.status, 0, path.stderr)
  for (const text of [
    '2 internal hosts, and 1 host outside',
    '10.0.0.2',
    '3389/tcp',
    'administrative',
    'tidemark investigate 10.0.0.1',
  ])
    assert.ok(path.stdout.includes(text), `${text}\n${path.stdout}`)
  const document = JSON.parse(tidemark(['detect', '--from-host', '203.0.113.7', '--hops', '1', '--json', log]).stdout)
  assert.deepEqual(
    document.path.hosts.map((one: { address: string }) => one.address),
    ['203.0.113.7', '10.0.0.1'],
  )
  assert.deepEqual([document.path.limits.hosts_at_last_hop, 'findings' in document], [1, false])

  const compared = tidemark(['detect', log, '--baseline'])
  assert.equal(compared.status, 0, compared.stderr)
  for (const text of [
    '1 service opened to hosts outside, 0 closed',
    '22/tcp (ssh)',
    'New pairs of internal hosts (1)',
    'the first quarter of the case',
  ])
    assert.ok(compared.stdout.includes(text), `${text}\n${compared.stdout}`)
  const json = JSON.parse(
    tidemark(['detect', '--baseline', '2023-09-28T00:00..2023-09-28T01:00', '--json', log]).stdout,
  )
  assert.deepEqual([json.baseline.to, json.baseline.certain, json.baseline.auto], ['2023-09-28T01:00:00Z', true, false])

  const refused: [string[], RegExp][] = [
    [['--from-host', '10.0.0.1', '--at', '2100-01-01', log], /--at is after the evidence/],
    [['--baseline', 'x..y'], /not a time: --baseline x/],
    [['--hops', '3'], /--hops is an option of --from-host/],
    [['--from-host', '10.0.0.0/8'], /Expected an address/],
    [['--from-host', '10.0.0.1', '--fail-on', 'high'], /--fail-on does not go with --from-host/],
    [['--baseline', '--rule', 'D01'], /--rule does not go with --baseline/],
    [['--from-host', '10.0.0.1', '--baseline'], /--baseline does not go with --from-host/],
    [['--from-host', '10.0.0.1', '--at', 'noon'], /not a time: --at noon/],
    [['--baseline', log], /not a window: --baseline/],
  ]
  for (const [options, message] of refused) {
    const { status, stderr } = tidemark(['detect', ...options])
    assert.equal(status, 2, options.join(' '))
    assert.match(stderr, message)
  }
})

test('what of a file of networks cannot be used is named, with status 3: it decides who is one’s own', t => {
  const folder = temporaryFolder(t)
  const [log, networks] = [join(folder, 'a.log'), join(folder, 'nets.csv')]
  writeFileSync(log, `${[header, ...lines].join('\n')}\n`)
  writeFileSync(networks, 'prefix,internal\n203.0.113.0/24,yes\nhere,yes\n')
  for (const mode of ['--from-host=10.0.0.1', '--baseline=auto']) {
    const { status, stdout, stderr } = tidemark(['detect', mode, '--json', '--networks', networks, log])
    assert.equal(status, 3, mode)
    assert.match(stderr, /nets\.csv:3: not a prefix: here/)
    const { enrichment, enrichment_problems } = JSON.parse(stdout)
    assert.deepEqual([enrichment.length, enrichment_problems.length], [1, 1])
  }
})
