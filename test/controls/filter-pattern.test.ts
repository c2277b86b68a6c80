// Filter patterns of CloudWatch Logs: the examples of its user guide, and what it does not document.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  extract,
  fieldsOfEvent,
  PatternFault,
  parsePattern,
  patternLengthMax,
  writePattern,
} from '../../src/controls/filter-pattern.ts'

const matches = (pattern: string, event: string): boolean => extract(parsePattern(pattern), event) !== null

// Amazon CloudWatch Logs User Guide, "Match terms in space-delimited log events", and its older edition of 2020.
const web = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
const older = [
  '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
  '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324',
  '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /apache_pb.gif HTTP/1.0" 200 4355',
]
const lines = [
  'INFO 09/25/2014 12:00:00 GET /service/resource/67 1200',
  'INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310',
  'WARNING 09/25/2014 12:00:02 Invalid user request',
  'ERROR 09/25/2014 12:00:02 Failed to process request',
]

test('what stands in brackets or quotation marks is one field', () => {
  assert.deepEqual(fieldsOfEvent(web), [
    ...['127.0.0.1', 'Prod', 'frank', '10/Oct/2000:13:25:15 -0700', 'GET /index.html HTTP/1.0', '404', '1534'],
  ])
})

test('a pattern of seven fields gives their values by name and by place', () => {
  const found = extract(
    parsePattern('[ip, server, username, timestamp, request =*.html*, status_code = 4*, bytes]'),
    web,
  )!
  assert.deepEqual(Object.fromEntries([...found].filter(([name]) => /^\$[a-z]/.test(name))), {
    $ip: '127.0.0.1',
    $server: 'Prod',
    $username: 'frank',
    $timestamp: '10/Oct/2000:13:25:15 -0700',
    $request: 'GET /index.html HTTP/1.0',
    $status_code: '404',
    $bytes: '1534',
  })
  assert.equal(found.get('$7'), '1534')
})

for (const [pattern, event, expected] of [
  ['[..., request =*.html*, status_code = 4*, bytes]', web, true],
  ['[..., request=*.html*, status_code=4*,]', web, true],
  ['[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]', web, true],
  ['[ip, user, username, timestamp, request =*.html*, status_code = 403 || status_code = 410, bytes]', web, false],
  ['[ip, user, ..., status_code, bytes]', web, true],
  ['[ip, user, ...]', web, true],
  ['[ip, user, username, timestamp, request, status_code, bytes > 1000]', web, true],
  ['[ip, user, username, timestamp, request, status_code, bytes > 1534]', web, false],
  ['[ip, user, username, timestamp, request, status_code, bytes >= 1534]', web, true],
  ['[ip, user, username, timestamp, request, status_code, bytes <= 1534]', web, true],
  ['[ip, user, username, timestamp, request, status_code, bytes < 1534]', web, false],
  ['[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]', web, true],
  ['[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]', web, true],
  ['[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]', web, false],
  ['[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]', older[0]!, null],
  ['[]', web, true],
  ['[a, b, c, d, e, f, g, h]', web, false],
  ['[a, b, c, d, e, f, g, h, ...]', web, false],
] as const)
  test(`${pattern} ${expected === null ? 'is refused' : expected ? 'matches' : 'does not match'}`, () => {
    if (expected === null) assert.throws(() => parsePattern(pattern), PatternFault)
    else assert.equal(matches(pattern, event), expected)
  })

test('the older examples count what they say', () => {
  const of = (pattern: string): number => older.filter(line => matches(pattern, line)).length
  assert.equal(of('[ip, user, username, timestamp, request, status_code = 200, bytes]'), 2)
  assert.equal(of('[ip, user, username, timestamp, request, status_code, bytes > 1000]'), 3)
  assert.equal(of('[ip, user, username, timestamp, request, status_code = 4*, bytes]'), 0)
  assert.equal(of('[..., status_code = 500, bytes]'), 1)
})

