import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import type { FewAnswer, FieldAnswer, FieldAsk, FieldsAnswer } from '../../src/server/contract/fields.ts'
import { toLine } from '../../src/server/json-line.ts'
import { windowRequest } from '../../src/server/window-filter.ts'
import { fieldsWork } from '../../src/server/work/fields.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomCases } from '../flows/random-case.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { asked } from './asking.ts'

describe('values of a field', () => {
  const cases: Record<string, Case> = {}
  let work: Work

  before(async () => {
    work = workFolder()
    const made = await randomCases(work.root, 1500, 12)
    for (const name of ['logs', 'packets'] as const) cases[name] = await openCase(made[name])
  })
  after(async () => {
    for (const c of Object.values(cases)) await c.close()
    work.close()
  })

  for (const name of ['logs', 'packets']) {
    test(`are the groups of tidemark flows -A FIELD -O records: ${name}`, async () => {
      const c = cases[name]!
      const { present } = await asked<FieldsAnswer>(fieldsWork, c, 'fields', {})
      const random = randomFrom(7)
      for (const column of present) {
        const ask = randomAsk(column.name, random)
        const answer = await asked<FieldAnswer>(fieldsWork, c, 'field', ask)
        const message = JSON.stringify(ask)
        if (answer.asked === null) {
          assert.match(column.name, /^(packets|bytes|start|end)$/)
          continue
        }
        const { rows, counting } = await plain(c, ask)
        const known = rows.filter(row => row[column.name] !== null)
        const absent = rows.find(row => row[column.name] === null)?.['records'] ?? 0
        assert.deepEqual(
          [answer.distinct, answer.absent, answer.records, answer.unknown],
          [known.length, absent, counting.records, counting.unknown],
          message,
        )
        const wanted = rows.slice(0, ask.top).map(row => ({ value: row[column.name], records: row['records'] }))
        assert.deepEqual(toLine(answer.values), toLine(wanted), message)
      }
    })
  }

  for (const name of ['logs', 'packets']) {
    test(`of all fields that have few, read in one pass, are those of each alone: ${name}`, async () => {
      const c = cases[name]!
      const random = randomFrom(11)
      for (let i = 0; i < 4; i++) {
        const { field: _, ...ask } = randomAsk('protocol', random)
        const few = await asked<FewAnswer>(fieldsWork, c, 'few values', ask)
        assert.ok(Object.hasOwn(few, 'tcp_flags') && !Object.hasOwn(few, 'bytes') && !Object.hasOwn(few, 'srcaddr'))
        for (const [field, answer] of Object.entries(few)) {
          const alone = await asked<FieldAnswer>(fieldsWork, c, 'field', { ...ask, field })
          assert.equal(toLine(answer), toLine(alone), JSON.stringify([field, ask]))
        }
      }
    })
  }

  test('of a counter are all its values, and the least, the median and the most are those of the records', async () => {
    const c = cases['logs']!
    const ask: FieldAsk = { ...randomAsk('bytes', () => 0.9), filter: 'dst port 443', raw: true, from: null, to: null }
    const answer = await asked<FieldAnswer>(fieldsWork, c, 'field', ask)
    const bytes: bigint[] = []
    let absent = 0
    const result = await queryFlows(c, { filter: ask.filter, limit: null })
    for await (const row of result.rows()) {
      if (row['bytes'] === null) absent++
      else bytes.push(BigInt(row['bytes'] as number))
    }
    bytes.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const text = (value: unknown): string => String(value)
    assert.deepEqual(
      [answer.distinct, answer.absent, answer.least, answer.median, answer.most].map(text),
      [new Set(bytes).size, absent, bytes[0], bytes[Math.ceil(bytes.length / 2) - 1], bytes.at(-1)].map(text),
    )
  })

  test('are of fields that the evidence has; the others are said to be absent', async () => {
    const answer = await asked<FieldsAnswer>(fieldsWork, cases['logs']!, 'fields', {})
    const names = answer.present.map(field => field.name)
    assert.ok(names.includes('tcp_flags') && names.includes('interface_id'))
    assert.ok(answer.absent.some(field => field.name === 'flow_direction' && field.version === 5))
    assert.deepEqual(
      answer.absent.filter(field => names.includes(field.name)),
      [],
    )
  })
})

function randomAsk(field: string, random: () => number): FieldAsk {
  const filter = pick(random, ['', 'dst port 443', 'src net 10.0.0.0/8 or proto 17', 'bytes > 1k'])
  const from = random() < 0.5 ? null : 1_700_000_000 + Math.floor(random() * 1500)
  return { filter, raw: random() < 0.3, own: [], from, to: null, field, top: random() < 0.5 ? 10 : 3 }
}

async function plain(c: Case, ask: FieldAsk) {
  const request = { ...windowRequest(c, ask, ask), by: [ask.field], order: 'records', limit: null } as const
  const result = await queryFlows(c, request)
  const rows: FlowsRow[] = []
  for await (const row of result.rows()) rows.push(row as FlowsRow)
  return { rows, counting: result.counting }
}
