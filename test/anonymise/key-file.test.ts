import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readKeyFile } from '../../src/anonymise/key-file.ts'
import { UserError } from '../../src/errors.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { captures } from '../convert/support.ts'

const digits = '0123456789abcdef'.repeat(4)

test('a key is 32 bytes, 64 hexadecimal digits, or the 32 characters that nfanon takes', t => {
  const path = join(temporaryFolder(t), 'key')
  const read = (content: string | Uint8Array): string => {
    writeFileSync(path, content)
    return readKeyFile(path).toString('hex')
  }
  const raw = Uint8Array.from({ length: 32 }, (_, i) => (i * 37) & 255)
  assert.equal(read(raw), Buffer.from(raw).toString('hex'))
  for (const text of [digits, `${digits}\n`, `0x${digits}\r\n`, digits.toUpperCase(), `  0X${digits.toUpperCase()} \n`])
    assert.equal(read(text), digits, text)
  const words = '32-char-str-for-AES-key-and-pad.'
  for (const text of [words, `${words}\n`]) assert.equal(read(text), Buffer.from(words).toString('hex'))
})

test('what is no key is refused, with what is there and without showing it', t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'key')
  for (const content of [
    '',
    'x',
    'secret-of-sixteen',
    digits.slice(1),
    `${digits}0`,
    `${digits.slice(0, 63)}g`,
    Uint8Array.from({ length: 31 }, (_, i) => i),
    Uint8Array.from({ length: 33 }, (_, i) => i),
    new Uint8Array(32),
    '0'.repeat(64),
    'secret'.repeat(1000),
  ]) {
    writeFileSync(path, content)
    assert.throws(
      () => readKeyFile(path),
      (error: unknown) => {
        assert.ok(error instanceof UserError)
        assert.equal(error.status, 2)
        assert.match(error.message, /^--anonymise .*key: no key/)
        assert.match(error.hint ?? '', /head -c 32 \/dev\/urandom/)
        assert.ok(!/secret|234567/.test(error.message + error.hint), error.message)
        return true
      },
    )
  }
  assert.throws(() => readKeyFile(join(folder, 'none')), /none: no such file/)
  mkdirSync(join(folder, 'sub'))
  assert.throws(() => readKeyFile(join(folder, 'sub')), /sub: a folder, not a regular file/)
})

test('the command says where others may read the key, and never writes over it', t => {
  const { folder, plain } = captures(t)
  const key = join(folder, 'flows.key')
  writeFileSync(key, `${digits}\n`)
  chmodSync(key, 0o644)
  const convert = (...args: string[]) => tidemark(['convert', plain, ...args, '--anonymise', key])
  const open = convert('-o', '-', '--to', 'csv')
  assert.equal(open.status, 0)
  assert.match(open.stderr, /warning: others may read .*flows\.key.*chmod 600/)
  chmodSync(key, 0o600)
  const closed = convert('-o', '-', '--to', 'csv')
  assert.equal(closed.stdout, open.stdout)
  assert.ok(!closed.stderr.includes('warning'), closed.stderr)
  const over = convert('-o', key, '--to', 'csv', '--force')
  assert.equal(over.status, 2)
  assert.match(over.stderr, /flows\.key/)
  assert.equal(readKeyFile(key).toString('hex'), digits)
  const missing = tidemark(['convert', plain, '-o', '-', '--to', 'csv', '--anonymise', join(folder, 'no.key')])
  assert.deepEqual([missing.status, missing.stdout], [2, ''])
  assert.match(missing.stderr, /no such file/)
  const all = [open, closed, over, missing].map(run => run.stdout + run.stderr).join('')
  assert.ok(!all.includes(digits.slice(0, 16)))
})
