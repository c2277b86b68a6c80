import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Recommended } from '../../src/controls/control.ts'
import { type AclOptions, recommendAcl } from '../../src/controls/recommend-acl.ts'
import type { AclEntry } from '../../src/network-rules/network.ts'
import { aclQuotas } from '../../src/network-rules/quotas.ts'
import { holds, type Made, made, type Row } from './made-traffic.ts'

const victim = '10.130.8.94'
const subject = '20.106.124.93'
const attacks: Row[] = [
  { client: subject, server: victim, port: 80, at: 1000, times: 40, isAttack: true },
  { client: subject, server: victim, port: 22, at: 1100, isAttack: true },
  { client: victim, server: subject, port: 8889, at: 1200, isAttack: true },
]
const web = (count: number, from = 1024, step = 977): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    client: `198.51.${i % 250}.7`,
    server: victim,
    port: 80,
    clientPort: from + ((i * step) % (65_536 - from)),
  }))
const updates: Row[] = Array.from({ length: 40 }, (_, i) => ({
  client: victim,
  server: `192.0.2.${i}`,
  port: 443,
  clientPort: 32_768 + i * 700,
}))

type Acl = Extract<Recommended['artefact'], { what: 'network-acl' }>

function listOf(given: Partial<Made> & Pick<Made, 'rows'>, options: AclOptions = {}): Recommended[] {
  return recommendAcl(made({ protect: [victim], subjects: [subject], incident: 1000, ...given }), undefined, options)
}

function only(found: readonly Recommended[]): Recommended & { acl: Acl } {
  assert.equal(found.length, 1)
  const [one] = found as [Recommended]
  return { ...one, acl: one.artefact as Acl }
}

function text({ number, action, protocol, ports, icmp, prefix }: AclEntry): string {
  const range = ports === null ? '' : ` ${ports.from === ports.to ? ports.from : `${ports.from}-${ports.to}`}`
  const type = icmp === null ? '' : ` ${icmp.type}/${icmp.code}`
  return `${number} ${action} ${protocol ?? 'all'}${range}${type} ${prefix.text}`
}

/** The lowest number that fits decides; nothing that fits is a refusal. */
function passes(entries: readonly AclEntry[], protocol: number, port: number | null, address: string): boolean {
  const fitting = entries.filter(
    one =>
      (one.protocol === null || one.protocol === protocol) &&
      (one.ports === null || (port !== null && one.ports.from <= port && port <= one.ports.to)) &&
      (one.icmp === null || one.icmp.type === null) &&
      holds(one.prefix.text, address),
  )
  const [first] = fitting.sort((a, b) => a.number - b.number)
  return first?.action === 'allow'
}

/** Both ways: the first packet by the server's port, the answer by the client's. */
function works({ ingress, egress }: Acl, row: Row): boolean {
  const isOut = row.client.startsWith('10.130.8.') || row.client.startsWith('fd00::')
  const [there, back] = isOut ? [egress, ingress] : [ingress, egress]
  const other = isOut ? row.server : row.client
  const protocol = row.protocol ?? 6
  return passes(there, protocol, row.port ?? null, other) && passes(back, protocol, row.clientPort ?? null, other)
}

