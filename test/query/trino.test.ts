import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../../src/errors.ts'
import { engineQuestion } from '../../src/flows/engine-question.ts'
import { column, compare, named, parameter, select, table } from '../../src/query/build.ts'
import { literalOf, textInDigits, textValue } from '../../src/query/trino-literal.ts'
import { athena, trino } from '../../src/query/trino-printer.ts'
import { Listening, plainNames, tableOfNames, wideNames } from '../engines/tables.ts'
import { randomFrom } from '../filter/flows.ts'
import { randomFilter } from '../filter/random-filter.ts'
import { type Work, workFolder } from '../flows/support.ts'
import { trinoFault } from '../sql-grammar.ts'
import { requests, writeCases } from './requests.ts'

let fault: (text: string) => string | null
let work: Work

before(async () => {
  fault = await trinoFault()
  work = workFolder()
  writeCases(work.root)
})
after(() => work.close())

const partitions = [
  { name: 'day', type: 'varchar', values: ['2023-11-14', '2023-11-15'] },
  { name: 'hour', type: 'varchar', values: ['22', '03'] },
]

/** Functions that Trino 418 has, and Athena: what a statement may call. */
const known = new Set(
  `array_sort bitwise_and bitwise_right_shift bool_and bool_or cast ceiling decimal coalesce concat count dense_rank from_big_endian_64 from_utf8
  greatest histogram if least length map_entries max min nullif reduce row row_number sequence starts_with strpos substr sum to_big_endian_64
  try_cast unnest`.split(/\s+/),
)

function functionsOf(text: string): string[] {
  const bare = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '')
  const words = [...bare.matchAll(/\b([a-z_][a-z0-9_]*)\(/gi)].map(([, word]) => word!.toLowerCase())
  return words.filter(word => !known.has(word))
}

test('every statement for Trino and Athena, of all shapes of requests and many filters, is one to a grammar of the engine', async () => {
  const tables = [
    tableOfNames(wideNames),
    tableOfNames(plainNames, { allText: true, partitions }),
    tableOfNames(['srcaddr', 'dstaddr', 'protocol', 'bytes', 'log_status']),
  ]
  const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 16))
  const files = { addresses: ['hosts.txt'], ports: ['ports.txt'], texts: ['texts.txt'], services: ['services.txt'] }
  const shapes = [
    ...new Set(requests().map(({ request: { filter: _, evidence: __, ...shape } }) => JSON.stringify(shape))),
  ]
  let judged = 0
  const refused = new Map<string, number>()
  for (let i = 0; i < Number(process.env['TIDEMARK_STATEMENTS'] ?? 90); i++) {
    const shape = JSON.parse(shapes[(i >> 1) % shapes.length]!)
    const window = 'between 2023-11-14T22:00 and 2023-11-14T23:00'
    const filter = shape.compare !== undefined || i % 7 === 0 ? window : randomFilter(random, files, 2)
    const dialect = i % 2 === 0 ? trino : athena
    const engine = new Listening(tables[i % tables.length]!, dialect)
    try {
      const question = await engineQuestion(engine, { ...shape, filter }, { folder: work.root })
      await question.estimate()
      await question.ask()
    } catch (error) {
      if (!(error instanceof UserError)) throw new Error(`${JSON.stringify({ ...shape, filter })}`, { cause: error })
      refused.set(error.message, (refused.get(error.message) ?? 0) + 1)
      continue
    }
    for (const { text, values } of engine.asked) {
      assert.equal(fault(text), null, `${fault(text)}\n${text}`)
      assert.deepEqual(functionsOf(text), [], text)
      assert.equal(text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '').split('?').length - 1, values.length, text)
      assert.ok(values.every(value => typeof value === 'string'))
      judged++
    }
    // Each statement names its table once: it is read once.
    for (const statement of question(engine))
      assert.equal(statement.split('"hive"."logs"."flows"').length, 2, statement)
  }
  assert.ok(judged > 90, `${judged} ${JSON.stringify([...refused])}`)
})

function question({ asked }: Listening): string[] {
  return asked.map(({ text }) => text)
}

test('what is sent to Trino is one statement to its grammar, whatever text is bound', () => {
  const engine = new Listening(tableOfNames(wideNames))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      const query = select([named(column('a'), 'a')], {
        from: table('t'),
        where: compare('=', column('a'), parameter(text)),
      })
      const printed = trino.print(query)
      assert.deepEqual(printed, { text: 'SELECT "a" AS "a" FROM "t" WHERE "a" = ?', values: [text] })
      let sent: string
      try {
        sent = engine.sent(printed)
      } catch (error) {
        assert.ok(error instanceof UserError)
        return
      }
      const inner = printed.text
      assert.equal(sent, `EXECUTE IMMEDIATE '${inner}' USING '${text.replaceAll("'", "''")}'`)
      assert.equal(fault(sent), null)
    }),
    { numRuns: 300 },
  )
})

test('a text in quotes ends where it ends, and one in digits is its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const digits = /^from_utf8\(X'((?:[0-9a-f]{2})*)'\)$/.exec(textInDigits(text))
      assert.equal(Buffer.from(digits![1]!, 'hex').toString('utf8'), Buffer.from(text, 'utf8').toString('utf8'))
      let quoted: string
      try {
        quoted = textValue(text)
      } catch (error) {
        assert.ok(error instanceof UserError)
        assert.match(
          text,
          /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u,
        )
        return
      }
      assert.match(quoted, /^'(?:[^']|'')*'$/)
      assert.equal(quoted.slice(1, -1).replaceAll("''", "'"), text)
    }),
  )
})

test('literals of parsed values are digits, truths and addresses, and mean the value', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n }), value => {
      const text = literalOf(value)!
      const [, digits] = /^(?:DECIMAL ')?(-?\d+)'?$/.exec(text)!
      assert.equal(BigInt(digits!), value)
      assert.equal(text.startsWith('DECIMAL'), value >= 2n ** 63n || value <= -(2n ** 63n))
    }),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (hi, lo) => {
      assert.match(literalOf({ hi, lo })!, /^IPADDRESS '[0-9a-f.:]+'$/)
    }),
  )
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), value => {
      assert.equal(Number(literalOf(value)), value)
    }),
  )
  assert.equal(literalOf("'; DROP TABLE flows; --"), null)
  assert.equal(literalOf(true), 'true')
  assert.equal(literalOf(null), 'NULL')
})

test('Athena binds text in conditions alone', () => {
  const test = compare('=', column('a'), parameter("o'hara"))
  const query = select([named(test, 'x')], { from: table('t'), where: test })
  assert.deepEqual(athena.print(query), {
    text: `SELECT "a" = from_utf8(X'6f2768617261') AS "x" FROM "t" WHERE "a" = ?`,
    values: ["o'hara"],
  })
  assert.deepEqual(trino.print(query).values, ["o'hara", "o'hara"])
})
