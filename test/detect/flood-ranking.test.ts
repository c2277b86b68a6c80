import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rankHosts } from '../../src/detect/ranking.ts'
import type { ToldDraft } from '../../src/detect/told.ts'

const flood = (peers: number[]): ToldDraft => ({
  ...{ rule: 'D15-flood', title: 'Flood', severity: 'medium', confidence: 'medium', from_us: 0, to_us: 1 },
  ...{ tactic: 'impact', technique: 'T1498.001', technique_name: 'Direct Network Flood', summary: '' },
  ...{ scores: [], would_change: '', counter_hypotheses: [], subject: [0], peers },
  ...{ order: 0, connections: 1, records: 1, port: 80, isOnePort: true, protocol: 6, mayRise: false },
  ...{ pairs: Uint32Array.of(), isAllPairs: true, services: null, places: [0] },
})
const many = Array.from({ length: 600 }, (_, i) => 10 + i)
const ranked = (peers: number[]) =>
  rankHosts([flood(peers)], host => host < 10, String).map(({ host, role }) => [host, role])

test('many sources outside of a flood are as good as forged: the victim alone is ranked, with our hosts that took part', () => {
  assert.deepEqual(ranked(many), [[0, 'target']])
  assert.deepEqual(ranked([1, ...many]), [
    [1, 'actor'],
    [0, 'target'],
  ])
})

test('a few sources of a flood are ranked as actors, before their victim', () => {
  assert.deepEqual(ranked([10, 11]), [
    [10, 'actor'],
    [11, 'actor'],
    [0, 'target'],
  ])
})
