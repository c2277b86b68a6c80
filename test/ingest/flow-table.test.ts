import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UserError } from '../../src/errors.ts'
import { columnsOfFormat } from '../../src/flow-text/columns.ts'
import { flowTableOf } from '../../src/flow-text/flow-table.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { uncountedText } from '../../src/report/names.ts'
import { openCase } from '../../src/store/case.ts'
import { Places, verbatimLines } from '../../src/verbatim/lines.ts'
import { captureOf, talk } from '../handmade.ts'
import { nfdump, randomFlows, written } from '../nfcapd/support.ts'
import { skipWithout } from '../repo.ts'
import { assertSound, chanceFrom, folderFor, setting } from '../robustness/support.ts'

const mutations = setting('TABLE_MUTATIONS', 1000)

async function added(t: TestContext, contents: Record<string, string | Uint8Array>, format?: string) {
  const folder = folderFor(t)
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
  const dir = join(folder, 'case')
  const paths = Object.keys(contents).map(name => join(folder, name))
  const report = await addEvidence({ case: dir, paths, workers: 1, ...(format !== undefined && { format }) })
  // It counts records of one source.
  if (report.files.every(file => file.kind !== 'vpc-flow-log')) await assertSound(dir)
  const c = await openCase(dir)
  t.after(() => c.close())
  const rows = async (query: string): Promise<unknown[][]> =>
    (await c.db.rows(query)).map(row =>
      Object.values(row).map(value => (typeof value === 'bigint' ? Number(value) : value)),
    )
  const flows = await rows(
    `SELECT _line, (srcaddr.lo % 256)::INT, srcport, (dstaddr.lo % 256)::INT, dstport, protocol, packets, bytes, tcp_flags,
      epoch_us(start) - 1700000000000000 AS s, epoch_us("end") - 1700000000000000 AS e, icmp_type, icmp_code
     FROM packet_flows ORDER BY ALL`,
  )
  return { report, c, rows, flows, file: report.files[0]! }
}

// The layout of rwcut(1): titles and values to a width, a bar after each.
const rwcut = `            sIP|            dIP|sPort|dPort|pro|   packets|     bytes|   flags|                  sTime| duration|                  eTime|sen|
     192.0.2.1|   198.51.100.2|40000|   22|  6|        10|       620|FS PA   |2023/11/14T22:13:20.123|    2.500|2023/11/14T22:13:22.623| S0|
  198.51.100.2|      192.0.2.1|   22|40000|  6|         8|       616|FS PA   |2023/11/14T22:13:20.223|    2.000|2023/11/14T22:13:22.223| S0|
     192.0.2.1|     192.0.2.53| 5353|   53| 17|         1|        58|        |2023/11/14T22:13:21.000|    0.000|2023/11/14T22:13:21.000| S0|
     192.0.2.1|   198.51.100.2|    0| 2048|  1|         1|        84|        |2023/11/14T22:13:22.000|    0.000|2023/11/14T22:13:22.000| S0|
`
const rwcutFlows = [
  [2, 1, 40000, 2, 22, 6, 10, 620, 27, 123000, 2623000, null, null],
  [3, 2, 22, 1, 40000, 6, 8, 616, 27, 223000, 2223000, null, null],
  [4, 1, 5353, 53, 53, 17, 1, 58, null, 1000000, 1000000, null, null],
  [5, 1, null, 2, null, 1, 1, 84, null, 2000000, 2000000, 8, 0],
]

test('what rwcut prints is read by its titles, and every line is accounted for', async t => {
  const { file, flows, c } = await added(t, { 'flows.txt': rwcut })
  assert.deepEqual(flows, rwcutFlows)
  assert.deepEqual(
    [file.kind, file.status, file.lines, file.header_lines, file.records, file.malformed, file.layout],
    ['flow-table', 'read', 5, 1, 4, 0, 'sIP dIP sPort dPort pro packets bytes flags sTime duration eTime sen'],
  )
  assert.equal(file.flow_table?.note, 'its times name no zone and are taken for UTC; columns that are not kept: sen')
  const dossier = await investigate(c, ['198.51.100.2'])
  assert.ok(dossier.services.some(service => service.port === 22))
})