test('denies the attack both ways first, then lets through what is used and its answers', () => {
  const { acl, title, why, cost } = only(listOf({ rows: [...attacks, ...web(100), ...updates] }))
  assert.deepEqual(acl.ingress.map(text), [
    '100 deny all 20.106.124.93',
    '300 allow 1 3/4 0.0.0.0/0',
    '310 allow 6 80 0.0.0.0/0',
    '320 allow 6 32768-60999 0.0.0.0/0',
  ])
  assert.deepEqual(acl.egress.map(text), [
    '100 deny all 20.106.124.93',
    '110 deny 6 8889 0.0.0.0/0',
    '300 allow 6 443 0.0.0.0/0',
    '310 allow 6 1024-65535 0.0.0.0/0',
  ])
  assert.match(title, /^Deny 20\.106\.124\.93 both ways at the subnet of 10\.130\.8\.94/)
  assert.match(why, /40 client ports from 32,768 to 60,068 in 40 connections: 32768-60999 \(Linux\)/)
  assert.match(why, /100 client ports from 1,024 to .*1024-65535 \(any system/)
  assert.match(cost, /only a security group can tell the two apart/)
})

test('a port of the attack that something else needs is not denied to all', () => {
  const rows = [...attacks, ...web(100), { client: victim, server: '192.0.2.1', port: 8889, clientPort: 40_000 }]
  assert.deepEqual(only(listOf({ rows })).acl.egress.map(text), [
    '100 deny all 20.106.124.93',
    '300 allow 6 1024-65535 0.0.0.0/0',
    '310 allow 6 8889 0.0.0.0/0',
  ])
})

test('services of internal hosts alone are open to their network', () => {
  const rows = [...attacks, { client: victim, server: '10.130.9.5', port: 5432, clientPort: 40_000 }]
  assert.ok(only(listOf({ rows })).acl.egress.map(text).includes('300 allow 6 5432 10.130.9.5'))
})

test('NTP, which asks from its own port, gets its answers', () => {
  const rows: Row[] = [
    ...attacks,
    { client: victim, server: '192.0.2.1', protocol: 17, port: 123, clientPort: 123, times: 50 },
  ]
  const { acl, why } = only(listOf({ rows }))
  assert.deepEqual(acl.ingress.filter(one => one.protocol === 17).map(text), ['310 allow 17 123 0.0.0.0/0'])
  assert.match(why, /no client port from 1024 on was seen, and 50 connections \(100 %\) from ports below 1024/)
})

test('ping passes both ways, whoever began it', () => {
  const out: Row = { client: victim, server: '192.0.2.1', protocol: 1 }
  const inwards: Row = { client: '192.0.2.1', server: victim, protocol: 1 }
  for (const row of [out, inwards]) {
    const { acl } = only(listOf({ rows: [...attacks, row] }))
    assert.ok(works(acl, row))
    assert.ok(!acl.ingress.some(one => one.icmp !== null))
  }
})

test('IPv6 has entries of its own, and only where there is some', () => {
  const six: Row = { client: '2001:db8::7', server: 'fd00::94', port: 443, clientPort: 50_000, times: 100 }
  const { acl } = only(listOf({ rows: [...attacks, six], protect: [victim, 'fd00::94'] }))
  assert.deepEqual(acl.ingress.slice(1).map(text), ['300 allow 6 443 ::/0', '310 allow 58 2/0 ::/0'])
  assert.ok(works(acl, six))
  assert.ok(!passes(acl.ingress, 6, 443, '192.0.2.1'))
  const { acl: four } = only(listOf({ rows: [...attacks, ...web(10)] }))
  assert.ok([...four.ingress, ...four.egress].every(one => !one.prefix.text.includes(':')))
})

test('other hosts of the subnet keep what they use; without its name the text says for whom it is written', () => {
  const other: Row = { client: '192.0.2.1', server: '10.130.8.50', port: 5000, clientPort: 2000, times: 200 }
  const places = { [victim]: { subnet: 'subnet-1' }, '10.130.8.50': { subnet: 'subnet-1' } }
  const one = only(listOf({ rows: [...attacks, ...web(100), other], places }))
  assert.deepEqual(one.acl.subnets, ['subnet-1'])
  assert.ok(works(one.acl, other))
  assert.match(one.confirm[0]!, /what 1 other host used is let through as well/)
  const unknown = only(listOf({ rows: [...attacks, ...web(100), other] }))
  assert.deepEqual(unknown.acl.subnets, [])
  assert.ok(!passes(unknown.acl.ingress, 6, 5000, '192.0.2.1'))
  assert.match(unknown.confirm[0]!, /written for these hosts alone/)
})

test('traffic within the subnet needs no entry, and an attack from within it passes no ACL', () => {
  const places = { [victim]: { subnet: 'subnet-1' }, '10.130.8.50': { subnet: 'subnet-1' } }
  const inside: Row = { client: '10.130.8.50', server: victim, port: 3306, times: 500 }
  const { acl } = only(listOf({ rows: [...attacks, ...web(50), inside], places }))
  assert.ok(!acl.ingress.map(text).join().includes('3306'))
  assert.deepEqual(listOf({ rows: [{ ...inside, isAttack: true }], places, subjects: ['10.130.8.50'] }), [])
})

test('what leaves on ports that are not approved, or since the attack began, is to be confirmed', () => {
  const rows = [...attacks, ...updates, { client: victim, server: '192.0.2.1', port: 5000, at: 3000, times: 9 }]
  const { confirm } = only(listOf({ rows, approved: [443] }))
  assert.deepEqual(confirm.slice(1), [
    'let out, but not among the approved ports: 5000/tcp (9 connections)',
    'let out, but not seen before the attack began, of which it may be part: 5000/tcp (9 connections)',
  ])
})

test('many ports become few entries: those that answers pass by need none, the others share ranges', () => {
  const high = Array.from(
    { length: 30 },
    (_, i): Row => ({ client: victim, server: '192.0.2.1', port: 5000 + i, clientPort: 40_000 + i * 400 }),
  )
  const first = only(listOf({ rows: [...attacks, ...web(100), ...high] }))
  assert.ok(first.acl.egress.length <= 20)
  assert.ok(high.every(row => works(first.acl, row)))
  assert.match(first.why, /To fit into 20 entries, ports that answers pass by have no entry of their own\./)
  const low = high.map((row, i) => ({ ...row, port: 100 + i }))
  const second = only(listOf({ rows: [...attacks, ...web(100), ...low] }))
  assert.ok(second.acl.egress.length <= 20)
  assert.ok(low.every(row => works(second.acl, row)))
  assert.match(second.why, /other ports share ranges/)
})

test('more addresses of the attack than the quota are denied as far as AWS can raise it, and said', () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `20.106.124.${i}`)
  const at = (count: number) =>
    only(
      listOf({
        rows: [
          ...many(count).map((client): Row => ({ client, server: victim, port: 80, isAttack: true })),
          ...web(100),
        ],
        subjects: many(count),
      }),
    )
  const some = at(25)
  assert.equal(some.acl.ingress.filter(one => one.action === 'deny').length, 25)
  assert.match(some.cost, /more than the quota of 20: AWS raises it to 40 on request/)
  const most = at(60)
  assert.ok(most.acl.ingress.length <= 40 && most.acl.egress.length <= 40)
  assert.match(most.cost, /There is no room for \d\d addresses of the attack/)
  const last = most.acl.ingress.findLast(one => one.action === 'deny')!.number
  assert.ok(most.acl.ingress.find(one => one.action === 'allow')!.number >= last + 100)
})

