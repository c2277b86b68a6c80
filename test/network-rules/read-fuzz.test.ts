import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { decider } from '../../src/network-rules/evaluate.ts'
import { readRulesOf } from '../../src/network-rules/read-network.ts'
import { Chance } from './random-rules.ts'
import { awsAnswers, control, template } from './rule-files.ts'
import { address, connection } from './support.ts'

const seed = Number(process.env['TIDEMARK_SEED'] ?? 14)
const mutations = Number(process.env['TIDEMARK_RULE_MUTATIONS'] ?? 3000)
const known = [{ id: 'eni-1', address: address('10.0.1.5'), subnet: 'subnet-1' }]
const asked = connection('203.0.113.1:40000 > 10.0.1.5:443 tcp')

const odd = [
  ...[
    null,
    true,
    -1,
    0,
    65_536,
    1e308,
    '',
    '-1',
    'tcp',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '\u0000\u001b[31m',
    '__proto__',
  ],
  ...[[], {}, [[]], { Ref: 'Nowhere' }, { 'Fn::GetAtt': [] }, 'x'.repeat(5000)],
]

/** A copy with one part replaced, removed, doubled or moved. */
function mutated(value: unknown, chance: Chance): unknown {
  const copy = structuredClone(value)
  const places: { holder: Record<string, unknown>; key: string }[] = []
  const walk = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return
    for (const key of Object.keys(one)) {
      places.push({ holder: one as Record<string, unknown>, key })
      walk((one as Record<string, unknown>)[key])
    }
  }
  walk(copy)
  const { holder, key } = chance.one(places)
  const other = chance.one(places)
  switch (chance.below(4)) {
    case 0:
      Reflect.deleteProperty(holder, key)
      break
    case 1:
      holder[key] = structuredClone(other.holder[other.key])
      break
    case 2:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]))
      else holder[`${key}2`] = holder[key]
      break
    default:
      holder[key] = chance.one(odd)
  }
  return copy
}

/** Reads and uses it: a network, or a UserError. Returns whether it was read. */
function isRead(path: string, bytes: Uint8Array): boolean {
  try {
    const { network } = readRulesOf([{ path, bytes }], known)
    assert.ok(['allowed', 'denied', 'undecided'].includes(decider(network)(asked).verdict))
    return true
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    assert.ok(error.message.length < 1000 && (error.hint ?? '').length < 6000, error.message)
    assert.ok(error.hint !== undefined, error.message)
    return false
  }
}

test('reads or refuses every altered answer of AWS, control and template', () => {
  let read = 0
  for (let round = 0; round < mutations; round++) {
    const chance = new Chance(seed * 7919 + round)
    let value: unknown = chance.one([awsAnswers, awsAnswers, control])
    for (let i = 0; i <= chance.below(3); i++) value = mutated(value, chance)
    if (isRead('rules.json', Buffer.from(JSON.stringify(value)))) read++
  }
  assert.ok(read > mutations / 10 && read < mutations * 0.9, String(read))
})

test('reads or refuses every altered text, in JSON and YAML', () => {
  const texts = [JSON.stringify(awsAnswers), JSON.stringify(control, null, 2), template]
  for (let round = 0; round < mutations / 3; round++) {
    const chance = new Chance(seed * 104_729 + round)
    const bytes = Buffer.from(chance.one(texts))
    for (let i = 0; i <= chance.below(4); i++) {
      const at = chance.below(bytes.length)
      if (chance.is(0.5)) bytes[at] = chance.below(256)
      else bytes.copy(bytes, at, chance.below(bytes.length))
    }
    isRead('rules.yaml', chance.is(0.3) ? bytes.subarray(0, chance.below(bytes.length)) : bytes)
  }
})

test('refuses what is nested without end, or grows by its aliases, in a short time', () => {
  const hostile: Record<string, string> = {
    brackets: '['.repeat(1_000_000),
    'closed brackets': `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    braces: '{"a":'.repeat(200_000),
    documents: '{}'.repeat(200_000),
    'YAML lists': '- '.repeat(20_000),
    'YAML flow': `a: ${'['.repeat(5000)}`,
    'YAML deep': Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    aliases: `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]`).join('\n')}\nResources: *i\n`,
    'many keys': Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'),
    'large YAML': 'a: 1\n'.repeat(400_000),
    'a loop': 'Resources: &a\n  A: *a\n',
  }
  for (const [name, text] of Object.entries(hostile)) {
    const before = process.cpuUsage()
    isRead(`${name}.yaml`, Buffer.from(text))
    const { user } = process.cpuUsage(before)
    assert.ok(user < 10e6, `${name}: ${user / 1e6} s`)
  }
})

test('refuses a template whose resources refer to themselves, and long names', () => {
  const self = {
    Resources: {
      A: {
        Type: 'AWS::EC2::SecurityGroupIngress',
        Properties: { GroupId: { Ref: 'A' }, IpProtocol: '-1', CidrIp: { Ref: 'A' } },
      },
    },
  }
  assert.equal(isRead('self.json', Buffer.from(JSON.stringify(self))), false)
  const long = { SecurityGroups: [{ GroupId: 'sg-'.repeat(1000), IpPermissions: [], IpPermissionsEgress: [] }] }
  assert.equal(isRead('long.json', Buffer.from(JSON.stringify(long))), false)
})
