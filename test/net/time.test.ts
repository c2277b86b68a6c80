import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ACK, FIN, flagNames, PSH, RST, SYN, URG } from '../../src/net/tcp-flags.ts'
import { durationWords, utcSeconds } from '../../src/net/time.ts'

const times: [bigint | number, string][] = [
  [1_695_921_755_000_000n, '2023-09-28T17:22:35Z'],
  [1_695_945_545_000_000, '2023-09-28T23:59:05Z'],
  [1_695_921_755_120_000n, '2023-09-28T17:22:35.120Z'],
  [1_695_921_755_000_001n, '2023-09-28T17:22:35.000001Z'],
  [0, '1970-01-01T00:00:00Z'],
  [-1n, '1969-12-31T23:59:59.999999Z'],
]
for (const [us, text] of times) {
  test(`writes ${us} microseconds as ${text}`, () => assert.equal(utcSeconds(us), text))
}

test('a time survives its text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 17n }), us => {
      const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(utcSeconds(us))!
      assert.equal(BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0')), us)
      assert.match(fraction, /^(\d{3}|\d{6})?$/)
    }),
  )
})

const durations: [number, string][] = [
  [0, '0 s'],
  [0.25, '0.25 s'],
  [1.0009, '1 s'],
  [45, '45 s'],
  [45.9, '45 s'],
  [60, '1 min'],
  [61, '1 min 1 s'],
  [3600, '1 h'],
  [3661, '1 h 1 min'],
  [23_790, '6 h 36 min'],
  [2 * 86_400 + 3 * 3600 + 59 * 60, '2 d 3 h'],
  [2 * 86_400 + 59 * 60, '2 d'],
  [-90, '-1 min 30 s'],
]
for (const [seconds, words] of durations) {
  test(`${seconds} s lasts ${words}`, () => assert.equal(durationWords(seconds), words))
}

test('names the TCP flags', () => {
  assert.deepEqual(flagNames(0), [])
  assert.deepEqual(flagNames(SYN | ACK), ['SYN', 'ACK'])
  assert.deepEqual(flagNames(FIN | RST | PSH | URG), ['FIN', 'RST', 'PSH', 'URG'])
  assert.deepEqual(flagNames(0xc0), ['ECE', 'CWR'])
})