test('rwcut in other forms is the same: separated by commas, packed, padded, in UTF-16, without titles', async t => {
  const narrow = rwcut.replaceAll(/ *\| */g, '|').replaceAll(/^ +/gm, '')
  const rows = narrow.split('\n').slice(1).join('\n')
  const padded = narrow.replaceAll(/\d+\.\d+\.\d+\.\d+(?=\|)/g, address =>
    address
      .split('.')
      .map(part => part.padStart(3, '0'))
      .join('.'),
  )
  const forms: [Record<string, string | Uint8Array>, string | undefined, number][] = [
    [{ 'a.csv': narrow.replaceAll(/\|$/gm, '').replaceAll('|', ',') }, undefined, 0],
    [{ 'a.txt.gz': gzipSync(narrow) }, undefined, 0],
    [{ 'a.txt': padded }, undefined, 0],
    [{ 'a.txt': Buffer.from(`\ufeff${narrow.replaceAll('\n', '\r\n')}`, 'utf16le') }, undefined, 0],
    [{ 'a.txt': rows }, 'rwcut', 1],
    [{ 'a.txt': rows.replaceAll('|', '\t') }, 'sIP,dIP,sPort,dPort,pro,packets,bytes,flags,sTime,dur,eTime,sen', 1],
  ]
  for (const [contents, format, less] of forms) {
    const { flows, c, file } = await added(t, contents, format)
    assert.deepEqual(
      flows,
      rwcutFlows.map(([line, ...rest]) => [Number(line) - less, ...rest]),
      JSON.stringify(contents).slice(0, 60),
    )
    const places = new Places()
    places.add(file.path, 3 - less)
    for await (const found of verbatimLines(c, places))
      assert.match('line' in found ? found.line.text : '', /^198\.0?51/)
  }
})

const yafscii = `2023-11-14 22:13:20.123|2023-11-14 22:13:22.623|   2.500|   0.010|  6|                               192.0.2.1|40000|                            198.51.100.2|   22|       S|     APF|      AS|     APF|22efa001|12345678|000|000|      10|     620|       8|     616|   22|
2023-11-14 22:13:21.000|2023-11-14 22:13:21.000|   0.000|   0.000| 17|                               192.0.2.1| 5353|                              192.0.2.53|   53|       0|       0|       0|       0|00000000|00000000|000|000|       1|      58|       0|       0|    0|idle
`

test('a row of yafscii with a way back is two flow records', async t => {
  const { flows, file, report } = await added(t, { 'flows.txt': yafscii }, 'yafscii')
  assert.equal(report.problems.length, 0)
  assert.deepEqual(flows, [
    [1, 1, 40000, 2, 22, 6, 10, 620, 27, 123000, 2623000, null, null],
    [1, 2, 22, 1, 40000, 6, 8, 616, 27, 123000, 2623000, null, null],
    [2, 1, 5353, 53, 53, 17, 1, 58, null, 1000000, 1000000, null, null],
  ])
  assert.deepEqual(file.flow_table, { ...file.flow_table!, rows: 2, flow_records: 3, connections: 0 })
})

test('a table of IPFIX elements is read in the units that their names say', async t => {
  const names =
    'flowStartMilliseconds,flowEndNanoseconds,sourceIPv4Address,destinationIPv4Address,sourceTransportPort,destinationTransportPort,protocolIdentifier,packetDeltaCount,octetDeltaCount,tcpControlBits,vendorThing'
  const { flows, file } = await added(t, {
    'flows.csv': `${names}\n1700000000123,1700000002623000999,192.0.2.1,198.51.100.2,40000,22,6,10,620,27,x\n`,
  })
  assert.deepEqual(flows, [[2, 1, 40000, 2, 22, 6, 10, 620, 27, 123000, 2623000, null, null]])
  assert.match(file.flow_table?.note ?? '', /^columns that are not kept: vendorThing$/)
})

