import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { registeredService } from '../../src/net/ports.ts'
import { hasPorts, protocolName } from '../../src/net/protocols.ts'

const services: [number, number, string | null][] = [
  [22, 6, 'ssh'],
  [80, 6, 'http'],
  [53, 17, 'domain'],
  [123, 17, 'ntp'],
  [443, 6, 'https'],
  [8889, 6, 'ddi-tcp-2'],
  [9, 132, 'discard'],
  [9, 33, 'discard'],
  [0, 6, null], // reserved
  [4, 6, null], // unassigned
  [80, 1, null], // no ports
  [70000, 6, null],
  [-1, 6, null],
]
for (const [port, protocol, name] of services) {
  test(`IANA has ${name ?? 'nothing'} on port ${port} of protocol ${protocol}`, () => {
    assert.equal(registeredService(port, protocol)?.name ?? null, name)
  })
}

const keywords: [number, string | null][] = [
  [0, 'HOPOPT'],
  [1, 'ICMP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [47, 'GRE'],
  [50, 'ESP'],
  [58, 'IPv6-ICMP'],
  [61, null],
  [63, null],
  [68, null],
  [89, 'OSPFIGP'],
  [99, null],
  [100, 'GMTP'],
  [114, null],
  [115, 'L2TP'],
  [132, 'SCTP'],
  [142, 'ROHC'],
  [145, 'NSH'],
  [146, null],
  [255, null],
  [-1, null],
]
for (const [number, keyword] of keywords) {
  test(`protocol ${number} is ${keyword ?? 'without a keyword'}`, () => assert.equal(protocolName(number), keyword))
}

const listed = '/etc/protocols'
test('numbers agree with the list of the operating system', { skip: !existsSync(listed) && `no ${listed}` }, () => {
  // The system has 0 twice and older names for 4 and 73, and spells the others in its own way.
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replace(/^ipsec-/, '')
      .replace(/[^a-z0-9]/g, '')
  for (const line of readFileSync(listed, 'utf8').split('\n')) {
    const [name, number, alias] = line.replace(/#.*/, '').trim().split(/\s+/)
    const ours = protocolName(Number(number))
    if (name === undefined || number === undefined || ours === null || ['0', '4', '73'].includes(number)) continue
    const theirs = [name, alias ?? name].map(plain)
    assert.ok(
      theirs.some(text => plain(ours).startsWith(text)),
      `${number}: ${ours} is none of ${theirs}`,
    )
  }
})

test('TCP, UDP and SCTP have ports', () => {
  const having = Array.from({ length: 256 }, (_, n) => n).filter(hasPorts)
  assert.deepEqual(having, [6, 17, 132])
})
