import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIndicator } from '../../src/net/indicator.ts'

const named: [text: string, address: string | null][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['192[.]0[.]2[.]1', '192.0.2.1'],
  ['192.0.2[.]1', '192.0.2.1'],
  ['192(.)0(.)2(.)1', '192.0.2.1'],
  ['192[dot]0[dot]2[dot]1', '192.0.2.1'],
  ['192\\.0\\.2\\.1', '192.0.2.1'],
  ['192.0.2.1:443', '192.0.2.1'],
  ['hxxp://192.0.2.1/x', '192.0.2.1'],
  ['hxxps[:]//192[.]0[.]2[.]1:8080/24?a=b', '192.0.2.1'],
  ['http://user:word@192.0.2.1/', '192.0.2.1'],
  ['https://[2001:db8::1]:443/', '2001:db8::1'],
  ['192.0.2.7/24', '192.0.2.0/24'],
  ['192[.]0[.]2[.]0/24', '192.0.2.0/24'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001[:]db8[:][:]1', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['evil.example.com', null],
  ['hxxp://evil.example.com/192.0.2.1', null],
  ['999.1.1.1', null],
  ['192.0.2.1/33', null],
  ['192.0.2', null],
  ['', null],
  ['d41d8cd98f00b204e9800998ecf8427e', null],
]

test('an indicator is the address or network that it names, however it is written', () => {
  for (const [text, address] of named) assert.equal(parseIndicator(text)?.text ?? null, address, text)
})
