import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectionElements } from '../../src/flows/elements.ts'
import type { FlowsRequest, FlowsRow } from '../../src/flows/request.ts'
import type { Case } from '../../src/store/case.ts'
import { skipWithout } from '../repo.ts'
import { caseOf, nfdumpLines, rowsOf, type Work, workFolder, writeRandomNfcapd } from './support.ts'

// nfdump 1.7.1 over a file, and `flows` over a case of the same file: every -s and -A form that both have.

const needs = skipWithout('nfdump')
const flowCount = 3000
let work: Work
let file = ''
let c: Case

before(async () => {
  if (needs.skip) return
  work = workFolder()
  file = join(work.root, 'nfcapd.202311142200')
  writeRandomNfcapd(file, flowCount, 20231114)
  c = await caseOf(work.root, [file])
})
after(async () => {
  if (file === '') return
  await c.close()
  work.close()
})

/** Elements of -s in nfdump's words, with ours where they differ. */
const ranked: readonly [string, string?][] = [
  ['srcip'],
  ['dstip'],
  ['ip'],
  ['nhip'],
  ['srcport'],
  ['dstport'],
  ['port'],
  ['tos'],
  ['srctos'],
  ['srcas'],
  ['dstas'],
  ['as'],
  ['inif'],
  ['outif'],
  ['if'],
  ['srcvlan'],
  ['proto'],
]
const orders = ['flows', 'packets', 'bytes', 'pps', 'bps', 'bpp'] as const

/** Elements of -A, nfdump's tag that prints them, and our column. */
const aggregated: Record<string, [tag: string, column: string]> = {
  proto: ['%pr', 'protocol'],
  srcip: ['%sa', 'srcaddr'],
  dstip: ['%da', 'dstaddr'],
  'srcip4/24': ['%sa', 'srcaddr_net4'],
  'srcip4/7': ['%sa', 'srcaddr_net4'],
  'dstip4/24': ['%da', 'dstaddr_net4'],
  'dstip4/16': ['%da', 'dstaddr_net4'],
  'srcip6/64': ['%sa', 'srcaddr_net6'],
  'dstip6/48': ['%da', 'dstaddr_net6'],
  srcport: ['%sp', 'srcport'],
  dstport: ['%dp', 'dstport'],
  srcvlan: ['%svln', 'vlan'],
  srcas: ['%sas', 'src_as'],
  dstas: ['%das', 'dst_as'],
  inif: ['%in', 'input_if'],
  outif: ['%out', 'output_if'],
  next: ['%nh', 'next_hop'],
  tos: ['%tos', 'tos'],
  srctos: ['%stos', 'tos'],
}
const together = [
  'srcip,dstip',
  'srcip4/24,dstport',
  'srcip4/24,dstip4/24',
  'srcip6/64,dstport,proto',
  'srcip,dstip,srcport,dstport,proto',
  'proto,srcport',
  'inif,outif,srcvlan,tos',
  'srcas,dstas,next',
]

const seconds = (time: unknown): string => String(time).replace('T', ' ').slice(0, 19)
const millis = (time: unknown): string => new Date(String(time)).toISOString().slice(0, 23).replace('T', ' ')

/** Of a key that a record lacks nfdump says 0 or 0.0.0.0; ICMP's type and code it prints as `type.code`. */
function plainKey(text: string): string {
  const icmp = /^(\d+)\.(\d+)$/.exec(text)
  if (icmp !== null) return String(Number(icmp[1]) * 256 + Number(icmp[2]))
  return ['', '::', '0.0.0.0', 'null'].includes(text) ? '0' : text
}
const ownKey = (cell: unknown): string => plainKey(String(cell).replace(/\/\d+$/, ''))

/** `-s`: key, protocol, flows, packets, bytes, first and last second, pps, bps, bpp. */
function rankedByNfdump(stat: string, ...filter: string[]): string[] {
  return nfdumpLines(file, '-s', stat, '-n', '0', '-o', 'csv', ...filter)
    .filter(line => /^\d{4}-/.test(line))
    .map(line => {
      const [ts, te, , pr, val, fl, , pkt, , byt, , pps, bps, bpp] = line.split(',').map(cell => cell.trim())
      return [plainKey(val!), stat.includes(':p') ? pr : '', fl, pkt, byt, ts, te, pps, bps, bpp].join('|')
    })
}

function rankedByUs(rows: readonly FlowsRow[], perProtocol: boolean): string[] {
  return rows.map(row => {
    const names = Object.keys(row)
    const key = names[perProtocol ? 1 : 0]!
    const protocol = perProtocol ? String(row['protocol']) : ''
    const counts = [row['records'], row['packets'], row['bytes'], seconds(row['start']), seconds(row['end'])]
    return [ownKey(row[key]), protocol, ...counts, row['pps'], row['bps'], row['bpp']].join('|')
  })
}

