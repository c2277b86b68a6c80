import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Filter } from '../../src/filter/ast.ts'
import { type CompileContext, type Compiled, compile } from '../../src/filter/compile.ts'
import { explain } from '../../src/filter/explain.ts'
import { parse } from '../../src/filter/filter.ts'
import { print } from '../../src/filter/print.ts'
import { loadSets } from '../../src/filter/set.ts'
import { formatAddress } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { duckdb } from '../../src/query/duckdb-printer.ts'
import { flowFields } from '../../src/records/fields.ts'
import { Database, type Value } from '../../src/store/duckdb.ts'
import { evaluate, type Setting } from './evaluator.ts'
import { addresses, began_us, makeTable, randomFrom, randomRow, types } from './flows.ts'
import { type FilterFiles, randomFilter } from './random-filter.ts'

// TIDEMARK_FILTERS=50000 is the measure that the filter language is held to; it takes a quarter of an hour or more.
const asked = process.env['TIDEMARK_FILTERS']
const filterCount = Number(asked ?? 800)
const batch = 20
const rows = Array.from({ length: asked === undefined ? 250 : 1000 }, (_, i) => randomRow(randomFrom(i + 1)))
const columns = new Set(Object.keys(types))
const own = parsePrefix('203.0.113.0/24')!
const span = { first_us: began_us, last_us: began_us + 7_800_000_000n }
const context: CompileContext = { columns, internal: [own], span }
const setting: Setting = {
  ...span,
  internal: [[(own.first.hi << 64n) | own.first.lo, (own.last.hi << 64n) | own.last.lo]],
}

let folder = ''
let db: Database
let files: FilterFiles

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-filter-'))
  const file = (name: string, lines: string[]): string => {
    writeFileSync(join(folder, name), `# a set\n${lines.join('\n')}\n`)
    return name
  }
  const text = (value: bigint): string => formatAddress(value >> 64n, value & 0xffff_ffff_ffff_ffffn)
  files = {
    addresses: [
      file('half.txt', addresses.filter((_, i) => i % 2 === 0).map(text)),
      file('nets.txt', ['10.0.0.0/24', '192.0.2.0/25 # half', '2001:db8::/64', '0.0.0.0', 'fe80::/10']),
      file('all.txt', ['::/0']),
      file('nothing.txt', []),
    ],
    ports: [file('ports.txt', ['22', '80', '443']), file('no-ports.txt', [])],
    texts: [file('texts.txt', ['eu-west-1', 'a b', "o'hara"]), file('no-texts.txt', [])],
    services: [file('services.txt', ['ssh', '53/udp']), file('no-services.txt', [])],
  }
  db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
  await makeTable(db, rows)
})

