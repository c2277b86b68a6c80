import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { functionGroups, tableFunctionNames } from '../../src/user-sql/allowed.ts'
import { ownFunctions } from '../../src/user-sql/functions.ts'
import { views } from '../../src/user-sql/schema.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { repoRoot } from '../repo.ts'
import { ask, caseFolder } from './support.ts'

const path = join(repoRoot, 'docs', 'reference', 'sql.md')

/** A table as the formatter writes it. */
function table(header: string[], rows: string[][]): string {
  const escaped = rows.map(row => row.map(cell => cell.replaceAll('|', '\\|')))
  const widths = header.map((title, i) => Math.max(title.length, ...escaped.map(row => row[i]!.length)))
  const rule = widths.map(width => '-'.repeat(width))
  const padded = [header, rule, ...escaped].map(cells => cells.map((cell, i) => cell.padEnd(widths[i]!)))
  return padded.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function generated(): string {
  const functions = table(
    ['function', 'gives', 'meaning', 'example'],
    ownFunctions.map(({ call, returns, doc, example }) => [`\`${call}\``, returns, doc, `\`${example}\``]),
  )
  const tables = views.map(
    view =>
      `## ${view.name}\n\n${view.doc}\n\n${table(
        ['column', 'type', 'meaning'],
        view.columns.map(({ name, type, doc }) => [`\`${name}\``, type, doc]),
      )}`,
  )
  const groups = Object.entries(functionGroups).map(
    ([title, names]) => `**${title}**: ${names.map(name => (name.includes('`') ? name : `\`${name}\``)).join(' ')}`,
  )
  const called = [...groups, `**In FROM**: ${[...tableFunctionNames].map(name => `\`${name}\``).join(' ')}`].join(
    '\n\n',
  )
  return `## Functions of Tidemark\n\n${functions}\n\n${tables.join('\n\n')}\n\n## Functions of DuckDB\n\nThat a query may call; [what they do](https://duckdb.org/docs/stable/sql/functions/overview).\n\n${called}\n`
}

const mark = '<!-- Below here the page is generated from src/sql (node scripts/test.mjs sql/docs -u). -->\n\n'

test('the page of SQL tells every view, column and function', () => {
  const page = readFileSync(path, 'utf8')
  const written = page.slice(0, page.indexOf(mark) + mark.length)
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, written + generated())
  assert.equal(readFileSync(path, 'utf8'), written + generated(), 'node scripts/test.mjs sql/docs -u writes it again')
})

const { caseDir } = await caseFolder()
const session = new QuerySession(caseDir)
after(() => session.close())

test('every query in the page runs', async () => {
  const blocks = [...readFileSync(path, 'utf8').matchAll(/^```sql\n(.*?)^```/gms)].map(([, block]) => block!)
  const queries = blocks.flatMap(block => block.split(';').filter(query => query.trim() !== ''))
  assert.ok(queries.length >= 5)
  for (const query of queries) await assert.doesNotReject(ask(session, query), query)
})

test('every example of a function runs', async () => {
  for (const { example } of ownFunctions) {
    const query = example.startsWith('GROUP BY') ? `SELECT 1 FROM flows ${example}` : `SELECT ${example} FROM flows`
    await assert.doesNotReject(ask(session, query), query)
  }
})

test('every view has its documented columns, of their types', async () => {
  for (const view of views) {
    const { columns } = await ask(session, `FROM ${view.name} LIMIT 0`)
    const found = columns.slice(0, view.columns.length).map(({ name, type }) => ({ name, type }))
    // DuckDB keeps JSON as text and says so of a result.
    const told = view.columns.map(({ name, type }) => ({ name, type: type === 'JSON' ? 'VARCHAR' : type }))
    assert.deepEqual(found, told, view.name)
  }
})
