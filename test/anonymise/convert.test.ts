import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CryptoPan } from '../../src/anonymise/crypto-pan.ts'
import type { ConvertOptions } from '../../src/convert/convert.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import { captures, converted } from '../convert/support.ts'
import { readAll } from '../nfcapd/support.ts'
import { skipWithout } from '../repo.ts'

const key = '32-char-str-for-AES-key-and-pad.'
const pan = new CryptoPan(Buffer.from(key))

function mapped(text: string): string {
  const address = pan.address(parseAddress(text)!)
  return formatAddress(address.hi, address.lo)
}

interface Pair {
  plain: string
  hidden: string
}

/** Both captures in a format, as they are and under other addresses. */
async function both(t: TestContext, name: string, options: Partial<ConvertOptions> = {}): Promise<Pair> {
  const { folder, plain, odd } = captures(t)
  const keyFile = join(folder, 'flows.key')
  writeFileSync(keyFile, key, { mode: 0o600 })
  const paths = { plain: join(folder, name), hidden: join(folder, `hidden-${name}`) }
  const report = await converted([plain, odd], paths.plain, options)
  const other = await converted([plain, odd], paths.hidden, { to: report.format, anonymise: keyFile, ...options })
  assert.deepEqual([report.anonymised, other.anonymised], [false, true])
  assert.deepEqual([other.rows, other.bytes], [report.rows, report.bytes])
  return paths
}

const lines = (path: string): string[] => readFileSync(path, 'utf8').split(/\r?\n/)
const sorted = (some: string[]): string[] => [...some].sort()

/** The lines of a table with some columns under other addresses. */
function withMapped(all: string[], separator: string, columns: string[], header: string): string[] {
  const names = all
    .find(line => line.startsWith(header))!
    .replace(/^#fields\t/, '')
    .split(separator)
  const places = columns.map(name => names.indexOf(name))
  assert.ok(places.every(place => place >= 0))
  return all.map(line => {
    const cells = line.split(separator)
    if (line.startsWith('#') || line.startsWith(header) || cells.length < names.length) return line
    for (const place of places) cells[place] = mapped(cells[place]!)
    return cells.join(separator)
  })
}

const addresses = [
  ...['192.0.2.1', '192.0.2.9', '192.0.2.53', '198.51.100.2', '203.0.113.1', '2001:db8::1', '2001:db8::2'],
] as const

/** The bytes of a file hold no address of the captures: not as text, nor as numbers in either order of bytes. */
function holdsNone(path: string): void {
  const bytes = readFileSync(path)
  for (const text of addresses) {
    assert.ok(
      !new RegExp(`(?<![0-9.])${text.replaceAll('.', '\\.')}(?![0-9])`).test(bytes.toString('latin1')),
      `${text} in ${path}`,
    )
    const { hi, lo } = parseAddress(text)!
    const isIpv4 = text.includes('.')
    const whole = Buffer.alloc(16)
    whole.writeBigUInt64BE(hi, 0)
    whole.writeBigUInt64BE(lo, 8)
    const forms = isIpv4 ? [whole.subarray(12)] : [whole, whole.subarray(0, 8)]
    for (const form of forms)
      for (const other of [form, Buffer.from(form).reverse()])
        assert.equal(bytes.indexOf(other), -1, `${text} as ${other.toString('hex')} in ${path}`)
  }
}

for (const name of ['flows.csv', 'flows.ndjson'])
  test(`every address of ${name} is another one, and nothing else is`, async t => {
    const { plain, hidden } = await both(t, name)
    const expected = name.endsWith('csv')
      ? withMapped(lines(plain), ',', ['srcaddr', 'dstaddr'], 'srcaddr')
      : lines(plain).map(line => {
          if (line === '') return line
          const row = JSON.parse(line) as { srcaddr: string; dstaddr: string }
          return JSON.stringify({ ...row, srcaddr: mapped(row.srcaddr), dstaddr: mapped(row.dstaddr) })
        })
    assert.ok(expected.length > 20)
    assert.deepEqual(sorted(lines(hidden)), sorted(expected))
    holdsNone(hidden)
  })

test('a flow log has the direction at the interface that was named, and that under its other address', async t => {
  const options = { interval: 60, interfaceAddress: '198.51.100.2' }
  const { plain, hidden } = await both(t, 'vpc.log', options)
  const expected = withMapped(lines(plain), ' ', ['srcaddr', 'dstaddr'], 'version')
  assert.ok(expected.some(line => line.includes('ingress')) && expected.some(line => line.includes('egress')))
  assert.deepEqual(sorted(lines(hidden)), sorted(expected))
  holdsNone(hidden)
})

test('conn.log has the Community IDs of the other addresses: those of the true ones could be guessed', async t => {
  const { plain, hidden } = await both(t, 'conn.log')
  const expected = withMapped(lines(plain), '\t', ['id.orig_h', 'id.resp_h'], '#fields')
  const ids = (all: string[]): string[] => all.flatMap(line => line.match(/1:[A-Za-z0-9+/=]{28}/g) ?? [])
  const blank = (all: string[]): string[] => sorted(all.map(line => line.replace(/1:[A-Za-z0-9+/=]{28}/, 'ID')))
  assert.deepEqual(blank(lines(hidden)), blank(expected))
  const [shown, own] = [ids(lines(hidden)), ids(lines(plain))]
  assert.equal(shown.length, own.length)
  assert.ok(shown.length > 5 && !shown.some(id => own.includes(id)))
  holdsNone(hidden)
})

test('Parquet holds what CSV does', async t => {
  const { Database } = await import('../../src/store/duckdb.ts')
  const { hidden } = await both(t, 'flows.parquet')
  const { hidden: csv } = await both(t, 'flows.csv')
  const database = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: tmpdir() })
  try {
    const rows = await database.rows(`SELECT srcaddr, dstaddr, packets FROM read_parquet('${hidden}')`)
    assert.deepEqual(
      sorted(rows.map(row => `${row['srcaddr']} ${row['dstaddr']} ${row['packets']}`)),
      sorted(
        lines(csv)
          .slice(1, -1)
          .map(line => line.split(','))
          .map(cells => `${cells[0]} ${cells[2]} ${cells[5]}`),
      ),
    )
  } finally {
    await database.close()
  }
  holdsNone(hidden)
})