test('what the quota has no room for takes what AWS can raise it to', () => {
  const rows = [
    ...attacks,
    ...Array.from({ length: 15 }, (_, i): Row => ({ client: victim, server: '192.0.2.1', protocol: 100 + i })),
  ]
  const { acl, cost } = only(listOf({ rows }))
  assert.ok(rows.slice(attacks.length).every(row => works(acl, row)))
  assert.ok(acl.ingress.length <= 20)
  const many = [
    ...attacks,
    ...Array.from({ length: 30 }, (_, i): Row => ({ client: victim, server: '192.0.2.1', protocol: 100 + i })),
  ]
  const more = only(listOf({ rows: many }))
  assert.ok(more.acl.egress.length > 20 && more.acl.egress.length <= 40)
  assert.match(more.cost, /AWS raises it to 40 on request/)
  assert.doesNotMatch(cost, /AWS raises/)
})

test('what is recommended fits the quota as it is counted for the page, or its cost says that it does not', () => {
  for (let count = 10; count <= 30; count++) {
    const protocols = Array.from(
      { length: count },
      (_, i): Row => ({ client: victim, server: '192.0.2.1', protocol: 100 + i }),
    )
    const { acl, cost } = only(listOf({ rows: [...attacks, ...protocols] }))
    const one = { id: 'acl', vpc: null, isDefault: false, ingress: acl.ingress, egress: acl.egress }
    const uses = (['ingress', 'egress'] as const).flatMap(direction => aclQuotas(one, direction))
    assert.equal(
      uses.every(({ fits }) => fits),
      !cost.includes('AWS raises it'),
      `${count}: ${cost}`,
    )
    for (const { used, most } of uses) assert.ok(used <= most!, `${count}: ${used}`)
  }
})