function sameRows(ours: readonly string[], theirs: readonly string[], what: string): void {
  assert.ok(theirs.length > 0, what)
  assert.deepEqual([...ours].sort(), [...theirs].sort(), what)
}

test('-s: the same rows and sums for every element and order', { ...needs }, async t => {
  let forms = 0
  for (const [element, own] of ranked) {
    for (const order of element === 'srcip' || element === 'port' ? orders : (['flows', 'bytes'] as const)) {
      for (const perProtocol of element === 'proto' || order === 'flows' ? [false] : [false, true]) {
        const stat = { element: own ?? element, ...(perProtocol && { perProtocol }) }
        const rows = await rowsOf(c, { stat, order, limit: null, nfdump: true })
        const name = `${element}${perProtocol ? ':p' : ''}/${order}`
        sameRows(rankedByUs(rows, perProtocol), rankedByNfdump(name), name)
        const ranks = rows.map(row => Number(row[order === 'flows' ? 'records' : order]))
        assert.ok(
          ranks.every((rank, i) => i === 0 || rank <= ranks[i - 1]!),
          `${name} is in order`,
        )
        forms++
      }
    }
  }
  t.diagnostic(`${forms} forms`)
})

/** With the protocol at hand nfdump prints ICMP's `type.code` from a field that its groups have lost: 0.0, though it groups by it. */
function printedKeys(elements: readonly string[], keys: string[]): string[] {
  const protocol = keys[elements.indexOf('proto')]
  const isIcmp = protocol === '1' || protocol === '58'
  return keys.map((key, i) => (isIcmp && elements[i] === 'dstport' ? 'icmp' : key))
}

async function aggregateBoth(form: string, filter: string, request: FlowsRequest): Promise<[string[], string[]]> {
  const elements = form.split(',')
  const tags = elements.map(element => aggregated[element]![0])
  const lines = nfdumpLines(file, '-A', form, '-o', `fmt:%ts,%te,%pkt,%byt,%fl,${tags.join(',')}`, filter)
  const theirs = lines.map(line => {
    const [ts, te, pkt, byt, fl, ...keys] = line.split(',').map(cell => cell.trim())
    return [ts, te, pkt, byt, fl, ...printedKeys(elements, keys.map(plainKey))].join('|')
  })
  const rows = await rowsOf(c, { ...request, filter, by: elements, limit: null })
  const ours = rows.map(row => {
    const keys = elements.map(element => ownKey(row[aggregated[element]![1]]))
    return [
      millis(row['start']),
      millis(row['end']),
      row['packets'],
      row['bytes'],
      row['records'],
      ...printedKeys(elements, keys),
    ].join('|')
  })
  return [ours, theirs]
}

test('-A: the same rows and sums for every element and some together', { ...needs }, async () => {
  for (const form of [...Object.keys(aggregated), ...together]) {
    const [ours, theirs] = await aggregateBoth(form, 'any', { nfdump: true })
    sameRows(withoutIcmpPort(ours, form), withoutIcmpPort(theirs, form), form)
  }
})

/** Grouped by protocol too, nfdump prints the type and code of the ICMP record that it met last, or 0.0: only the rest can be compared. */
function withoutIcmpPort(rows: readonly string[], form: string): string[] {
  const elements = form.split(',')
  const [port, protocol] = [elements.indexOf('dstport'), elements.indexOf('proto')]
  if (port < 0 || protocol < 0) return [...rows]
  return rows.map(row => {
    const cells = row.split('|')
    if (['1', '58'].includes(cells[5 + protocol]!)) cells[5 + port] = 'type and code'
    return cells.join('|')
  })
}

test('-A in our own meaning is the same for records with ports, of the family that is asked for', {
  ...needs,
}, async () => {
  for (const form of [...Object.keys(aggregated), ...together]) {
    // A network of one family is unknown of an address of the other.
    const family = form.includes('ip4') ? 'inet and ' : form.includes('ip6') ? 'inet6 and ' : ''
    const filter = `${family}not proto icmp and not proto icmp6 and src port > 0`
    const [ours, theirs] = await aggregateBoth(form, filter, {})
    sameRows(ours, theirs, form)
  }
})

test('-s record: the same connections', { ...needs }, async () => {
  const lines = nfdumpLines(file, '-s', 'record/bytes', '-n', '0', '-o', 'fmt:%pr,%sa,%da,%sp,%dp,%pkt,%byt,%fl')
  const theirs = lines.map(line =>
    line
      .split(',')
      .map(cell => plainKey(cell.trim()))
      .join('|'),
  )
  const rows = await rowsOf(c, { stat: { element: 'record' }, order: 'bytes', limit: null, nfdump: true })
  const names = ['protocol', 'srcaddr', 'dstaddr', 'srcport', 'dstport', 'packets', 'bytes', 'records']
  sameRows(
    rows.map(row => names.map(name => plainKey(String(row[name]))).join('|')),
    theirs,
    'record',
  )
})