type Read = Awaited<ReturnType<typeof readAll>>

test('nfcapd records say that they are anonymised', async t => {
  const { plain, hidden } = await both(t, 'flows.nf')
  const [{ flows: own }, { flows: other }] = (await Promise.all(
    [plain, hidden].map(path => readAll(readFileSync(path))),
  )) as [Read, Read]
  assert.ok(own.length > 20)
  assert.equal(own.length, other.length)
  assert.ok(own.every(flow => !flow.anonymised) && other.every(flow => flow.anonymised))
  holdsNone(hidden)
})

/** What nfdump prints of a file's IPv4. */
function nfdump(path: string): string[] {
  const args = ['-r', path, '-q', '-N', '-6', '-o', 'fmt:%ts|%te|%sa|%da|%sp|%dp|%pr|%flg|%tos|%pkt|%byt', 'ipv4']
  const env = { ...process.env, TZ: 'UTC' }
  return sorted(
    execFileSync('nfdump', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }).split('\n'),
  )
}

// nfanon 1.7.1 is no yardstick for IPv6: it keeps the first 32 bits, and gives one address several names.
test(
  'nfdump reads it, and nfanon makes the same IPv4 of the file with the true addresses',
  skipWithout('nfdump', 'nfanon'),
  async t => {
    const { plain, hidden } = await both(t, 'flows.nf')
    const copy = `${plain}-nfanon`
    copyFileSync(plain, copy)
    execFileSync('nfanon', ['-q', '-r', copy, '-K', `0x${Buffer.from(key).toString('hex')}`], { stdio: 'ignore' })
    const ours = nfdump(hidden)
    assert.ok(ours.length > 15)
    assert.deepEqual(ours, nfdump(copy))
  },
)
