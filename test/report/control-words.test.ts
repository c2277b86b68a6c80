import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToldRule } from '../../src/controls/control.ts'
import { inlines, type Text } from '../../src/report/block.ts'
import { ruleTraffic, undecidedText } from '../../src/report/control-words.ts'

const words = (text: Text): string =>
  inlines(text)
    .map(one => (typeof one === 'string' ? one : one.text))
    .join('')

const rule = (given: Partial<ToldRule>): ToldRule => ({
  ...{ direction: 'ingress', number: null, action: 'allow', protocol: 6, from_port: null, to_port: null },
  ...{ icmp_type: null, icmp_code: null, remote: '0.0.0.0/0', description: '' },
  ...given,
})

test('a rule for one ICMP message is never shown as one for all, with marks or without', () => {
  for (const [given, plain, marked] of [
    [{ protocol: 1, icmp_type: 3, icmp_code: 4 }, 'ICMP type 3 code 4', 'ICMP type 3 code 4'],
    [{ protocol: 1, icmp_type: 8 }, 'ICMP type 8', 'ICMP type 8'],
    [{ protocol: 1 }, 'ICMP, all types', 'ICMP, all types'],
    [{ protocol: 58, icmp_type: 2, icmp_code: 0 }, 'IPv6-ICMP type 2 code 0', 'protocol 58 type 2 code 0'],
    [{ from_port: 443, to_port: 443 }, 'TCP 443', 'TCP 443'],
    [{ protocol: 17, from_port: 1024, to_port: 65535 }, 'UDP 1024-65535', 'UDP 1024-65535'],
    [{}, 'TCP, all ports', 'TCP, all ports'],
    [{ protocol: null }, 'all', 'all'],
    [{ protocol: 253 }, 'protocol 253', 'protocol 253'],
  ] as const) {
    assert.equal(words(ruleTraffic(rule(given), null)), plain)
    assert.equal(words(ruleTraffic(rule(given), 'controls.controls.0.rules.0')), marked)
  }
})

test('what a trial cannot decide of no connection is not told as of none of the attack', () => {
  const one = { of: 'attack', reason: 'no map', connections: 0, bytes: null } as const
  assert.equal(words(undecidedText(one, 'x')), 'Not decidable: no map.')
  assert.equal(
    words(undecidedText({ ...one, connections: 2 }, 'x')),
    'Not decidable of the attack: 2 connections: no map.',
  )
})
