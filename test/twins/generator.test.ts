// The generator itself: the same bytes from the same seed, nothing lost between connections and records, and what AWS would show of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCase, scenarios, textOf } from './generator.ts'
import { begin, formats, headerOf, logOf } from './sensor.ts'
import { stageOf } from './stage.ts'
import { type Connection, packetsOf } from './traffic.ts'

const fields = headerOf('flags').split(' ')
const field = (line: string, name: string): string => line.split(' ')[fields.indexOf(name)]!

const stage = stageOf(7, 0)
const [client, server, gateway, far] = [stage.host(), stage.host(), stage.host(), stage.outside()]
const ends = { at: 100, from: client, to: server, port: 22 }
const all: Connection = stage.flow(ends, { seconds: 900, up: [1000, 120_000], down: [900, 400_000] })

function linesOf(connections: readonly Connection[], interval: number): string[] {
  return logOf(connections, { seed: 7, interval, logged: stage.logged }).lines('flags')
}

test('the same seed gives the same bytes, another one gives others', () => {
  const made = [4, 4, 5].map(seed => makeCase(scenarios.slice(0, 12), { seed, interval: 60 }))
  for (const format of formats) {
    const [one, same, other] = made.map(({ lines }) => textOf(format, lines(format)))
    assert.equal(one, same)
    assert.notEqual(one, other)
  }
})

test('every packet of a connection is in one record of each interface and direction', () => {
  for (const interval of [60, 600]) {
    const lines = linesOf([all], interval)
    for (const [from, side] of [
      [client, all.up],
      [server, all.down],
    ] as const) {
      for (const direction of ['ingress', 'egress']) {
        const own = lines.filter(line => field(line, 'srcaddr') === from && field(line, 'flow-direction') === direction)
        const sum = (name: string): number => own.reduce((total, line) => total + Number(field(line, name)), 0)
        assert.deepEqual([sum('packets'), sum('bytes')], side, `${direction} at ${interval} s`)
        assert.ok(own.length >= 900 / interval && own.length <= 900 / interval + 2)
      }
    }
  }
})

test('flags are those that AWS has, OR-ed over an interval', () => {
  const short = { ...all, seconds: 1 }
  const flagsOf = (connection: Connection): string[] =>
    linesOf([connection], 600)
      .filter(line => field(line, 'flow-direction') === 'egress')
      .map(line => field(line, 'tcp-flags'))
      .sort()
  assert.deepEqual(flagsOf(short), ['19', '3'])
  assert.deepEqual(flagsOf(stage.failed(ends, 'refused')), ['2', '4'])
  assert.deepEqual(flagsOf(stage.failed(ends, 'silent')), ['2'])
  assert.deepEqual(flagsOf({ ...short, state: 'held' }), ['0', '0'])
})

test('no record is longer than the interval, and those of an interface and interval that share their times share both', () => {
  for (const interval of [60, 600]) {
    for (const line of linesOf([all], interval)) {
      const [start, end] = [Number(field(line, 'start')), Number(field(line, 'end'))]
      assert.ok(start >= begin && start <= end && end - start <= interval)
    }
  }
})

test('what the rules of a target stop is let out by the client’s own interface, and rejected at the target’s', () => {
  const lines = linesOf([stage.failed(ends, 'rejected')], 60)
  assert.deepEqual(lines.map(line => `${field(line, 'flow-direction')} ${field(line, 'action')}`).sort(), [
    'egress ACCEPT',
    'ingress REJECT',
  ])
})

test('a translator shows both legs of each direction, as in the example of AWS', () => {
  const flow = { ...stage.visit({ at: 50, from: client, to: far }), via: gateway }
  const seen = linesOf([flow], 600).map(line =>
    ['srcaddr', 'dstaddr', 'pkt-srcaddr', 'pkt-dstaddr'].map(name => field(line, name)).join(' '),
  )
  for (const wanted of [
    [client, far, client, far],
    [client, gateway, client, far],
    [gateway, far, gateway, far],
    [far, gateway, far, gateway],
    [gateway, client, far, client],
    [far, client, far, client],
  ])
    assert.ok(seen.includes(wanted.join(' ')), wanted.join(' '))
})

test('the packets of every scenario add up to its connections', () => {
  for (const { played } of [makeCase(scenarios, { seed: 2, interval: 600 })]) {
    for (const { scenario, flows } of played) {
      for (const flow of flows) {
        const sum = (isUp: boolean, of: 'packets' | 'bytes'): number =>
          packetsOf(flow)
            .filter(group => group.isUp === isUp)
            .reduce((total, group) => total + group[of], 0)
        assert.deepEqual([sum(true, 'packets'), sum(true, 'bytes')], [...flow.up], scenario.name)
        assert.deepEqual([sum(false, 'packets'), sum(false, 'bytes')], [...flow.down], scenario.name)
      }
    }
  }
})
