import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { convert } from '../../src/convert/convert.ts'
import { tar, zip } from '../archives.ts'
import { cliEntry } from '../repo.ts'
import { captures } from './support.ts'

test('captures in archives, and in archives in them, are converted as the captures themselves', async t => {
  const { folder, plain, odd } = captures(t)
  const [first, second] = [readFileSync(plain), readFileSync(odd)]
  const of = join(folder, 'of-files.csv')
  const files = await convert({ paths: [plain, odd], out: of })
  const inner = zip({ 'b/odd.pcapng': second, 'readme.txt': 'no capture' })
  const archives: Record<string, Uint8Array> = {
    'all.zip': zip({ 'a.pcap': first, 'b.pcapng.gz': gzipSync(second) }),
    'all.tar.gz': gzipSync(tar({ 'a.pcap': first, 'b.pcapng': second })),
    'nested.tar': tar({ 'a.pcap': first, 'inner.zip': inner }),
  }
  // Captures of a folder come in the order of their paths, which here is another.
  const sorted = (path: string): string[] => readFileSync(path, 'utf8').split('\n').sort()
  for (const [name, bytes] of Object.entries(archives)) {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    const out = join(folder, `${name}.csv`)
    const report = await convert({ paths: [path], out })
    assert.deepEqual([report.rows, report.packets], [files.rows, files.packets], name)
    assert.deepEqual(sorted(out), sorted(of), name)
    assert.ok(
      report.files.every(file => file.path.startsWith(`${path}:`)),
      name,
    )
    assert.deepEqual(
      report.files.filter(file => file.status !== 'read').map(file => [file.status, file.path.split(':').at(-1)]),
      name === 'nested.tar' ? [['not-evidence', 'readme.txt']] : [],
    )
  }
})

test('of an archive that is cut, or expands beyond the limit, what came before is kept and the rest is named', async t => {
  const { folder, plain } = captures(t)
  const archive = tar({ 'a.pcap': readFileSync(plain), 'b.pcap': new Uint8Array(40 << 20) })
  const path = join(folder, 'all.tar')
  writeFileSync(path, archive.subarray(0, 20_000))
  const cut = await convert({ paths: [path], out: join(folder, 'cut.csv') })
  assert.equal(cut.files[0]?.status, 'read')
  assert.ok(cut.files.slice(1).some(file => file.status === 'unreadable'))
  writeFileSync(`${path}.gz`, gzipSync(archive))
  const bomb = await convert({
    paths: [`${path}.gz`],
    out: join(folder, 'bomb.csv'),
    limits: { bytesMax: 1 << 20 },
  })
  assert.match(bomb.files.find(file => file.status === 'unreadable')?.problem ?? '', /stopped/)
})

test('an archive without a capture, and a pipe without one, are named', async t => {
  const { folder } = captures(t)
  const path = join(folder, 'logs.zip')
  writeFileSync(path, zip({ 'flow.log': 'version account-id' }))
  const report = await convert({ paths: [path], out: join(folder, 'none.csv') })
  assert.equal(report.written, false)
  assert.match(report.files.at(-1)?.problem ?? '', /without a capture/)
})

test('a pipe is converted as the file that went into it, packed or not', t => {
  const { folder, plain } = captures(t)
  const run = (script: string): string =>
    execFileSync('sh', ['-c', script, cliEntry, process.execPath, cliEntry, plain], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const expected = run('"$1" "$2" convert "$3" -o - --to csv')
  writeFileSync(join(folder, 'all.zip'), zip({ 'a.pcap': readFileSync(plain) }))
  assert.ok(expected.split('\n').length > 5)
  assert.equal(run('cat "$3" | "$1" "$2" convert - -o - --to csv'), expected)
  assert.equal(run('gzip -c "$3" | "$1" "$2" convert /dev/stdin -o - --to csv'), expected)
  assert.equal(run(`cat "${folder}/all.zip" | "$1" "$2" convert - -o - --to csv`), expected)
})
