import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceSpan } from '../../src/store/evidence-span.ts'
import type { EvidenceEntry } from '../../src/store/ledger-entry.ts'

const file = (first_start: string | null, last_end: string | null): EvidenceEntry =>
  ({ first_start, last_end }) as EvidenceEntry

test('the span goes from the first start to the last end of any file, to the microsecond', () => {
  const evidence = [
    file('2023-09-28T19:30:35.5Z', '2023-09-28T19:31:00Z'),
    file(null, null),
    file('2023-09-28T19:30:35Z', '2023-09-28T19:31:00.000001Z'),
  ]
  const span = { first_us: 1_695_929_435_000_000n, last_us: 1_695_929_460_000_001n }
  assert.deepEqual(evidenceSpan({ evidence }), span)
  assert.deepEqual(evidenceSpan({ evidence }), span)
})

test('without times there is no span', () => {
  assert.equal(evidenceSpan({ evidence: [] }), null)
  assert.equal(evidenceSpan({ evidence: [file(null, null)] }), null)
})
