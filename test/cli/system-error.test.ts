import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { threadsThatFit } from '../../src/address-space.ts'
import { describeFailure } from '../../src/cli/failure.ts'
import { UserError } from '../../src/errors.ts'
import { howChildEnded, systemDetails, systemFailure } from '../../src/system-error.ts'

const bugs = new Set(['EBADF', 'EFAULT', 'EINVAL', 'ENOTTY', 'ESPIPE'])

function systemError(code: string): Error {
  const errno = -constants.errno[code as keyof typeof constants.errno]
  return Object.assign(new Error(`${code}: something, open '/x/y'`), { code, errno, syscall: 'open', path: '/x/y' })
}

test('whatever the system refuses is the machine\u2019s, unless only a wrong program is told so', () => {
  for (const code of Object.keys(constants.errno)) {
    const { status, text } = describeFailure(systemError(code), '')
    assert.equal(status, bugs.has(code) ? 70 : 1, code)
    if (!bugs.has(code)) assert.match(text, /^tidemark: [^\n]*\/x\/y[^\n]*\n {2}hint: [^\n]+$/, code)
  }
})

test('what the runtime lacks is the machine\u2019s', () => {
  const codes = ['ERR_WORKER_INIT_FAILED', 'ERR_WORKER_OUT_OF_MEMORY', 'ERR_DLOPEN_FAILED', 'ERR_MODULE_NOT_FOUND']
  for (const code of codes) assert.notEqual(systemFailure(Object.assign(new Error('x'), { code })), null, code)
  const texts = ['Array buffer allocation failed', 'WebAssembly.Memory(): could not allocate memory', 'std::bad_alloc']
  for (const text of texts) assert.equal(systemFailure(new RangeError(text))?.message, 'not enough memory', text)
})

test('DuckDB\u2019s text is told in the same words as a code', () => {
  const told: [text: string, message: string, place: string | null][] = [
    [
      'IO Error: Could not write file "/c/a.parquet": File too large',
      'the file becomes larger than is allowed',
      '/c/a.parquet',
    ],
    ['IO Error: Cannot open file "/c/a.parquet": Too many open files', 'too many open files', '/c/a.parquet'],
    ['IO Error: Could not read from file "/c/a": Input/output error', 'the device failed to read or write', '/c/a'],
    ['IO Error: Cannot open file "/c/a": No such file or directory', 'no such file or folder', '/c/a'],
    ['IO Error: Could not fsync: No space left on device', 'no space left on the device', null],
  ]
  for (const [text, message, place] of told) {
    const failure = systemFailure(new Error(text))
    assert.deepEqual([failure?.message, failure?.place], [message, place], text)
  }
  const memory = 'Out of Memory Error: failed to allocate data of size 16.0 MiB (511.9 MiB/512.0 MiB used)'
  assert.match(systemFailure(new Error(memory))?.message ?? '', /more memory than it may have: 512\.0 MiB$/)
})

test('an error that no machine causes stays a bug', () => {
  const errors = [
    new TypeError('x is not a function'),
    new Error('Binder Error: no such column "No space left on device"'),
    Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
  ]
  for (const error of errors) assert.equal(systemFailure(error), null)
})

test('a system error keeps its meaning from thread to thread', () => {
  const sent = systemDetails(systemError('EMFILE'))
  assert.deepEqual(systemFailure(Object.assign(new Error('x'), sent)), systemFailure(systemError('EMFILE')))
  assert.deepEqual(systemDetails('text'), {})
})

test('a child that ended without an answer is told of in words', () => {
  assert.equal(howChildEnded(null, 'SIGABRT', 'FATAL ERROR: JavaScript heap out of memory'), 'it ran out of memory')
  assert.match(howChildEnded(null, 'SIGKILL', ''), /memory runs out/)
  assert.equal(howChildEnded(null, 'SIGSEGV', ''), 'signal SIGSEGV')
  assert.equal(howChildEnded(1, null, 'first\nsecond'), 'first')
  assert.equal(howChildEnded(7, null, ''), 'status 7')
})

test('threads are started only as address space allows', () => {
  assert.equal(threadsThatFit(8, Number.POSITIVE_INFINITY), 8)
  assert.equal(threadsThatFit(8, 3 * 2 ** 30), 2)
  assert.throws(() => threadsThatFit(1, 2 * 2 ** 30), UserError)
})
