import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'

const attacker = '20.106.124.93'
const root = mkdtempSync(join(tmpdir(), 'tidemark-flows-'))
let c: Case

before(async () => {
  await copyLab(join(root, 'demo'))
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'demo', '20230928')] })
  c = await openCase(join(root, 'case'))
})
after(async () => {
  await c.close()
  rmSync(root, { recursive: true })
})

async function rowsOf(request: FlowsRequest): Promise<FlowsRow[]> {
  const rows: FlowsRow[] = []
  for await (const row of (await queryFlows(c, request)).rows()) rows.push(row)
  return rows
}

test("the lab's figures come out of one request each", async () => {
  const [all] = await rowsOf({ filter: `ip ${attacker}`, by: [] })
  assert.equal(all!['records'], 33_232)
  assert.equal(all!['start'], '2023-09-28T17:22:35Z')
  assert.equal(all!['end'], '2023-09-28T23:59:47Z')
  const [pushed] = await rowsOf({ filter: `ip ${attacker} and dst port 8889`, by: [] })
  assert.equal(pushed!['bytes'], 265_183_813)
  const [served] = await rowsOf({ filter: `ip ${attacker} and src port 80`, by: [] })
  assert.equal(served!['bytes'], 190_703_527)
})

test('a limit is stated, and the totals are those of all records', async () => {
  const result = await queryFlows(c, { filter: `ip ${attacker}`, limit: 5 })
  assert.equal(result.total_rows, 33_232)
  assert.equal(result.truncated, true)
  let rows = 0
  for await (const row of result.rows()) {
    assert.match(String(row['path']), /\.log\.gz$/)
    rows++
  }
  assert.equal(rows, 5)
})
