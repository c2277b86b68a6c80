import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Address, compareAddresses, formatAddress, isIPv4, parseAddress } from '../../src/net/address.ts'
import { isInternal } from '../../src/net/internal.ts'
import { registeredService } from '../../src/net/ports.ts'
import { parsePrefix, prefixContains } from '../../src/net/prefix.ts'
import { protocolName } from '../../src/net/protocols.ts'
import { flagNames } from '../../src/net/tcp-flags.ts'
import { Database } from '../../src/store/duckdb.ts'
import { functionNames, tableFunctionNames } from '../../src/user-sql/allowed.ts'
import { ownFunctions } from '../../src/user-sql/functions.ts'
import { QuerySession } from '../../src/user-sql/session.ts'
import { golden } from '../golden.ts'
import { ask, caseFolder, value } from './support.ts'

const { caseDir } = await caseFolder()
const session = new QuerySession(caseDir)
after(() => session.close())

let state = 7
/** 0 to below `n`, the same in every run. */
function random(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}

/** Half of them IPv4; of the others many with runs of zeros, which the canonical text shortens. */
function randomAddress(): Address {
  if (random(2) === 0) return { hi: 0n, lo: 0xffff_0000_0000n | BigInt(random(2 ** 32)) }
  const groups = Array.from({ length: 8 }, () => (random(2) === 0 ? 0 : random(3) === 0 ? random(16) : random(65536)))
  const half = (from: number) => groups.slice(from, from + 4).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
  return { hi: half(0), lo: half(4) }
}

const internal = [
  '10.1.2.3',
  '172.31.0.1',
  '192.168.9.9',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  'fd00::1',
  'fe80::1',
  '::1',
]
const edges = [
  ...internal,
  '172.32.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '::',
  '::2',
  '::fffe:1.2.3.4',
  '2001:db8::',
  'ffff::ffff',
].map(text => parseAddress(text)!)
const addresses = [...edges, ...Array.from({ length: 3000 }, randomAddress)]
const literal = ({ hi, lo }: Address): string => `{hi: ${hi}::UBIGINT, lo: ${lo}::UBIGINT}`

test('addresses are told as elsewhere', async () => {
  const { rows } = await ask(
    session,
    `SELECT a, ip(a), is_ipv4(a), is_internal(a), addr(ip(a)) = a, network(a, 24) FROM (SELECT unnest([${addresses.map(literal).join(',')}]) AS a)`,
    { rows: addresses.length },
  )
  assert.equal(rows.length, addresses.length)
  for (const [i, address] of addresses.entries()) {
    const text = formatAddress(address.hi, address.lo)
    const { first } = parsePrefix(`${text}/24`)!
    const network = `${formatAddress(first.hi, first.lo)}/24`
    assert.deepEqual(rows[i], [text, text, isIPv4(address), isInternal(address), true, network])
  }
})

test('an address lies in a network as elsewhere', async () => {
  for (let n = 0; n < 40; n++) {
    const base = addresses[random(addresses.length)]!
    const text = formatAddress(base.hi, base.lo)
    const net = `${text}/${random(isIPv4(base) ? 33 : 129)}`
    const prefix = parsePrefix(net)!
    const some = [
      base,
      prefix.first,
      prefix.last,
      ...Array.from({ length: 30 }, () => addresses[random(addresses.length)]!),
    ]
    const { rows } = await ask(
      session,
      `SELECT in_net(a, '${net}') FROM (SELECT unnest([${some.map(literal).join(',')}]) AS a)`,
    )
    assert.deepEqual(
      rows.map(row => row[0]),
      some.map(address => prefixContains(prefix, address)),
      net,
    )
  }
})

test('addresses are ordered and compared by value', async () => {
  const some = addresses.slice(0, 300)
  const { rows } = await ask(session, `SELECT a FROM (SELECT unnest([${some.map(literal).join(',')}]) AS a) ORDER BY a`)
  const sorted = [...some].sort(compareAddresses).map(({ hi, lo }) => formatAddress(hi, lo))
  assert.deepEqual(
    rows.map(row => row[0]),
    sorted,
  )
})

test('names of protocols, services and flags are told as elsewhere', async () => {
  const { rows } = await ask(session, "SELECT protocol_name(n), flag_names(n), has_flag(n, 'Rst') FROM range(256) t(n)")
  for (const [n, row] of rows.entries()) {
    assert.deepEqual(row, [protocolName(n), flagNames(n).join(' '), (n & 4) !== 0])
  }
  const ports = await ask(
    session,
    'SELECT service_name(n, 6), service_name(n, 17), service_name(n, 1) FROM range(65536) t(n)',
    {
      rows: 70_000,
    },
  )
  for (const [n, row] of ports.rows.entries()) {
    assert.deepEqual(row, [registeredService(n, 6)?.name ?? null, registeredService(n, 17)?.name ?? null, null])
  }
})

test('null stays null', async () => {
  for (const { name, call } of ownFunctions) {
    const count = call.split(',').length
    const nulls = Array.from({ length: count }, (_, i) =>
      i === 0 && /\(address/.test(call) ? 'CAST(NULL AS STRUCT(hi UBIGINT, lo UBIGINT))' : 'NULL',
    )
    assert.equal(await value(session, `SELECT ${name}(${nulls.join(', ')})`), null, name)
  }
})

test('what is no address, network or flag is an error, not a miss', async () => {
  for (const call of [
    "addr('10.0.0')",
    "addr('')",
    "in_net(srcaddr, '10.0.0.0/33')",
    "has_flag(tcp_flags, 'XYZ')",
    'network(srcaddr, 129)',
  ]) {
    await assert.rejects(
      ask(session, `SELECT ${call} FROM flows`),
      { name: 'SqlError', message: /^(not an? |no network)/ },
      call,
    )
  }
})

test('every function of DuckDB was judged', async () => {
  const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  try {
    const all = await db.rows(
      'SELECT DISTINCT function_name AS name, function_type AS type FROM duckdb_functions() ORDER BY ALL',
    )
    const own = new Set(ownFunctions.map(({ name }) => name))
    const known = new Set(all.map(row => String(row['name']).toLowerCase()))
    const gone = [...functionNames].filter(name => !known.has(name) && !own.has(name))
    // Words of the grammar that become functions, and a macro of the case.
    assert.deepEqual(
      gone.filter(name => !['ip4', 'ifnull', '->'].includes(name)),
      [],
    )
    const kept = all.filter(row => {
      const name = String(row['name']).toLowerCase()
      if (/^(icu_collate_|__internal_)/.test(name)) return false
      return !(String(row['type']).startsWith('table') ? tableFunctionNames : functionNames).has(name)
    })
    // A new version of DuckDB changes this list: each new name is judged by hand.
    golden('sql-refused-functions.golden.txt', kept.map(row => `${row['type']} ${row['name']}\n`).join(''))
  } finally {
    db.close()
  }
})
