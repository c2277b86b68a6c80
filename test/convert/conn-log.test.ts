import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Meter } from '../../src/meter/meter.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { plainConnection } from '../meter/captures.ts'
import { captures, converted, start } from './support.ts'

/** A log of Zeek as zeek-cut reads it: by the names in `#fields`, split at the separator of the head. */
function zeekRows(path: string): Record<string, string>[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const head = (name: string): string => lines.find(line => line.startsWith(`#${name}`))!.slice(name.length + 2)
  assert.equal(lines[0], '#separator \\x09')
  const names = head('fields').split('\t')
  const types = head('types').split('\t')
  assert.equal(names.length, types.length)
  assert.deepEqual(
    [head('path'), head('unset_field'), head('empty_field'), head('set_separator')],
    ['conn', '-', '(empty)', ','],
  )
  return lines
    .filter(line => !line.startsWith('#'))
    .map(line => {
      const values = line.split('\t')
      assert.equal(values.length, names.length)
      values.forEach((value, i) => {
        if (value !== '-') assert.match(value, shapes[types[i]!]!, names[i])
      })
      return Object.fromEntries(names.map((name, i) => [name, values[i]!]))
    })
}

const shapes: Record<string, RegExp> = {
  time: /^\d+\.\d{6}$/,
  interval: /^\d+\.\d{6}$/,
  string: /^\S+$/,
  addr: /^[0-9a-f.:]+$/,
  port: /^\d{1,5}$/,
  enum: /^(tcp|udp|icmp|unknown_transport)$/,
  count: /^\d+$/,
  bool: /^[TF]$/,
  'set[string]': /^\S+$/,
}

/** Zeek's own columns, in its order (base/protocols/conn, and the policies for ip_proto and community_id). */
const columns =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ip_proto community_id'

test('conn.log has Zeek’s columns and the connections that the meter makes', async t => {
  const made = captures(t)
  for (const capture of [made.plain, made.odd]) {
    const out = join(made.folder, 'conn.log')
    const report = await converted([capture], out)
    const rows = zeekRows(out)
    const connections: ReturnType<typeof plainConnection>[] = []
    const meter = new Meter({ connections: c => connections.push(plainConnection(c)) })
    const decoder = new CaptureDecoder(packet => meter.add(packet))
    decoder.feed(readFileSync(capture))
    decoder.end()
    meter.finish()
    assert.equal(report.rows, connections.length)
    const isIcmp = (row: Record<string, string>): boolean => row['proto'] === 'icmp'
    assert.deepEqual(
      rows.map(row => ({
        orig: `${row['id.orig_h']} ${row['id.orig_p']}`,
        resp: `${row['id.resp_h']} ${isIcmp(row) ? '*' : row['id.resp_p']}`,
        state: row['conn_state'],
        history: row['history'] === '-' ? '' : row['history'],
        packets: [row['orig_pkts'], row['resp_pkts']].map(Number),
        ipBytes: [row['orig_ip_bytes'], row['resp_ip_bytes']].map(Number),
        bytes: [row['orig_bytes'], row['resp_bytes']].map(value => (value === '-' ? 0 : Number(value))),
        seconds: row['duration'] === '-' ? 0 : Number(row['duration']),
      })),
      connections.map(c => ({
        orig: c.orig,
        resp: c.resp,
        state: c.state,
        history: c.history,
        packets: [c.origPackets, c.respPackets],
        ipBytes: [c.origIpBytes, c.respIpBytes],
        bytes: [c.origBytes, c.respBytes],
        seconds: c.seconds,
      })),
    )
    assert.equal(new Set(rows.map(row => row['uid'])).size, rows.length)
    assert.ok(rows.every(row => /^C[0-9a-z]{17}$/.test(row['uid']!)))
  }
  const [head] = readFileSync(join(made.folder, 'conn.log'), 'utf8').match(/^#fields\t.*$/m)!
  assert.equal(head!.slice(8).split('\t').slice(0, -1).join(' '), columns)
})

test('what only Zeek knows is unset, and times keep their microseconds', async t => {
  const made = captures(t)
  const out = join(made.folder, 'conn.log')
  await converted([made.plain], out)
  const rows = zeekRows(out)
  for (const row of rows) {
    for (const name of ['service', 'local_orig', 'local_resp', 'missed_bytes', 'tunnel_parents'])
      assert.equal(row[name], '-')
    assert.match(row['community_id']!, /^1:/)
  }
  const first = rows.filter(row => row['id.orig_p'] === '40000').map(row => row['ts'])
  assert.deepEqual(first.sort(), [`${start}.000000`, `${start + 6}.000000`])
  const long = rows.find(row => row['id.orig_p'] === '40001')!
  assert.equal(long['ts'], `${start + 2}.250000`)
  // Nothing came back: no duration, and no bytes.
  const tried = rows.find(row => row['id.resp_p'] === '25')!
  assert.deepEqual(
    [tried['conn_state'], tried['duration'], tried['orig_bytes'], tried['resp_bytes']],
    ['S0', '-', '-', '-'],
  )
})

test('captures are metered each by itself', async t => {
  const made = captures(t)
  const second = join(made.folder, 'second.pcap')
  writeFileSync(second, readFileSync(made.plain))
  const one = await converted([made.plain], join(made.folder, 'conn.log'))
  const two = await converted([made.plain, second], join(made.folder, 'conn.log'))
  assert.equal(two.rows, 2 * one.rows)
  assert.equal(new Set(zeekRows(join(made.folder, 'conn.log')).map(row => row['uid'])).size, two.rows)
})
