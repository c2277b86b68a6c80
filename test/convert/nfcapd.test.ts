// What convert writes, as nfdump reads it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { utcSeconds } from '../../src/net/time.ts'
import { readAll } from '../nfcapd/support.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { captures, converted, expectedFlows, hasPorts, inOrder, type Told } from './support.ts'

// Not %ter: nfdump 1.7.1 prints the fraction of the first time there.
const fields = ['%ts', '%te', '%sa', '%da', '%sp', '%dp', '%pr', '%flg', '%tos', '%pkt', '%byt', '%svln']
const letters = 'CEUAPRSF'

/** The records that nfdump prints, without what nfcapd cannot keep: microseconds, packet numbers, why a record ended. */
function nfdumpRows(...from: string[]): Told[] {
  const args = [...from, '-q', '-N', '-6', '-o', `fmt:${fields.join('|')}`]
  const env = { ...process.env, TZ: 'UTC' }
  const text = execFileSync('nfdump', args, {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  })
  const rows = text
    .trim()
    .split('\n')
    .filter(line => line.includes('|'))
    .map(line => line.split('|').map(cell => cell.trim()))
  return inOrder(
    rows.map(cells => {
      const [first, last, src, dst, srcPort, dstPort, protocol, flags, tos, packets, bytes, vlan] = cells as string[]
      const number = Number(protocol)
      const isIcmp = number === 1 || number === 58
      const [type, code] = isIcmp ? dstPort!.split('.').map(Number) : [null, null]
      const end = (address: string, port: string): string => `${address} ${hasPorts(number) ? Number(port) : 'null'}`
      return {
        from: end(src!, srcPort!),
        to: end(dst!, dstPort!),
        protocol: number,
        packets: Number(packets),
        bytes: Number(bytes),
        first: Date.parse(`${first!.replace(' ', 'T')}Z`),
        last: Date.parse(`${last!.replace(' ', 'T')}Z`),
        flags: [...flags!].reduce((bits, letter, i) => bits | (letter === letters[i] ? 128 >> i : 0), 0),
        tos: Number(tos),
        type: type ?? null,
        code: code ?? null,
        vlan: Number(vlan) === 0 ? null : Number(vlan),
        number: 0,
        end: '',
      }
    }),
  )
}

function expected(paths: string[]): Told[] {
  return inOrder(
    expectedFlows(paths).map(flow => ({
      ...flow,
      // Ports that no packet showed are 0 there.
      ...(hasPorts(flow.protocol) && { from: flow.from.replace('null', '0'), to: flow.to.replace('null', '0') }),
      first: Math.floor(flow.first / 1000),
      last: Math.floor(flow.last / 1000),
      number: 0,
      end: '',
    })),
  )
}

describe('nfdump reads what convert writes: the same records, every field', skipWithout('nfdump'), () => {
  for (const compression of ['none', 'lz4'] as const) {
    test(`one file, ${compression}`, async t => {
      const made = captures(t)
      for (const path of [made.plain, made.odd]) {
        const out = join(made.folder, 'all.nf')
        await converted([path], out, { compression })
        assert.deepEqual(nfdumpRows('-r', out), expected([path]))
      }
    })
  }

  test('a folder with a file for each interval, each record in the file of its end', async t => {
    const made = captures(t)
    const out = join(made.folder, 'flows/')
    await converted([made.plain, made.odd], out, { compression: 'lz4', rotate: 120 })
    assert.deepEqual(nfdumpRows('-R', out), expected([made.plain, made.odd]))
    const names = readdirSync(out)
    assert.ok(names.length > 3)
    for (const name of names) {
      const from = Date.parse(name.replace(/^nfcapd\.(....)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:00Z'))
      for (const row of nfdumpRows('-r', join(out, name))) {
        assert.ok(row.last >= from && row.last < from + 120_000, `${name} ${utcSeconds(row.last * 1000)}`)
      }
    }
  })

  const pcaps = sharedDir === null ? null : join(sharedDir, 'data', 'pcap')
  for (const name of ['zeek/Traces/wikipedia.pcap', 'slips/dataset/test12-icmp-portscan.pcap', 'nfdump/pack.pcap']) {
    test(`others’ captures: ${name}`, skipWithout(pcaps === null ? null : join(pcaps, name)), async t => {
      const { folder } = captures(t)
      const path = join(pcaps!, name)
      await converted([path], join(folder, 'one.nf'))
      await converted([path], join(folder, 'many/'), { rotate: 60 })
      assert.deepEqual(nfdumpRows('-r', join(folder, 'one.nf')), expected([path]))
      assert.deepEqual(nfdumpRows('-R', join(folder, 'many')), expected([path]))
    })
  }
})

test('zstd, which not every nfdump reads, is read back with the same records', async t => {
  const made = captures(t)
  const counts: [number, bigint, bigint][] = []
  for (const compression of ['none', 'zstd'] as const) {
    const out = join(made.folder, `${compression}.nf`)
    await converted([made.plain], out, { compression })
    const { account } = await readAll(readFileSync(out))
    assert.deepEqual([account.compression, account.damages, account.ident], [compression, [], 'tidemark'])
    counts.push([account.flows, account.totals!.packets, account.totals!.bytes])
  }
  assert.deepEqual(counts[0], counts[1])
})

test('files shorter than a minute have seconds in their names, and many of them stay in order', async t => {
  const made = captures(t)
  const out = join(made.folder, 'flows/')
  const { rows } = await converted([made.plain], out, { rotate: 1 })
  const names = readdirSync(out)
  assert.ok(names.length > 8 && names.every(name => /^nfcapd\.\d{14}$/.test(name)), names.join(' '))
  let count = 0
  for (const name of names) count += (await readAll(readFileSync(join(out, name)))).account.flows
  assert.equal(count, rows)
})
