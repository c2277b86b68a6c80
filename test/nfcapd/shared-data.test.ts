import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import type { NfcapdFlow } from '../../src/nfcapd/flow.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { readAll, wide } from './support.ts'

// Real files of many sensors and versions, with what nfdump says of each: `reference/` has its listings, one line a flow.

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'nfdump')
const there = skipWithout(folder)

// Classes of differences.
const flagsAsNumber = '1.7.8 with -N prints the flags as a number'
const flagsOfTcpOnly = 'flags are printed of TCP only, whatever the record has'
const noTime = 'a record without times has zeros for a date'
const shortened = '1.6 leaves out the middle of long addresses'
const noAddress = 'a record without addresses has 0.0.0.0'

interface IndexRow {
  path: string
  layout: number
  compression: string
  /** Flows, bytes, packets by each version of nfdump. */
  totals: string[]
  listing: string
}

function indexRows(): IndexRow[] {
  const lines = readFileSync(join(folder!, 'INDEX.csv'), 'utf8').trimEnd().split('\n').slice(1)
  return lines.map(line => {
    const fields = line.split(',')
    return {
      path: fields[0]!,
      layout: Number(fields[3]),
      compression: fields[4]!.split(' ')[0]!,
      totals: fields.slice(7, -1).filter(text => /^\d+\/\d+\/\d+$/.test(text)),
      listing: fields.at(-1)!,
    }
  })
}

/** As nfdump's summary counts: each flow of an aggregate, both directions. */
function summed(flows: readonly NfcapdFlow[]): string {
  let count = 0n
  let bytes = 0n
  let packets = 0n
  for (const flow of flows) {
    count += wide(flow.flowsLow, flow.flowsHigh) || 1n
    bytes += wide(flow.bytesLow, flow.bytesHigh) + wide(flow.outBytesLow, flow.outBytesHigh)
    packets += wide(flow.packetsLow, flow.packetsHigh) + wide(flow.outPacketsLow, flow.outPacketsHigh)
  }
  return `${count}/${bytes}/${packets}`
}

describe("each file's totals are those of a version of nfdump that reads it", there, () => {
  for (const row of there.skip ? [] : indexRows()) {
    test(row.path, async () => {
      const { flows, account } = await readAll(readFileSync(join(folder!, row.path)))
      assert.deepEqual([account.layout, account.compression], [row.layout, row.compression])
      assert.deepEqual(account.damages, [])
      assert.equal(account.flows + sumOf(account.skipped), account.records)
      const found = summed(flows)
      assert.ok(row.totals.includes(found), `${found} is none of ${row.totals.join(', ')}`)
    })
  }
})

function sumOf(counts: Map<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

describe('each flow is as nfdump lists it', there, () => {
  for (const row of there.skip ? [] : indexRows().filter(({ listing }) => listing !== '')) {
    test(row.path, async () => {
      const { flows } = await readAll(readFileSync(join(folder!, row.path)))
      const [format, ...lines] = gunzipSync(readFileSync(join(folder!, row.listing)))
        .toString()
        .trimEnd()
        .split('\n')
      const names = format!.replace('fmt:', '').split('|')
      const differences = new Map<string, number>()
      assert.equal(lines.length, flows.length)
      lines.forEach((line, i) => {
        const printed = new Map(line.split('|').map((value, k) => [names[k]!, value.trim()]))
        for (const [name, value] of Object.entries(expected(flows[i]!))) {
          const told = canonical(name, printed.get(name) ?? printed.get(name.replace('i', '')) ?? '')
          if (told === value) continue
          const reason = explain(name, flows[i]!, told, value)
          assert.ok(reason !== null, `flow ${i + 1}, ${name}: nfdump says ${told}, not ${value}`)
          differences.set(reason, (differences.get(reason) ?? 0) + 1)
        }
      })
      assert.deepEqual(Object.fromEntries(differences), known[row.path] ?? {})
    })
  }
})

/** How nfdump's listings differ from the records, by file: how many values of each class. */
const known: Record<string, Record<string, number>> = {
  'from-pcap/pack.1.7.8.zstd.nf.d/nfcapd.201403061330': { [flagsAsNumber]: 81 },
  'from-pcap/pack.1.7.8.zstd.nf.d/nfcapd.201403061335': { [flagsAsNumber]: 1332 },
  'nfgen/nfgen-1.6.24-lzo.nf': { [flagsOfTcpOnly]: 2 },
  'nfgen/nfgen-1.6.24-none.nf': { [flagsOfTcpOnly]: 2, [shortened]: 10 },
  'nfgen/nfgen-1.7.8-lzo.nf': { [flagsAsNumber]: 35, [noTime]: 4, [noAddress]: 6 },
  'nfgen/nfgen-1.7.8-none.nf': { [flagsAsNumber]: 35, [noTime]: 4, [noAddress]: 6 },
}

/** The class of a difference; null if it is of none. */
function explain(name: string, flow: NfcapdFlow, told: string, ours: string): string | null {
  if (name === '%flg' && told === `${flow.tcpFlags}`) return flagsAsNumber
  if (name === '%flg' && flow.protocol !== 6 && told === '........') return flagsOfTcpOnly
  if (name === '%ts' || name === '%te') return told === '0000-00-00 00:00:00.000' && flow.first === 0 ? noTime : null
  if (name === '%sa' || name === '%da') {
    const [start, end] = told.split('..')
    if (end !== undefined && ours.startsWith(start!) && ours.endsWith(end)) return shortened
    return told === '0.0.0.0' && flow.version === 0 ? noAddress : null
  }
  return null
}

/** The columns of a listing, as nfdump prints them. */
function expected(flow: NfcapdFlow): Record<string, string> {
  const flags = [...'CEUAPRSF'].map((letter, i) => (flow.tcpFlags & (128 >> i) ? letter : '.')).join('')
  return {
    '%ts': time(flow.first),
    '%te': time(flow.last),
    '%pr': `${flow.protocol}`,
    '%sa': address(flow.src0, flow.src1, flow.src2, flow.src3),
    '%sp': `${flow.srcPort}`,
    '%da': address(flow.dst0, flow.dst1, flow.dst2, flow.dst3),
    '%dp': flow.isIcmp ? `${flow.icmpType}.${flow.icmpCode}` : `${flow.dstPort}`,
    '%flg': flags,
    '%tos': `${flow.tos}`,
    '%ipkt': `${wide(flow.packetsLow, flow.packetsHigh)}`,
    '%ibyt': `${wide(flow.bytesLow, flow.bytesHigh)}`,
    '%opkt': `${wide(flow.outPacketsLow, flow.outPacketsHigh)}`,
    '%obyt': `${wide(flow.outBytesLow, flow.outBytesHigh)}`,
    '%fl': `${wide(flow.flowsLow, flow.flowsHigh) || 1n}`,
  }
}

function canonical(name: string, text: string): string {
  if (name !== '%sa' && name !== '%da') return text
  const value = parseAddress(text)
  return value === null ? text : formatAddress(value.hi, value.lo)
}

function time(us: number): string {
  return new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '')
}

function address(a: number, b: number, c: number, d: number): string {
  return formatAddress((BigInt(a) << 32n) | BigInt(b), (BigInt(c) << 32n) | BigInt(d))
}

test('every listing belongs to a file of the index', there, () => {
  const listed = new Set(indexRows().map(({ listing }) => listing.replace('reference/', '')))
  assert.deepEqual(
    readdirSync(join(folder!, 'reference')).filter(name => !listed.has(name)),
    [],
  )
})