test('the short form of nfdump is read as the long one', async t => {
  const text = `firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows
2023-11-14 22:13:20.123,00:00:02.500,TCP,192.0.2.1,40000,198.51.100.2,22,10,620,3
2023-11-14 22:13:22.000,0.000,ICMP,192.0.2.1,0,198.51.100.2,8.0,1,84,1
2023-11-14 22:13:22.000,0.000,TCP,192.0.2.1,1,198.51.100.2,2,1.2 M,84,1
`
  const { flows, rows, report, file } = await added(t, { 'flows.csv': text })
  assert.deepEqual(flows, [
    [2, 1, 40000, 2, 22, 6, 10, 620, null, 123000, 2623000, null, null],
    [3, 1, null, 2, null, 1, 1, 84, null, 2000000, 2000000, 8, 0],
  ])
  assert.deepEqual(await rows('SELECT flows FROM packet_flows ORDER BY _line'), [[3], [1]])
  assert.deepEqual(
    report.problems.map(({ line, problem }) => [line, problem]),
    [[4, 'field packets: found "1.2 M"']],
  )
  assert.match(file.flow_table?.note ?? '', /nfdump prints local time/)
})

describe('what nfdump prints as CSV is what its file holds', skipWithout('nfdump'), () => {
  test('sums of addresses, ports, protocols, flags, packets, bytes and interfaces', async t => {
    const folder = folderFor(t)
    const file = join(folder, 'nfcapd.202311142210')
    const bytes = written(
      // It spells 38 as it does 35.
      randomFlows(3000, 12).filter(flow => flow.protocol !== 38),
      { ident: 'lab' },
    )
    writeFileSync(file, bytes)
    const csv = nfdump('-r', file, '-o', 'csv')
    const table = await added(t, { 'flows.csv': csv })
    const own = await added(t, { 'nfcapd.202311142210': bytes })
    assert.deepEqual(table.report.problems, [])
    assert.equal(table.file.header_lines, 4)
    assert.equal(table.file.flow_table?.rows, own.file.records)
    for (const query of [
      'SELECT count(*), sum(packets), sum(bytes), sum(coalesce(out_packets, 0)) FROM packet_flows',
      'SELECT srcaddr, dstaddr, protocol, srcport, dstport, tcp_flags, icmp_type, icmp_code, tos, packets, bytes FROM packet_flows ORDER BY ALL',
      'SELECT coalesce(input_if, 0), coalesce(output_if, 0), coalesce(src_as, 0), coalesce(dst_as, 0) FROM packet_flows ORDER BY ALL',
      "SELECT epoch_us(date_trunc('second', start)) FROM packet_flows WHERE epoch(start) >= 1 ORDER BY ALL",
    ])
      assert.deepEqual(await table.rows(query), await own.rows(query), query)
  })
})

test('a row that is none is named, and a summary and a second header are no rows', async t => {
  const lines = rwcut.split('\n')
  const bad = [
    lines[1]!.replace('192.0.2.1', '192.0.2.300'),
    lines[1]!.replace('|40000|', '|70000|'),
    lines[1]!.replace('|  6|', '|xxx|'),
    lines[1]!.replace('2023/11/14T22:13:22', '2023/11/14T22:13:10'),
    'x|y',
  ]
  const { report, file } = await added(t, { 'a.txt': [lines[0], ...bad, lines[0], lines[2]].join('\n') })
  assert.deepEqual(
    report.problems.map(({ line, problem }) => [line, problem]),
    [
      [2, 'field sIP: found "192.0.2.300"'],
      [3, 'field sPort: found "70000"'],
      [4, 'field pro: found "xxx"'],
      [5, 'it ends before it begins'],
      [6, '2 columns where 12 are named'],
    ],
  )
  assert.deepEqual([file.lines, file.header_lines, file.malformed, file.records], [8, 2, 5, 1])
})