test('-b: the same pairs and sums of TCP and UDP, in whichever direction', { ...needs }, async () => {
  const turned = (cells: string[]): string => {
    const [pr, sa, da, sp, dp, pkt, byt, opkt, obyt, fl] = cells
    const back = [pr, da, sa, dp, sp, opkt, obyt, pkt, byt, fl]
    return [cells.join('|'), back.join('|')].sort()[0]!
  }
  // nfdump leaves other protocols as they are; here every conversation is one row.
  const filter = 'proto tcp or proto udp'
  const tags = 'fmt:%pr,%sa,%da,%sp,%dp,%ipkt,%ibyt,%opkt,%obyt,%fl'
  const theirs = nfdumpLines(file, '-b', '-o', tags, filter).map(line =>
    turned(line.split(',').map(cell => cell.trim())),
  )
  const names = [
    'protocol',
    'srcaddr',
    'dstaddr',
    'srcport',
    'dstport',
    'packets',
    'bytes',
    'out_packets',
    'out_bytes',
    'records',
  ]
  const rows = await rowsOf(c, { bidirectional: true, filter, limit: null })
  sameRows(
    rows.map(row => turned(names.map(name => String(row[name])))),
    theirs,
    '-b',
  )
})

test('-b with -A or -s: the pairs of nfdump -b, summed up by what does not depend on who began', {
  ...needs,
}, async () => {
  // nfdump refuses -b with -A and has -s without -b: its pairs are summed up here. An end of a pair is one whichever way it is turned.
  const filter = 'proto tcp or proto udp'
  const wanted = new Map<string, bigint[]>()
  const tags = 'fmt:%pr,%sa,%da,%sp,%dp,%ipkt,%ibyt,%opkt,%obyt,%fl'
  for (const line of nfdumpLines(file, '-b', '-o', tags, filter)) {
    const [pr, sa, da, sp, dp, pkt, byt, opkt, obyt, fl] = line.split(',').map(cell => cell.trim())
    const counts = [1n, BigInt(fl!), BigInt(pkt!) + BigInt(opkt!), BigInt(byt!) + BigInt(obyt!)]
    for (const key of [`proto ${pr}`, `ip ${sa}`, `ip ${da}`, `port ${sp}`, `port ${dp}`]) {
      const sums = wanted.get(key) ?? [0n, 0n, 0n, 0n]
      wanted.set(
        key,
        sums.map((sum, i) => sum + counts[i]!),
      )
    }
  }
  const both = (row: FlowsRow, name: string): bigint => BigInt(row[name]!) + BigInt(row[`out_${name}`]!)
  const ours: string[] = []
  for (const element of ['proto', 'ip', 'port']) {
    const rows = await rowsOf(c, { bidirectional: true, stat: { element }, filter, limit: null })
    for (const row of rows) {
      const key = row[element === 'proto' ? 'protocol' : element]
      ours.push([`${element} ${key}`, row['pairs'], row['records'], both(row, 'packets'), both(row, 'bytes')].join('|'))
    }
  }
  sameRows(
    ours,
    [...wanted].map(([key, counts]) => [key, ...counts].join('|')),
    '-b -s',
  )
  const pairs = await rowsOf(c, { bidirectional: true, filter, limit: null })
  const connections = await rowsOf(c, { bidirectional: true, filter, limit: null, by: [...connectionElements] })
  assert.deepEqual(
    connections,
    pairs.map(row => ({ ...row, pairs: 1 })),
  )
})

test('-O: times come from the first, counts from the largest', { ...needs }, async () => {
  for (const order of ['tstart', 'tend', 'bytes', 'packets', 'bpp'] as const) {
    const theirs = nfdumpLines(file, '-O', order, '-o', 'fmt:%ts,%te,%pkt,%byt').map(line => line.replaceAll(' ', ''))
    const rows = await rowsOf(c, { order, limit: null })
    const ours = rows.map(row =>
      [millis(row['start']), millis(row['end']), row['packets'], row['bytes']].join(',').replaceAll(' ', ''),
    )
    // Equal ones may stand in any order: compared by what is ranked.
    const at = { tstart: 0, tend: 1, packets: 2, bytes: 3, bpp: undefined }[order]
    if (at !== undefined) {
      assert.deepEqual(
        ours.map(line => line.split(',')[at]),
        theirs.map(line => line.split(',')[at]),
        order,
      )
    }
    sameRows(ours, theirs, order)
  }
})

test('-c takes the first records that match, in the order of the file', { ...needs }, async () => {
  const theirs = nfdumpLines(file, '-c', '25', '-o', 'fmt:%ts,%byt', 'proto udp').map(line => line.replaceAll(' ', ''))
  const rows = await rowsOf(c, { filter: 'proto udp', first: 25 })
  assert.deepEqual(
    rows.map(row => `${millis(row['start'])},${row['bytes']}`.replaceAll(' ', '')),
    theirs,
  )
})
