import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeItemOf } from '../../src/controls/code-item.ts'
import type { Recommended, Trial, TrialService } from '../../src/controls/control.ts'

const control: Recommended = {
  ...{ kind: 'advice', title: 't', answers: [], why: 'w', cost: 'Money.', confirm: ['a?', 'b?'] },
  artefact: { what: 'advice' },
}
const sum = { connections: 0, bytes: 0, bytes_out: 0, bytes_in: 0 }
const broken: TrialService[] = Array.from({ length: 7 }, (_, i) => ({
  ...{ client: `192.0.2.${i}`, server: '10.0.0.1', port: 22, protocol: 6, connections: 7 - i, bytes: 1 },
  ...{ bytes_to_server: 1, bytes_to_client: 0, first_start: null, last_end: null, basis: [] },
}))

function trial(
  attack: Partial<Trial['attack']>,
  innocent: Partial<Trial['innocent']>,
  more: Partial<Trial> = {},
): Trial {
  return {
    attack: {
      ...{ ...sum, stopped_connections: 0, stopped_bytes: 0, stopped_bytes_out: 0, stopped_bytes_in: 0 },
      ...{ first_stopped: null, last_stopped: null, stopped: [], stopped_total: 0 },
      ...{ let_through: [], let_through_total: 0, undecided_connections: 0, ...attack },
    },
    innocent: {
      ...{ ...sum, broken_connections: 0, broken_bytes: 0, broken_bytes_out: 0, broken_bytes_in: 0 },
      ...{ peers: [], peers_total: 0, broken: [], broken_total: 0, undecided_connections: 0 },
      probes: { connections: 0, peers: 0, packets_most: 0 },
      ...innocent,
    },
    ...{ at_least: false, fired: [], fired_total: 0, baseline: null, not_decidable: [], basis: [], ...more },
  }
}

test('code tells what the control costs, all that is to be confirmed, and what it stops and breaks', () => {
  const first_stopped = '2023-09-28T19:32:36Z'
  const attack = { connections: 5000, stopped_connections: 5, stopped_bytes: 1234, first_stopped }
  const innocent = { connections: 90, broken_connections: 28, peers_total: 7, broken, broken_total: 7 }
  const { cost, confirm, tried } = codeItemOf('C1', control, trial(attack, innocent))
  assert.deepEqual([cost, confirm], ['Money.', ['a?', 'b?']])
  assert.equal(
    tried[0],
    'It stops 5 of 5,000 connections of the attack, 1,234 bytes, the first at 2023-09-28T19:32:36Z.',
  )
  assert.match(
    tried[1]!,
    /^It breaks 28 of 90 other connections, with 7 peers: 192\.0\.2\.0 to 10\.0\.0\.1 22\/tcp, 7 connections; .*192\.0\.2\.4 to [^;]*; and 2 more\.$/,
  )
  assert.equal(tried.length, 2)
})

test('unknown bytes are not zero, sums that are bounds say so, and so do connections without an answer', () => {
  const attack = { connections: 2, stopped_connections: 1, stopped_bytes: null, undecided_connections: 1 }
  const { tried } = codeItemOf('C1', control, trial(attack, {}))
  assert.deepEqual(tried, [
    'It stops 1 of 2 connections of the attack, bytes not recorded, the first at an unknown time.',
    'There was no other traffic to break.',
    'Of 1 connection it cannot be told.',
  ])
  const bound = trial({ ...attack, stopped_bytes: 7 }, {}, { at_least: true })
  assert.match(codeItemOf('C1', control, bound).tried[0]!, /, at least 7 bytes, /)
  assert.deepEqual(codeItemOf('C1', control, null).tried, [])
})
