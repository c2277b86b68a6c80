// Which connections of an internal subject are the attack.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graveServices } from '../../src/controls/attack-services.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'

const [attacker, own, visitor, drop] = ['203.0.113.7', '10.0.0.5', '198.51.100.9', '192.0.2.9']
const addresses = [own, drop, visitor, attacker]

/** `client > server` of the services that are the attack. */
function attackOf(subject: string[], rule: string, severity = 'medium'): string[] {
  const found = {
    findings: [{ finding: { rule, severity, first_start: null, last_end: null }, services: [0, 1] }],
    told: {
      hosts: {
        hi: BigUint64Array.from(addresses, text => parseAddress(text)!.hi),
        lo: BigUint64Array.from(addresses, text => parseAddress(text)!.lo),
      },
      services: { client: [2, 0], server: [0, 1], port: [22, 22], protocol: [6, 6] },
    },
  }
  const some = graveServices(found as unknown as Parameters<typeof graveServices>[0], subject, [])
  return some.map(({ client, server }) => [client, server].map(one => formatAddress(one.hi, one.lo)).join(' > '))
}

test('a finding about a victim does not make its clients the attack', () => {
  for (const rule of ['D07-rejected-then-accepted', 'D15-flood', 'D18-exposed-service'])
    assert.deepEqual(attackOf([own], rule), [`${own} > ${drop}`], rule)
  assert.deepEqual(attackOf([own], 'D02-brute-force'), [`${visitor} > ${own}`, `${own} > ${drop}`])
  assert.deepEqual(attackOf([own], 'D02-brute-force', 'info'), [])
})

test('beside a subject outside, only what a host of one’s own began is the attack too', () => {
  assert.deepEqual(attackOf([attacker, own], 'D02-brute-force'), [`${own} > ${drop}`])
})
