import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { NfcapdCompression } from '../../src/nfcapd/account.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { comparable, expectedRaw } from './raw.ts'
import { fileOf, folderOf, nfdump, randomFlows, rawRecords, readAll, textOf, written } from './support.ts'

// Files that the installed nfdump and nfpcapd (1.7.1) make, read by us: the same records as nfdump prints.

describe('nfdump packs a file anew: the same flows', skipWithout('nfdump'), () => {
  const compressions: [string, NfcapdCompression][] = [
    ['1', 'lzo'],
    ['2', 'bz2'],
    ['3', 'lz4'],
  ]
  const flows = randomFlows(12_000, 11)
  const file = written(flows, { ident: 'lab' })
  for (const [number, compression] of compressions) {
    test(compression, async t => {
      const path = fileOf(t, file)
      nfdump('-r', path, '-J', number)
      const { flows: read, account } = await readAll(readFileSync(path))
      assert.deepEqual([account.compression, account.ident, account.damages], [compression, 'lab', []])
      // Several threads pack: blocks come in any order.
      const sorted = (texts: string[]): string[] => texts.map(text => text.replace(/^\d+,/, '')).sort()
      assert.deepEqual(sorted(read.map(textOf)), sorted(flows.map(textOf)))
    })
  }
})

const captures = sharedDir === null ? null : join(sharedDir, 'data', 'pcap')
const names = [
  'zeek/Traces/tunnels/gre-within-gre.pcap',
  'zeek/Traces/wikipedia.pcap',
  'slips/dataset/test-cc/test-cc-capture-2.pcap',
  'ndpi/pcap/anyconnect-vpn.pcap',
  'nfdump/pack.pcap',
  'community-id-spec/pcaps/icmp6.pcap',
]

describe('nfpcapd makes files of captures', skipWithout('nfdump', 'nfpcapd', captures), () => {
  const options: [NfcapdCompression, string[]][] = [
    ['none', []],
    ['lzo', ['-z', '-o', 'fat']],
    ['lz4', ['-y', '-o', 'fat']],
  ]
  names.forEach((name, i) => {
    const [compression, args] = options[i % options.length]!
    test(`${name}, ${compression}`, async t => {
      const folder = join(folderOf(t), 'flows')
      mkdirSync(folder)
      execFileSync('nfpcapd', ['-r', join(captures!, name), '-w', folder, ...args], { stdio: 'ignore' })
      const files = readdirSync(folder).filter(entry => /^nfcapd\.\d+$/.test(entry))
      let count = 0
      for (const file of files) count += await compare(join(folder, file), compression)
      assert.ok(count > 0, 'nfpcapd found flows')
      // Its own option for bz2 ends nfpcapd 1.7.1 with an error.
      nfdump('-r', join(folder, files[0]!), '-J', '2')
      await compare(join(folder, files[0]!), 'bz2')
    })
  })
})

/** Compares a file's records with what nfdump prints of them. Returns how many there are. */
async function compare(path: string, compression: NfcapdCompression): Promise<number> {
  const { flows, account } = await readAll(readFileSync(path))
  assert.deepEqual([account.compression, account.damages, [...account.otherElements]], [compression, [], []])
  const records = rawRecords(nfdump('-r', path, '-q', '-o', 'raw'))
  assert.equal(records.length, flows.length)
  flows.forEach((flow, i) => {
    const expected = expectedRaw(flow)
    assert.deepEqual(comparable(records[i]!, expected), expected, `${path}, flow ${i + 1}`)
  })
  assert.equal(account.totals?.flows, BigInt(flows.length))
  return flows.length
}

const generated = sharedDir === null ? null : join(sharedDir, 'data', 'nfdump')

test('every element that nfdump 1.7.1 prints', skipWithout('nfdump', generated), async t => {
  let compared = 0
  for (const name of [
    'nfgen/nfgen-1.6.24-lzo.nf',
    'nfgen/nfgen-1.7.8-none.nf',
    'libnf/data1',
    'chrispassas/nfcapd.sample',
  ]) {
    const path = join(folderOf(t), 'file')
    copyFileSync(join(generated!, name), path)
    const { flows, account } = await readAll(readFileSync(path))
    const records = rawRecords(nfdump('-r', path, '-q', '-o', 'raw'))
    assert.equal(records.length, flows.length, name)
    let blank = 0
    flows.forEach((flow, i) => {
      // Two records of nfdump 1.7.8's generator have no elements, one has an element that 1.7.1 does not know: it prints none of them.
      if (!records[i]!.has('first')) {
        blank++
        return
      }
      const expected = expectedRaw(flow)
      assert.deepEqual(comparable(records[i]!, expected), expected, `${name}, flow ${i + 1}`)
    })
    assert.equal(blank, name.includes('1.7.8') ? 3 : 0, name)
    compared += flows.length
    assert.equal(account.flows, flows.length)
  }
  assert.equal(compared, 26 + 35 + 2000 + 3018)
})