test('a host that was taken over is not denied at its own subnet', () => {
  assert.deepEqual(
    listOf({
      rows: [{ client: victim, server: '192.0.2.9', port: 22, isAttack: true }, ...web(10)],
      subjects: [victim],
    }),
    [],
  )
})

test('there is none where the attack did not cross the border of the subnet', () => {
  assert.deepEqual(listOf({ rows: web(10) }), [])
})

test('names the services that the attack used', () => {
  const of = (id: string, server: string, port: number) => ({
    id,
    server,
    port,
    protocol: 6,
    findings: [{ id: `F${id}`, rule: 'x' }],
  })
  const services = [of('S1', victim, 80), of('S2', victim, 443), of('S3', subject, 8889)]
  assert.deepEqual(only(listOf({ rows: attacks, services })).answers, ['S1', 'S3', 'FS1', 'FS3'])
})

const row = fc.record({
  isOut: fc.boolean(),
  other: fc.constantFrom('192.0.2.1', '192.0.2.200', '10.9.0.1', '20.106.124.92', '2001:db8::5'),
  port: fc.constantFrom(53, 80, 443, 5432, 8000, 8889, 9000),
  protocol: fc.constantFrom(6, 17, 1),
  clientPort: fc.constantFrom(123, 1024, 32_768, 49_152, 60_000, 65_535),
  times: fc.integer({ min: 1, max: 30 }),
})

test('never lets the attack through, lets all through where the share is all, and fits; order does not matter', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), some => {
      const rows = some.map(({ isOut, other, port, protocol, clientPort, times }): Row => {
        const own = other.includes(':') ? 'fd00::94' : victim
        const ends = isOut ? { client: own, server: other } : { client: other, server: own }
        return {
          ...ends,
          protocol,
          times,
          port: protocol === 1 ? null : port,
          clientPort: protocol === 1 ? null : clientPort,
        }
      })
      const given = { protect: [victim, 'fd00::94'], subjects: [subject], incident: 1000 }
      const [one] = recommendAcl(made({ ...given, rows: [...attacks, ...rows] }), undefined, { share: 1 })
      const { acl } = only([one!])
      for (const attack of attacks) assert.ok(!works(acl, { ...attack, clientPort: 50_000 }))
      for (const port of [22, 80, 443, 50_000])
        for (const side of [acl.ingress, acl.egress]) assert.ok(!passes(side, 6, port, subject))
      const isLow = (of: Row): boolean => of.clientPort !== null && of.clientPort! < 1024
      // A rare client port below 1024 has no entry.
      for (const of of rows.filter(each => !isLow(each))) assert.ok(works(acl, of), JSON.stringify(of))
      for (const side of [acl.ingress, acl.egress]) {
        assert.ok(side.length <= 20)
        assert.deepEqual(
          side.map(entry => entry.number),
          [...new Set(side.map(entry => entry.number))].sort((a, b) => a - b),
        )
      }
      assert.deepEqual(
        recommendAcl(made({ ...given, rows: [...attacks, ...rows].reverse(), pieces: 3 }), undefined, { share: 1 }),
        [one],
      )
    }),
    { numRuns: 200, seed: 14 },
  )
})
