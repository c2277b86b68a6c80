import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { captureOf, talk } from '../handmade.ts'
import { cliEntry } from '../repo.ts'
import { captures, converted, made, start } from './support.ts'

const formats = ['nfcapd', 'parquet', 'csv', 'ndjson', 'conn-log', 'vpc'] as const

test('the name of the output says the format, --to overrules it', async t => {
  const { folder, plain } = captures(t)
  const named = {
    'a.nf': 'nfcapd',
    'nfcapd.2023': 'nfcapd',
    'a.parquet': 'parquet',
    'a.CSV': 'csv',
    'a.jsonl': 'ndjson',
    'conn.log': 'conn-log',
    'conn.a.log': 'conn-log',
    'my-vpc.log': 'vpc',
    'flowlogs-1.log': 'vpc',
  }
  for (const [name, format] of Object.entries(named)) {
    assert.equal((await converted([plain], join(folder, name))).format, format, name)
  }
  assert.equal((await converted([plain], join(folder, 'conn.log'), { to: 'csv' })).format, 'csv')
  assert.equal((await converted([plain], `${folder}/new/flows/`)).format, 'nfcapd')
  assert.ok(existsSync(join(folder, 'new', 'flows')))
})

test('where no file is a capture nothing is written, and what was there stays', async t => {
  const { folder, plain } = captures(t)
  const other = join(folder, 'other.txt')
  writeFileSync(other, 'no capture at all')
  for (const format of formats) {
    const target = join(folder, `kept-${format}`)
    writeFileSync(target, 'kept')
    const report = await converted([other], target, { to: format })
    assert.deepEqual([report.written, report.rows, readFileSync(target, 'utf8')], [false, 0, 'kept'], format)
    assert.equal((await converted([other, plain], target, { to: format })).written, true)
  }
  const { status, stdout, stderr } = tidemark(['convert', other, '-o', '-', '--to', 'csv'])
  assert.deepEqual([status, stdout], [3, ''])
  assert.match(stderr, /nothing was written/)
})

test('what is interrupted leaves no file, in no format', async t => {
  const { folder, plain } = captures(t)
  const second = join(folder, 'second.pcap')
  writeFileSync(second, readFileSync(plain))
  for (const format of formats) {
    const target = join(folder, format)
    mkdirSync(target)
    for (const out of [join(target, 'out'), ...(format === 'nfcapd' ? [`${target}/flows/`] : [])]) {
      const controller = new AbortController()
      const onProgress = (done: number): void => {
        if (done > 24) controller.abort(new Error('enough'))
      }
      const { signal } = controller
      const options = { to: format, signal, onProgress, ...(out.endsWith('/') && { rotate: 1 }) }
      await assert.rejects(converted([plain, second], out, options), /enough/)
      const left = readdirSync(target, { recursive: true }).filter(name => name !== 'flows')
      assert.deepEqual(left, [], format)
    }
  }
})

test('an older file stays until the new one is complete', async t => {
  const { folder, plain } = captures(t)
  for (const format of formats) {
    const out = join(folder, `out.${format}`)
    writeFileSync(out, 'older')
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await assert.rejects(converted([plain], out, { to: format, signal: controller.signal }))
    assert.equal(readFileSync(out, 'utf8'), 'older', format)
    await converted([plain], out, { to: format })
    assert.notEqual(readFileSync(out).length, 5, format)
  }
})

test('standard output has the records alone, standard error the account', t => {
  const { plain, odd } = captures(t)
  for (const to of ['csv', 'ndjson', 'conn-log', 'vpc']) {
    const run = tidemark(['convert', plain, odd, '-o', '-', '--to', to])
    assert.equal(run.status, 0, run.stderr)
    assert.match(
      run.stderr,
      /^\d+ packets of 2 files, 1 of them not IP or not decodable: \d+ (connections|flow records)$/m,
    )
    assert.doesNotMatch(run.stdout, /packets of/)
    assert.ok(run.stdout.split('\n').length > 10)
  }
})