test('terms in order: the last field takes the rest of the line', () => {
  const of = (pattern: string): string[] =>
    lines.filter(line => matches(pattern, line)).map(line => line.split(' ')[0]!)
  assert.deepEqual(of('[w1=ERROR, w2]'), ['ERROR'])
  assert.deepEqual(of('[w1=ERROR || w1=WARNING, w2]'), ['WARNING', 'ERROR'])
  assert.deepEqual(of('[w1!=ERROR && w1!=WARNING, w2]'), ['INFO', 'INFO'])
  assert.deepEqual(of('[w1!=ERROR&&w1!=WARNING, w2]'), ['INFO', 'INFO'])
  assert.deepEqual(of('[w1=ERROR, w2, w3, w4, w5, w6, w7, w8]'), [])
  assert.equal(extract(parsePattern('[w1, w2, rest]'), lines[2]!)!.get('$rest'), '12:00:02 Invalid user request')
})

test('the example of the guide to flow logs counts rejected attempts at SSH', () => {
  const pattern =
    '[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, windowstart, windowend, action="REJECT", flowlogstatus]'
  const record = (port: number, action: string): string =>
    `2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 ${port} 6 20 4249 1418530010 1418530070 ${action} OK`
  assert.equal(matches(pattern, record(22, 'REJECT')), true)
  assert.equal(matches(pattern, record(22, 'ACCEPT')), false)
  assert.equal(matches(pattern, record(2222, 'REJECT')), false)
  assert.equal(matches(pattern, '2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA'), false)
})

test('a value that is no number is unequal to every number, and neither more nor less', () => {
  assert.equal(matches('[a != 22, b]', '- x'), true)
  assert.equal(matches('[a = 22, b]', '- x'), false)
  for (const operator of ['<', '>', '<=', '>=']) assert.equal(matches(`[a ${operator} 22, b]`, '- x'), false)
  assert.equal(matches('[a = 22, b]', '22.0 x'), true)
  assert.equal(matches('[a = "22", b]', '22.0 x'), false)
})

test('an asterisk within a word, or in quotation marks, is one', () => {
  assert.equal(matches('[a = Ev*ent, b]', 'Event x'), false)
  assert.equal(matches('[a = Ev*ent, b]', 'Ev*ent x'), true)
  assert.equal(matches('[a = "10.*", b]', '10.1 x'), false)
  assert.equal(matches('[a = 10.*, b]', '10.1.2.3 x'), true)
  assert.equal(matches('[a = 10.*, b]', '110.1.2.3 x'), false)
  assert.equal(matches('[a = *, b]', 'anything x'), true)
})

for (const [pattern, why] of [
  ['version, account', /square brackets/],
  ['{ $.a = 1 }', /square brackets/],
  ['[a, ..., b, ..., c]', /more than one ellipsis/],
  ['[a, a]', /names a twice/],
  ['[a = 1 || b = 2, c]', /a condition of a is about b/],
  ['[a = %1+%]', /no comparison/],
  ['[a == 1]', /no comparison/],
  ['[a = ]', /no comparison/],
  ['[a = 1 && || a = 2]', /no comparison/],
  ['[a > ERROR]', /compares numbers/],
  ['[a > "5"]', /compares numbers/],
  ['[a = "x, b]', /quotation mark is not closed/],
  [`[${'a'.repeat(patternLengthMax)}]`, /1026 characters/],
] as const)
  test(`${pattern.slice(0, 40)} is refused`, () => {
    assert.throws(() => parsePattern(pattern), { message: why })
  })

test('a pattern that is too long has an ellipsis for the longest stretch that nothing is asked of', () => {
  const fields = [...Array.from({ length: 60 }, (_, i) => `a-rather-long-name-of-a-field-${i}`), 'action', 'bytes', 'z']
  const written = writePattern({ fields, conditions: new Map([['action', 'action = "ACCEPT"']]), wanted: ['bytes'] })!
  assert.equal(written, '[..., action = "ACCEPT", bytes, f63]')
  const event = [...Array.from({ length: 60 }, () => 'x'), 'ACCEPT', '42', 'z'].join(' ')
  assert.equal(extract(parsePattern(written), event)!.get('$bytes'), '42')
  const conditions = new Map([['action', `action != ${'x'.repeat(patternLengthMax)}`]])
  assert.equal(writePattern({ fields, conditions, wanted: [] }), null)
})
