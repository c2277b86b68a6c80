import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFailure } from '../../src/cli/failure.ts'
import { Interrupted } from '../../src/cli/interrupt.ts'
import { unreadPlaces } from '../../src/cli/unread.ts'
import { UserError } from '../../src/errors.ts'
import { FilterError } from '../../src/filter/error.ts'

const failed = (error: unknown) => describeFailure(error, 'tidemark --help')

test('what the user can mend is one line and a hint', () => {
  const { text, status } = failed(new UserError('no case: a\u001b[2J', { hint: 'make one', status: 2 }))
  assert.equal(text, 'tidemark: no case: a\\x1b[2J\n  hint: make one')
  assert.equal(status, 2)
})

test('a wrong filter is shown with the place', () => {
  const text = 'region = "\u001b[2J" and prt 80'
  const place = { source: { file: null, text, folder: '' }, offset: text.indexOf('prt'), length: 3 }
  const { text: shown, status } = failed(new FilterError('unknown field: prt', place, { suggestion: 'port' }))
  assert.equal(
    shown,
    [
      'tidemark: unknown field: prt',
      '  region = "\\x1b[2J" and prt 80',
      '                         ^^^',
      '  hint: did you mean port?',
    ].join('\n'),
  )
  assert.equal(status, 2)
})

test('a full disk is told in words', () => {
  const error = Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC', path: '/case/x' })
  const { text, status } = failed(error)
  assert.match(text, /^tidemark: no space left on the device: \/case\/x\n {2}hint: .*--case DIR/)
  assert.equal(status, 1)
  assert.match(failed(new Error('IO Error: No space left on device')).text, /no space left/)
})

test('a folder without permission is told in words', () => {
  const { text, status } = failed(Object.assign(new Error('x'), { code: 'EACCES', path: '/root/x' }))
  assert.match(text, /permission denied: \/root\/x/)
  assert.equal(status, 1)
})

test('a stop has the status that shells give it', () => {
  assert.deepEqual(failed(new Interrupted(130)), { text: 'tidemark: stopped', status: 130 })
})

test('anything else is a bug, with its stack, what ran and a request', () => {
  const { text, status } = failed(new TypeError('x is not a function\u001b', { cause: new Error('deep') }))
  assert.match(text, /bug in Tidemark/)
  assert.match(text, /tidemark \d+\.\d+\.\d+, DuckDB \d[\w.-]+, node \d+\.\d+\.\d+, \w+ \w+; command:/)
  assert.match(text, /TypeError: x is not a function\\x1b\n +at /)
  assert.match(text, /caused by: deep/)
  assert.match(text, /please report/)
  assert.equal(status, 70)
  assert.equal(failed('thrown text').status, 70)
})

test('an unreadable file is named even where no problem names it', () => {
  const counts = { lines: 0, header_lines: 0, records: 0, no_data: 0, skip_data: 0, malformed: 0 }
  const rest = { id: 1, kind: null, size: 1, sha256: null, first_start: null, last_end: null, layout: null }
  const file = {
    ...rest,
    ...counts,
    sensors: [],
    sensor_count: 0,
    expanded_bytes: 0,
    capture: null,
    nfcapd: null,
    flow_table: null,
    origin: null,
    form: null,
    archive: null,
    named: false,
  }
  const files = [
    { ...file, path: 'a', status: 'unreadable' as const, problem: 'cut short' },
    { ...file, path: 'b', status: 'duplicate' as const, problem: 'same as a' },
  ]
  const report = {
    case: 'c',
    files,
    totals: { files: 0, ...counts },
    problems: [],
    case_records: 0,
    case_metered_records: 0,
    history: [],
    folders_without_evidence: [],
    interrupted: false,
  }
  assert.deepEqual(unreadPlaces(report), { places: [{ path: 'a', problem: 'cut short' }], isPartial: true })
  const fine = { ...report, files: files.slice(1) }
  assert.equal(unreadPlaces(fine).isPartial, false)
})
