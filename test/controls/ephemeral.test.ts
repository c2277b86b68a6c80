import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerPorts, ClientPorts, clientPortsOf, portsKey } from '../../src/controls/ephemeral.ts'
import { mark } from '../../src/conversations/connections.ts'
import { noPort } from '../../src/conversations/services.ts'
import { made, type Row } from './made-traffic.ts'

function ports(...of: readonly number[]): ClientPorts {
  const some = new ClientPorts()
  for (const port of of) some.counts[port]!++
  return some
}

const spread = (from: number, to: number): number[] =>
  Array.from({ length: 10 }, (_, i) => from + Math.floor(((to - from) * i) / 9))
const rangeOf = (some: ClientPorts): string => {
  const { range, low } = answerPorts(some)
  return [range === null ? 'none' : `${range.from}-${range.to}`, ...low].join(' ')
}

test('takes the smallest usual range that holds all ports', () => {
  assert.equal(rangeOf(ports(...spread(49_152, 65_535))), '49152-65535')
  assert.equal(rangeOf(ports(...spread(49_151, 60_999))), '32768-60999')
  assert.equal(rangeOf(ports(...spread(32_768, 60_999))), '32768-60999')
  assert.equal(rangeOf(ports(...spread(32_768, 61_000))), '32768-61000')
  assert.equal(rangeOf(ports(...spread(32_768, 61_001))), '1024-65535')
  assert.equal(rangeOf(ports(...spread(32_767, 60_000))), '1024-65535')
  assert.equal(rangeOf(ports(...spread(1024, 5000))), '1024-65535')
})

test('a few ports, or one that is not known, do not tell the system', () => {
  const few = answerPorts(ports(...spread(50_000, 60_000).slice(1)))
  assert.equal(few.range?.from, 1024)
  assert.match(few.why, /^9 client ports from 51,111 to 60,000 in 9 connections, too few to tell: 1024-65535/)
  const unknown = answerPorts(ports(...spread(50_000, 60_000), noPort))
  assert.equal(unknown.range?.from, 1024)
  assert.match(unknown.why, /^the port of 1 client connection is not known/)
})

test('a port below 1024 counts where a share of connections comes from it', () => {
  assert.equal(rangeOf(ports(123, 123)), 'none 123')
  assert.equal(rangeOf(ports(...Array.from({ length: 10 }, () => spread(50_000, 60_000)).flat(), 53)), '49152-65535')
  assert.equal(rangeOf(ports(...Array.from({ length: 9 }, () => spread(50_000, 60_000)).flat(), 53)), '49152-65535 53')
})

test('counts the clients of the border, by protocol and family, without the attack', () => {
  const row: Row = { client: '10.0.0.1', server: '192.0.2.1', port: 80, clientPort: 40_000 }
  const rows: Row[] = [
    row,
    { ...row, isAttack: true, clientPort: 40_001 },
    { ...row, outcome: 'rejected', clientPort: 40_002 },
    { ...row, marks: mark.unknownRole, clientPort: 40_003 },
    { ...row, marks: mark.isError, clientPort: 40_007 },
    { ...row, port: 40_000, clientPort: 443 },
    { ...row, server: '10.0.0.2', clientPort: 40_004 },
    { ...row, protocol: 1 },
    { ...row, protocol: 17, clientPort: 40_005 },
    { ...row, client: '192.0.2.1', server: '10.0.0.1', clientPort: 40_006 },
  ]
  const traffic = made({ rows, protect: ['10.0.0.1'] })
  const found = clientPortsOf(traffic, host => (traffic.isInternal(host) ? 0 : -1))(0)
  const texts = [...found].map(
    ([key, { counts }]) => `${key}: ${[...counts.entries()].flatMap(([port, count]) => (count > 0 ? [port] : []))}`,
  )
  assert.deepEqual(texts, [
    `${portsKey('own', 6, false)}: 40000`,
    `${portsKey('own', 17, false)}: 40005`,
    `${portsKey('other', 6, false)}: 40006`,
  ])
})
