import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureAccounts } from '../../src/packet/accounts.ts'
import type { Captured } from '../../src/packet/captured.ts'
import { Packet } from '../../src/packet/packet.ts'

test('bytes on the wire are exact where captures claim more than 2^53 of them', () => {
  const accounts = new CaptureAccounts()
  const captured = { wireLength: 2 ** 32 - 1, from: 0, to: 0, timed: false, time: 0 } as Captured
  const packet = new Packet()
  const packets = 2_200_000
  for (let i = 0; i < packets; i++) accounts.count(captured, packet, 1, 0, 1)
  assert.equal(accounts.wireBytes, BigInt(packets) * (2n ** 32n - 1n))
})
