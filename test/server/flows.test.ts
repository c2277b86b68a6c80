import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { FlowsRow } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { type RowsAnswer, type RowsAsk, rowOrders } from '../../src/server/contract/flows.ts'
import { toLine } from '../../src/server/json-line.ts'
import { flowsWork, rowsRequest, timeRequest } from '../../src/server/work/flows.ts'
import { viewWork } from '../../src/server/work/view.ts'
import { type FoundAt, viewRowsWork } from '../../src/server/work/view-rows.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomCases } from '../flows/random-case.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { setting } from '../robustness/support.ts'
import { asked } from './asking.ts'

const questions = setting('ROW_QUESTIONS', 40)

const filters = [
  '',
  'any',
  'src net 10.0.0.0/8',
  'dst port 443 or src port 53',
  'proto 6 || proto 17',
  'ip 10.0.0.1 # the web server',
  'not action REJECT',
  'bytes > 100k and packets < 200',
  'action is unknown',
  'src port is unknown or dst port 80',
  '# nothing but this',
]

describe('rows of a view', () => {
  const cases: Record<string, Case> = {}
  let work: Work

  before(async () => {
    work = workFolder()
    const made = await randomCases(work.root, 3000, 11)
    writeFileSync(join(work.root, 'conn.log'), connLog(200))
    await addEvidence({ case: join(work.root, 'tables'), paths: [join(work.root, 'conn.log')], workers: 1 })
    for (const [name, dir] of Object.entries({ ...made, tables: join(work.root, 'tables') }))
      cases[name] = await openCase(dir)
  })
  after(async () => {
    for (const c of Object.values(cases)) await c.close()
    work.close()
  })

  for (const name of ['logs', 'packets', 'tables']) {
    test(`are those of queryFlows in any filter, window, order and part: ${name}`, async () => {
      const c = cases[name]!
      const random = randomFrom(name.length)
      const [least, most] = await span(c)
      for (let round = 0; round < questions; round++) {
        const any = randomAsk(random, least, most)
        const ask = name === 'tables' ? { ...any, offset: 0, limit: 500 } : any
        const answer = await asked<RowsAnswer>(flowsWork, c, 'rows', ask)
        const { rows, counting, sql } = await plain(c, ask)
        const message = JSON.stringify(ask)
        assert.deepEqual(
          [answer.total, answer.rejected, answer.unknown],
          [counting.records, counting.rejected, counting.unknown],
          message,
        )
        assert.equal(answer.asked.sql, sql)
        assert.equal(answer.reach, rows.length, message)
        const all = await plain(c, { ...ask, from: null, to: null })
        assert.deepEqual(
          comparable(rows, name),
          comparable(
            all.rows.filter(row => isWithin(row, ask)),
            name,
          ),
          message,
        )
        const shown = shownRows(answer, name)
        assert.deepEqual(
          comparable(shown, name),
          comparable(rows.slice(ask.offset, ask.offset + ask.limit), name),
          message,
        )
      }
    })
  }

  for (const name of ['logs', 'packets']) {
    test(`by time are at any depth those of queryFlows, out of the time index: ${name}`, async () => {
      const c = cases[name]!
      const random = randomFrom(3 + name.length)
      const [least, most] = await span(c)
      await asked(viewWork, c, 'open timeline', {})
      for (let round = 0; round < questions; round++) {
        const ask: RowsAsk = { ...randomAsk(random, least, most), order: 'start' }
        ask.offset *= 4
        const found = await asked<FoundAt>(viewRowsWork, c, 'rows found', ask)
        const answer = await asked<RowsAnswer>(flowsWork, c, 'rows at', { ask, found })
        // Another process may look at a newer state of the case already.
        const other = { ...found, head: 'another' }
        await assert.rejects(asked(flowsWork, c, 'rows at', { ask, found: other }), { status: 75, hint: 'ask again' })
        const result = await queryFlows(c, timeRequest(c, ask))
        const rows: FlowsRow[] = []
        for await (const row of result.rows()) rows.push(row)
        const { counting } = result
        const isCounted = ask.raw || ask.offset === 0
        const message = JSON.stringify(ask)
        assert.deepEqual(
          [answer.total, answer.rejected, answer.unknown, answer.reach, answer.asked.sql],
          [
            counting.records,
            ...(isCounted ? [counting.rejected, counting.unknown] : [null, null]),
            rows.length,
            result.sql,
          ],
          message,
        )
        const wanted = rows.slice(ask.offset, ask.offset + ask.limit)
        assert.deepEqual(comparable(shownRows(answer, name), name), comparable(wanted, name), message)
      }
    })
  }
})

function shownRows({ columns, rows, files }: RowsAnswer, name: string): object[] {
  const names = columns.map(column => column.name)
  return rows.map(({ file, line, cells }) => ({
    path: files[file],
    [name === 'logs' ? 'line' : 'packet']: line,
    ...Object.fromEntries(names.map((one, i) => [one, cells[i]])),
  }))
}

function randomAsk(random: () => number, least: number, most: number): RowsAsk {
  const second = (): number => Math.floor(least + random() * (most - least))
  const edge = (): number | null => (random() < 0.4 ? null : second())
  return {
    ...{ filter: pick(random, filters), raw: random() < 0.3, own: [], from: edge(), to: edge() },
    ...{
      order: pick(random, rowOrders),
      offset: Math.floor(random() * 50) * 20,
      limit: 1 + Math.floor(random() * 200),
    },
  }
}

function isWithin({ start }: FlowsRow, { from, to }: RowsAsk): boolean {
  if (from === null && to === null) return true
  const second = start === null ? Number.NaN : Date.parse(String(start)) / 1000
  return (from === null || second >= from) && (to === null || second < to)
}

/** First and last second in which a record begins. */
async function span(c: Case): Promise<[number, number]> {
  const result = await queryFlows(c, { order: 'start', limit: null })
  const starts: number[] = []
  for await (const { start } of result.rows()) if (start !== null) starts.push(Date.parse(String(start)) / 1000)
  return [starts[0]!, starts.at(-1)!]
}

async function plain(c: Case, ask: RowsAsk) {
  const result = await queryFlows(c, rowsRequest(c, ask))
  const rows: FlowsRow[] = []
  for await (const row of result.rows()) rows.push(row)
  return { ...result, rows }
}

/** Both records of a line of a table rank the same: which comes first is not said. Whole numbers beyond 2^53 are as JSON has them. */
function comparable(rows: readonly object[], name: string): string[] {
  const texts = rows.map(row => toLine(row))
  return name === 'tables' ? texts.sort() : texts
}

/** Zeek's log of connections with both directions. */
function connLog(count: number): string {
  const random = randomFrom(5)
  const below = (n: number): number => Math.floor(random() * n)
  const fields =
    'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto duration orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes'
  const rows = Array.from({ length: count }, (_, i) => {
    const ends = random() < 0.1 ? ['192.0.2.1', 53, '192.0.2.1', 53] : [`10.0.0.${below(9)}`, below(9), '192.0.2.5', 22]
    const start = 1_700_000_000 + below(600)
    return [start, `C${i}`, ...ends, 'tcp', below(9), 1 + below(9), 60 + below(900), 1 + below(9), 60 + below(900)]
  })
  const lines = [`#fields ${fields}`, ...rows.map(row => row.join(' '))].map(line => line.replaceAll(' ', '\t'))
  return `#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n${lines.join('\n')}\n`
}