test('a table without names, and what nfdump prints for people, are named as what they are', async t => {
  const rows = rwcut.split('\n').slice(1).join('\n')
  const line = 'Date first seen             Duration     Proto      Src IP Addr:Port\n2023-11-14 22:13:20.000 …\n'
  const { report } = await added(t, { 'rows.txt': rows, 'line.txt': line, 'other.csv': 'name,address\nx,192.0.2.1\n' })
  assert.deepEqual(
    report.files.map(file => [file.status, file.problem?.slice(0, 36)]),
    [
      ['unreadable', 'what nfdump prints for people: add t'],
      ['not-evidence', 'text, but no flow log: neither a hea'],
      ['unreadable', 'a table of flows, but no line names '],
    ],
  )
})

test('--format of a table needs both addresses, and names that some program uses', () => {
  const refused = (format: string, unknown = false) => {
    try {
      columnsOfFormat(format, unknown)
    } catch (error) {
      if (error instanceof UserError) return `${error.message}; ${error.hint}`
    }
    return null
  }
  assert.match(refused('sIP,dIPP,pro') ?? '', /no column of a table of flows: dIPP; did you mean dIP\?/)
  assert.match(refused('sIP,pro,bytes') ?? '', /names no destination address/)
  assert.equal(refused('sIP,dIP,pro,mine', true), null)
  assert.equal(columnsOfFormat('version account-id srcaddr dstaddr protocol', false), null)
  assert.equal(columnsOfFormat('default', false), null)
})

test('no mutant of a table of flows stops its reader', () => {
  const random = chanceFrom(10)
  for (let i = 0; i < mutations; i++) {
    const source = random.pick([rwcut, yafscii])
    const bytes = Buffer.from(source)
    for (let n = random.int(1, 6); n > 0; n--)
      bytes[random.int(0, bytes.length - 1)] = random.pick([9, 10, 34, 35, 44, 45, 46, 48, 57, 58, 124, 0, 255, 92])
    const text = bytes.toString('utf8')
    const table = flowTableOf(text, source === yafscii ? columnsOfFormat('yafscii', false) : null)
    if (table === null) continue
    for (const line of text.split('\n')) {
      const found = table.line(line)
      if (typeof found === 'string') continue
      assert.ok(found.flows.length >= 1 && found.flows.length <= 2)
      for (const flow of found.flows) {
        assert.ok((flow.start ?? 0) <= (flow.end ?? Number.POSITIVE_INFINITY))
        assert.ok(flow.srcPort === null || flow.srcPort <= 65_535)
      }
    }
    assert.ok((table.note ?? '').length <= 1000)
  }
})

test('beside flow logs a table counts in no figure, is compared with nothing, and the page says so', async t => {
  const log = `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789012 eni-1 192.0.2.1 198.51.100.2 40000 22 6 10 620 1700000000 1700000060 ACCEPT OK
`
  const connLog =
    '#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n'
  const { c } = await added(t, {
    'flow.log': log,
    'flows.txt': rwcut,
    'conn.log': `${connLog}1700000000.5\t192.0.2.1\t40000\t198.51.100.2\t22\ttcp\t10\t620\t8\t616\n`,
    'seen.pcap': captureOf(
      talk({ at: 1_700_000_000.5, client: '192.0.2.1 40000', server: '198.51.100.2 22', answer: 100 }),
    ),
  })
  const dossier = await investigate(c, ['198.51.100.2'])
  assert.deepEqual([dossier.records.total, dossier.evidence.flow_tables, dossier.evidence.captures], [1, 2, 1])
  assert.match(uncountedText(dossier) ?? '', /tables of flows .* are in no figure/)
  // That of the capture alone: conn.log has the same once more.
  assert.deepEqual(
    dossier.correlation.map(row => row.capture?.connections),
    [1],
  )
})
