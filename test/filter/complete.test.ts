import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CompletionContext, complete } from '../../src/filter/complete.ts'
import { flowFields } from '../../src/records/fields.ts'

const context: CompletionContext = {
  columns: new Set([...flowFields.map(field => field.name), 'custom_field', '_file']),
  values: (column, begin) => [`${column}-value`, 'us-east-1', 'two words'].filter(value => value.startsWith(begin)),
  span: { first_us: 1_700_000_000_000_000n, last_us: 1_700_003_600_000_000n },
}

/** The texts offered at `|`, or at the end. */
function offered(text: string): string[] {
  const cursor = text.includes('|') ? text.indexOf('|') : text.length
  return complete(text.replace('|', ''), cursor, context).items.map(item => item.text)
}

const includes = (text: string, ...words: string[]): void => {
  const items = offered(text)
  for (const word of words) assert.ok(items.includes(word), `"${text}" offers no ${word}: ${items.join(' ')}`)
}

const lacks = (text: string, ...words: string[]): void => {
  const items = offered(text)
  for (const word of words) assert.ok(!items.includes(word), `"${text}" offers ${word}`)
}

test('offers things, fields and words where a test can begin', () => {
  for (const text of ['', 'port 80 and ', 'not ', '(', 'port 80 or (']) {
    includes(
      text,
      'src',
      'ip',
      'port',
      'bytes',
      'tcp_flags',
      'custom_field',
      'first',
      'between',
      'not',
      '(',
      'internal',
    )
    lacks(text, 'and', 'or', '=', '_file')
  }
})

test('offers only what has the ends that were named', () => {
  includes('src ', 'ip', 'port', 'internal', 'or', 'and')
  lacks('src ', 'proto', 'bytes', 'tcp_flags')
  assert.deepEqual(offered('router '), ['ip'])
  includes('src or dst ', 'port')
})

test('offers roles and services', () => {
  includes('role ', 'client', 'server')
  includes('service ss', 'ssh')
  includes('service 3c', '3Com-nsd')
  includes('service in [ssh dom', 'domain')
  assert.deepEqual(offered('service ').includes('ssh'), false)
  const ofCase: CompletionContext = { columns: new Set(['_service']), values: () => ['ssh'] }
  const items = complete('service ', 8, ofCase).items.map(item => item.text)
  assert.ok(items.includes('ssh') && !items.includes('domain'), items.join(' '))
})

test('offers comparators and values of the thing', () => {
  includes('proto ', 'tcp', 'udp', '=', 'in')
  assert.deepEqual(
    offered('action '),
    ['=', '!=', 'ACCEPT', 'REJECT', 'not', 'in', 'is', 'and', 'or'].filter(word => offered('action ').includes(word)),
  )
  includes('action = ', 'ACCEPT', 'REJECT')
  lacks('action = ', '<', 'tcp')
  includes('port ', '<', '>=', 'in', 'not', 'srcport-value')
  includes('region ', 'contains', 'begins', 'us-east-1')
  lacks('port ', 'contains', 'any')
  includes('flags ', 'any', 'none', 'S')
  includes('first seen > ', '2023-11-14T22:13:20Z')
  includes('between ', '2023-11-14T22:13:20Z')
  includes('port in [', 'dstport-value', ']')
})

test('goes on with the word at the cursor', () => {
  assert.deepEqual(offered('pro'), ['proto', 'protocol'])
  const { from, to, items } = complete('src ip 10.0.0.1 and po and inet', 22, context)
  assert.deepEqual([from, to, items.map(item => item.text)], [20, 22, ['port']])
  includes('proto t', 'tcp')
  lacks('proto t', 'udp')
  assert.deepEqual(offered('between 2023-01-01 a'), ['and'])
  assert.deepEqual(offered('internal '), ['and', 'or'])
  includes('(port 80 ', 'and', 'or', ')')
  assert.deepEqual(offered('last 2h '), ['of'])
})

test('puts values that are not one word within quotes', () => {
  includes('region = ', '"two words"')
  includes('region = "two', '"two words"')
})

test('offers nothing where the text before is no filter', () => {
  assert.deepEqual(offered('port 80 ) '), [])
  assert.deepEqual(offered('port ; '), [])
})