after(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

const letter = (truth: unknown): string => (truth === null ? '?' : truth ? 'T' : 'F')

/** For each filter a text with a letter for each row: T, F or ?. */
async function answers(compiled: readonly Compiled[]): Promise<string[]> {
  for (const { sets } of compiled) await loadSets(db, sets)
  const printed = compiled.map(({ where }) => duckdb.print(where))
  const cells = printed.map(({ text }, i) => `(${text}) AS m${i}`)
  const texts = compiled.map(
    (_, i) =>
      `string_agg(CASE WHEN m${i} THEN 'T' WHEN m${i} IS NULL THEN '?' ELSE 'F' END, '' ORDER BY _line) AS a${i}`,
  )
  const values: Value[] = printed.flatMap(one => one.values)
  const [row] = await db.rows(`SELECT ${texts.join(', ')} FROM (SELECT _line, ${cells.join(', ')} FROM flows)`, values)
  return compiled.map((_, i) => String(row![`a${i}`]))
}

/** The words that SQL texts of ours consist of; any other would be the user's. */
const ours = new RegExp(
  `^(?:"(?:${[...columns].join('|')})"|"filter_(?:addresses|numbers|texts)_[0-9a-f]{16}"|AND|OR|NOT|IN|IS|NULL|BETWEEN|CASE|WHEN|THEN|ELSE|END|SELECT|FROM|WHERE|true|false|hi|lo|bits|value|coalesce|contains|starts_with|ends_with|make_timestamp|epoch_us|BOOLEAN|UBIGINT|USMALLINT|UTINYINT|HUGEINT|BIGINT|0|1|6|17|43|44|58|60|128|132|1000|8000)$`,
)

function foreignWords(text: string): string[] {
  return (text.match(/"(?:[^"]|"")*"|'(?:[^']|'')*'|[\p{L}\p{N}_]+/gu) ?? []).filter(word => !ours.test(word))
}

function difference(filter: Filter, sqlText: string, got: string, wanted: string): string {
  const line = [...got].findIndex((one, i) => one !== wanted[i])
  const row = JSON.stringify(rows[line], (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return `${filter.text}\n${print(filter.ast)}\n${sqlText}\nrow ${line}: SQL ${got[line]}, evaluator ${wanted[line]}\n${row}`
}

test(`${filterCount} random filters: SQL agrees with an evaluator of its own, and printing is stable`, async () => {
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 20231114))
  const seen = { T: 0, F: 0, '?': 0 }
  for (let done = 0; done < filterCount; done += batch) {
    const filters = Array.from({ length: batch }, () => parse(randomFilter(random, files), { columns, folder }))
    const compiled = filters.map(filter => compile(filter, context))
    const got = await answers(compiled)
    for (const [i, filter] of filters.entries()) {
      const where = duckdb.print(compiled[i]!.where)
      const wanted = rows.map(row => letter(evaluate(filter.ast, row, setting))).join('')
      assert.equal(got[i], wanted, got[i] === wanted ? '' : difference(filter, where.text, got[i]!, wanted))
      assert.deepEqual(foreignWords(where.text), [], filter.text)
      assert.equal(where.text.split('?').length - 1, where.values.length)
      assert.deepEqual(where.values, compiled[i]!.where.parameters)
      const printed = print(filter.ast)
      const again = parse(printed, { columns, folder })
      assert.equal(print(again.ast), printed, filter.text)
      assert.deepEqual(again.ast, filter.ast, filter.text)
      assert.match(explain(filter), /^(Flow records where .*|All flow records)\.$/su)
      for (const one of wanted) seen[one as 'T']++
    }
  }
  assert.ok(seen.T > 0 && seen.F > 0 && seen['?'] > 0)
})

test('WHERE takes what is true, and `unknown` is what cannot be told', async () => {
  const random = randomFrom(7)
  for (let i = 0; i < 100; i++) {
    const filter = parse(randomFilter(random, files), { columns, folder })
    const { where, unknown, sets } = compile(filter, context)
    await loadSets(db, sets)
    const count = async (condition: typeof where): Promise<number> => {
      const { text, values } = duckdb.print(condition)
      return Number((await db.rows(`SELECT count(*) AS n FROM flows WHERE ${text}`, values))[0]!['n'])
    }
    const truths = rows.map(row => evaluate(filter.ast, row, setting))
    assert.equal(await count(where), truths.filter(truth => truth === true).length, filter.text)
    assert.equal(await count(unknown), truths.filter(truth => truth === null).length, filter.text)
  }
})

test('every field of the table can be asked for, and the columns that no record has are named', () => {
  for (const { name, type } of flowFields) {
    const value = { address: '192.0.2.1', time: '2023-11-14', text: 'word', u8: '1', u16: '1', u64: '1' }[type]
    const asked = name === 'action' ? 'ACCEPT' : value
    const none = compile(parse(`${name} = ${asked}`), { columns: new Set() })
    assert.deepEqual(none.missing, [name])
    assert.equal(duckdb.print(none.where).text, 'NULL::BOOLEAN')
    const some = compile(parse(`${name} = ${asked}`), { columns: new Set([name]) })
    assert.deepEqual(some.missing, [])
    assert.deepEqual(some.where.columns, [name])
  }
})
