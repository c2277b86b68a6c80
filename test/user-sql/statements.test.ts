import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completeSql } from '../../src/user-sql/complete.ts'
import { functionsText, schemaText, tablesText } from '../../src/user-sql/help.ts'
import { views } from '../../src/user-sql/schema.ts'
import { isBlank, piecesOf, splitStatements } from '../../src/user-sql/statements.ts'

const columns = Object.fromEntries(views.map(view => [view.name, view.columns.map(column => column.name)]))

test('statements end at a semicolon that is one', () => {
  const cases: [text: string, statements: string[], rest: string][] = [
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2'], ''],
    ['SELECT 1', [], 'SELECT 1'],
    ["SELECT ';'; x", ["SELECT ';'"], ' x'],
    ["SELECT 'it''s ;'; x", ["SELECT 'it''s ;'"], ' x'],
    ["SELECT e'\\';'; x", ["SELECT e'\\';'"], ' x'],
    ['SELECT ";" ; x', ['SELECT ";"'], ' x'],
    ['SELECT 1 -- ; no\n; x', ['SELECT 1 -- ; no'], ' x'],
    ['SELECT /* ; /* ; */ ; */ 1; x', ['SELECT /* ; /* ; */ ; */ 1'], ' x'],
    ['SELECT $$ ; $$, $a$ $$; $a$; x', ['SELECT $$ ; $$, $a$ $$; $a$'], ' x'],
    [';;', [], ''],
    ["SELECT 'open;", [], "SELECT 'open;"],
    ['SELECT 1; /* open;', ['SELECT 1'], ' /* open;'],
  ]
  for (const [text, statements, rest] of cases) assert.deepEqual(splitStatements(text), { statements, rest }, text)
})

test('no character is lost', () => {
  for (const text of ["a 'b", '$$', '$1 $x', '"', '-', '/', "e'", '😀 ä ß', '/*/', '1.5e3.x', '\0']) {
    assert.equal(
      piecesOf(text)
        .map(piece => piece.text)
        .join(''),
      text,
    )
  }
})

test('comments alone are no statement', () => {
  assert.ok(isBlank(' -- x\n /* y */ '))
  assert.ok(!isBlank('/* y'))
  assert.ok(!isBlank('1'))
})

test('completes views after FROM, columns of the view that is named, functions and words', () => {
  const first = (text: string) => completeSql(text, columns)[0].slice(0, 2)
  assert.deepEqual(first('SELECT * FROM fl'), ['flows'])
  assert.deepEqual(first('SELECT * FROM flows JOIN conn'), ['connections'])
  assert.deepEqual(first('SELECT * FROM flows, ev'), ['evidence'])
  assert.deepEqual(first('FROM connections SELECT orig_por'), ['orig_port'])
  assert.deepEqual(first('FROM flows SELECT en'), ['"end"', 'encryption_status'])
  assert.deepEqual(first('FROM flows f SELECT f.srcp'), ['srcport'])
  assert.deepEqual(first('FROM flows WHERE in_n'), ['in_net('])
  assert.deepEqual(first('FROM flows WHER'), ['WHERE'])
  assert.deepEqual(first('FROM flows wher'), ['where'])
  assert.deepEqual(first('.sc'), ['.schema'])
  assert.deepEqual(first('.schema cov'), ['coverage'])
  assert.deepEqual(first("SELECT 'fl"), [])
  assert.deepEqual(completeSql('SELECT\n* FROM fl', columns)[1], 'fl')
})

test('the prompt tells every view, column and function', () => {
  for (const view of views) {
    assert.match(tablesText(), new RegExp(`^ {2}${view.name} `, 'm'))
    for (const column of view.columns)
      assert.match(schemaText(view.name) ?? '', new RegExp(`^ {2}${column.name} `, 'm'))
  }
  assert.match(schemaText('flows', ['strange_field']) ?? '', /strange_field/)
  assert.equal(schemaText('nothing'), null)
  assert.match(functionsText(), /in_net\(address, network\)/)
})