test('a reader that goes away ends it in silence', t => {
  const { folder } = captures(t)
  const many = join(folder, 'many.pcap')
  const packets = Array.from({ length: 4000 }, (_, i) =>
    talk({ at: start + i, client: `192.0.2.1 ${i + 2000}`, server: '198.51.100.2 80', request: 1, answer: 1 }),
  )
  writeFileSync(many, captureOf(packets.flat()))
  const command = `"${process.execPath}" "${cliEntry}" convert "${many}" -o - --to ndjson | head -1; echo "\${PIPESTATUS[0]}"`
  const run = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
  const [row, status] = run.stdout.trim().split('\n')
  assert.equal(JSON.parse(row!).protocol, 6)
  assert.equal(status, '0')
  assert.equal(run.stderr, '')
})

test('Ctrl-C in the middle: status 130, one line, no file', { skip: process.platform === 'win32' }, async t => {
  const { folder } = captures(t)
  const fifo = join(folder, 'slow.pcap')
  // A file large enough to be still at work when the signal comes.
  const bytes = captureOf(made())
  writeFileSync(fifo, Buffer.concat([bytes, ...Array.from({ length: 20_000 }, () => bytes.subarray(24))]))
  const child = spawn(process.execPath, [cliEntry, 'convert', fifo, '-o', join(folder, 'out.csv')])
  let said = ''
  child.stderr.on('data', piece => {
    said += String(piece)
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  while (!readdirSync(folder).some(name => name.endsWith('.part'))) await new Promise(resolve => setTimeout(resolve, 5))
  child.kill('SIGINT')
  assert.equal(await ended, 130)
  assert.equal(said, 'tidemark: stopped\n')
  assert.deepEqual(readdirSync(folder).sort(), ['odd.pcapng', 'plain.pcap', 'slow.pcap'])
})

test('--json tells of every capture what became of its packets', t => {
  const { folder, plain, odd } = captures(t)
  const run = tidemark(['convert', plain, odd, '-o', join(folder, 'a.csv'), '--json'])
  const report = JSON.parse(run.stdout)
  assert.deepEqual([report.format, report.packets, report.decoded], ['csv', made().length + 10, made().length + 9])
  assert.deepEqual(report.files.map((file: { kind: string; status: string }) => `${file.kind} ${file.status}`).sort(), [
    'pcap read',
    'pcapng read',
  ])
  assert.deepEqual(report.files.find((file: { kind: string }) => file.kind === 'pcapng').undecoded, [
    { name: 'ARP', packets: 1 },
  ])
})

test('damage is named, what came before it is converted, and the status is 3', t => {
  const { folder, plain } = captures(t)
  const bytes = readFileSync(plain)
  const gz = gzipSync(bytes)
  const inputs = {
    'cut.pcap': bytes.subarray(0, bytes.length - 5),
    'cut.gz': gz.subarray(0, gz.length - 200),
    'none.pcap': Buffer.from('no capture at all'),
  }
  for (const [name, content] of Object.entries(inputs)) {
    writeFileSync(join(folder, name), content)
    const run = tidemark(['convert', join(folder, name), '-o', join(folder, 'a.csv'), '--force'])
    assert.equal(run.status, 3, name)
    assert.match(run.stderr, new RegExp(`^tidemark: .*${name}: byte \\d+: `, 'm'))
  }
})

test('a folder is converted for its captures: what else is in there is named, and no failure', t => {
  const { folder } = captures(t)
  writeFileSync(join(folder, 'readme.txt'), 'captures of the incident')
  writeFileSync(join(folder, 'empty'), '')
  const out = join(temporaryFolder(t), 'a.csv')
  const run = tidemark(['convert', folder, '-o', out])
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stderr, /^tidemark: .*readme\.txt: not evidence: byte 0: no capture/m)
  assert.match(run.stderr, /^tidemark: .*empty: not evidence: byte 0: the file is empty/m)
  // Who names a file means that it is a capture.
  const named = tidemark(['convert', folder, join(folder, 'readme.txt'), '-o', out, '--force'])
  assert.equal(named.status, 3, named.stderr)
  writeFileSync(join(folder, 'cut.pcap'), readFileSync(join(folder, 'plain.pcap')).subarray(0, 20))
  assert.equal(tidemark(['convert', folder, '-o', out, '--force']).status, 3)
  // Nothing to convert at all: the output that was asked for is not there.
  const none = temporaryFolder(t)
  writeFileSync(join(none, 'readme.txt'), 'nothing yet')
  assert.equal(tidemark(['convert', none, '-o', join(none, 'a.csv')]).status, 1)
})

test('a pipe in a folder is never opened', t => {
  const { folder } = captures(t)
  if (spawnSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe')]).status !== 0) return t.skip('no mkfifo')
  const run = tidemark(['convert', folder, '-o', join(temporaryFolder(t), 'a.csv')])
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stderr, /pipe: not evidence: a named pipe \(FIFO\), not a regular file/)
})

test('usage errors say what to do', t => {
  const { folder, plain } = captures(t)
  const rows: [args: string[], says: RegExp, hint: RegExp][] = [
    [['convert', plain], /required option '-o, --out <path>'/, /tidemark convert --help/],
    [['convert', '-o', 'x.csv'], /missing required argument 'capture'/, /tidemark convert --help/],
    [['convert', 'nowhere', '-o', 'x.csv'], /no such file or folder: nowhere/, /check the spelling/],
    [
      ['convert', plain, '-o', 'x.csv', '--to', 'parqet'],
      /'parqet' is invalid.*nfcapd, parquet, csv/,
      /tidemark convert --help/,
    ],
    [['convert', plain, '-o', 'x.csv', '--too', 'csv'], /unknown option '--too'/, /did you mean --to\?/],
    [
      ['convert', plain, '-o', 'flows.out'],
      /cannot tell the format.*flows\.out/,
      /--to nfcapd\|parquet\|csv\|ndjson\|conn-log\|vpc/,
    ],
    [['convert', plain, '-o', '-'], /cannot tell the format.*-/, /--to/],
    [
      ['convert', plain, '-o', '-', '--to', 'nfcapd'],
      /nfcapd cannot be written to standard output/,
      /name a file with -o/,
    ],
    [['convert', plain, '-o', '-', '--to', 'parquet'], /parquet cannot be written to standard output/, /name a file/],
    [['convert', plain, '-o', 'x.nf', '--rotate', '60'], /--rotate needs a folder: x\.nf/, /-o x\.nf\/ makes one/],
    [['convert', plain, '-o', folder, '--to', 'csv'], /a folder where a file is expected/, /name a file with -o/],
    [['convert', plain, '-o', 'x.csv', '--interval', '60'], /--interval does nothing for csv/, /option of vpc/],
    [['convert', plain, '-o', 'x.csv', '--compress', 'lz4'], /--compress does nothing for csv/, /option of nfcapd/],
    [
      ['convert', plain, '-o', 'conn.log', '--active', '60'],
      /--active does nothing for conn-log/,
      /option of nfcapd, parquet/,
    ],
    [['convert', plain, '-o', 'x.log', '--to', 'vpc', '--interval', '61'], /Allowed choices are 60, 600/, /--help/],
    [['convert', plain, '-o', 'x.nf', '--compress', 'zip'], /Allowed choices are none, lz4, zstd/, /--help/],
    [['convert', plain, '-o', 'x.log', '--to', 'vpc', '--interface', '10.0.0'], /Expected an address/, /--help/],
    [['convert', plain, '-o', 'x.csv', '--active', '0'], /Expected a whole number from 1/, /--help/],
    [
      ['convert', plain, '-o', 'x.log', '--to', 'vpc', '--fields', 'version, srcadr dstaddr bytes'],
      /not a field of flow logs: srcadr/,
      /fields\.md/,
    ],
  ]
  for (const [args, says, hint] of rows) {
    const run = tidemark(args, { cwd: folder })
    assert.equal(run.status, 2, `${args.join(' ')}: ${run.stderr}`)
    assert.match(run.stderr, says)
    assert.match(run.stderr, hint)
    assert.equal(run.stdout, '')
  }
  assert.deepEqual(readdirSync(folder).sort(), ['odd.pcapng', 'plain.pcap'])
})

test('an output that cannot be written is named', t => {
  const { folder, plain } = captures(t)
  writeFileSync(join(folder, 'file'), '')
  for (const to of formats) {
    const run = tidemark(['convert', plain, '-o', join(folder, 'file', 'x'), '--to', to])
    assert.equal(run.status, 1, run.stderr)
    assert.match(
      run.stderr,
      /cannot write .*file\/x: a file where a folder is expected: .*file\n {2}hint: name another place with -o/,
    )
  }
})
