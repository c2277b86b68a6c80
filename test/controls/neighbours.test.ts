// Other hosts of a subnet: a network ACL holds for them as well, and nothing that they do is the attack.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { controls } from '../../src/controls/controls.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
after(() => rmSync(root, { recursive: true, force: true }))

const [attacker, victim, neighbour, web] = ['203.0.113.7', '10.0.0.5', '10.0.0.6', '198.51.100.9']
const interfaces: Record<string, string> = { [victim]: 'eni-0a', [neighbour]: 'eni-0b' }
const day = 86_400
const begin = 1_700_000_000

/** Two records: what the client sent, and what it got. */
function flow(at: number, client: string, clientPort: number, server: string, port: number, up: number): string[] {
  const id = interfaces[client] ?? interfaces[server]
  const record = (from: string, fromPort: number, to: string, toPort: number, bytes: number, flags: number): string =>
    `2 123456789012 ${id} ${from} ${to} ${fromPort} ${toPort} 6 40 ${bytes} ${begin + at} ${begin + at + 59} ACCEPT OK ${flags} subnet-0a1b`
  return [record(client, clientPort, server, port, up, 2), record(server, port, client, clientPort, 100, 18)]
}

const attackAt = 2 * day
const lines = [
  ...flow(0, neighbour, 40_000, web, 9999, 7000),
  ...flow(3 * day, neighbour, 40_001, web, 443, 5000),
  ...flow(60, web, 40_002, victim, 443, 1000),
  ...flow(attackAt, attacker, 50_000, victim, 22, 70_000),
]
const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags subnet-id'

let found: ControlsAnswer
before(async () => {
  writeFileSync(join(root, 'a.log'), `${[header, ...lines].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')] })
  const c = await openCase(join(root, 'case'))
  found = await controls(c, [attacker])
  await c.close()
})

test('the incident begins with the attack, not with what another host of the subnet did before', () => {
  const { why } = found.controls.find(({ kind }) => kind === 'security-group-ingress')!
  assert.match(why, /before 2023-11-16T22:13:20Z/)
})

test('what another host of the subnet sent is outbound, and its peers are those outside', () => {
  const { innocent } = found.controls.find(({ kind }) => kind === 'network-acl')!.trial!
  assert.deepEqual(
    [innocent.connections, innocent.bytes_out, innocent.bytes_in],
    [3, 7000 + 5000 + 100, 100 + 100 + 1000],
  )
  assert.ok(!innocent.peers.includes(neighbour))
})
