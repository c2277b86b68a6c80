// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts must look like templates.
/** Recommendations of every kind, with texts that mean something to HCL, YAML, a shell, the AWS CLI or AWS. */
import fc from 'fast-check'
import type { Artefact } from '../../src/as-code/artefact.ts'
import type { CodeContext, CodeItem } from '../../src/as-code/code.ts'
import { type Prefix, parsePrefix } from '../../src/net/prefix.ts'
import type { AclEntry, GroupRule, IcmpRange, PortRange, Remote, Traffic } from '../../src/network-rules/network.ts'

export const hostileTexts = [
  '',
  ' ',
  '"',
  "'",
  "'; touch tidemark-pwned; '",
  '"; touch tidemark-pwned; "',
  '$(touch tidemark-pwned)',
  '`touch tidemark-pwned`',
  '$HOME ${HOME} $$ !!',
  '${path.module}',
  '$${path.module}',
  '$$${path.module}',
  '%{if true}x%{endif}',
  '%%{if true}',
  '${',
  '%{',
  '\\',
  '\\"',
  "\\'",
  'a\nb',
  '\r\nresource "aws_iam_user" "x" {}',
  '\n*/ provider "x" {}',
  'a: b',
  '- a',
  'x # y',
  '!Ref X',
  '!Sub "${AWS::Region}"',
  '${AWS::AccountId}',
  '{{resolve:ssm-secure:/db/password:1}}',
  '{{{resolve:secretsmanager:x}}',
  '*a',
  '&a',
  '? a',
  '| a',
  '> a',
  '@a',
  '[a, b',
  '{a: b',
  '<<EOF',
  'EOF',
  '---',
  '...',
  'true',
  'no',
  'null',
  '~',
  '0x1f',
  '1e3',
  '012',
  '1:30:00',
  '2010-01-01',
  '.inf',
  '\0',
  '\x1b[31m',
  '\x7f',
  '\u0085a',
  '\u2028a',
  '\ufeffa',
  '\ufffea',
  '\uffffa',
  '\ud800a',
  '\u202ea',
  'é漢字😀',
  'e\u0301\u0301\u0301\u0301\u0301\u0301',
  'sg-12345678',
  'SG-x',
  'aws-x',
  '--query',
  '-x',
  'file:///etc/hostname',
  'fileb:///etc/hostname',
  'http://192.0.2.1/',
  'https://192.0.2.1/',
  '=cmd|x',
  '*?[a]~',
  'x'.repeat(300),
  '😀'.repeat(150),
  'a b '.repeat(600),
]

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...hostileTexts), { maxLength: 3 }).map(parts => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'\'"\\$%{}#:-[]&*!|>@`\n\t a'), maxLength: 20 }) },
)

function hex(prefix: string): fc.Arbitrary<string> {
  const digits = fc.constantFrom(...'0123456789abcdef')
  return fc.string({ unit: digits, minLength: 17, maxLength: 17 }).map(end => prefix + end)
}

const prefix: fc.Arbitrary<Prefix> = fc
  .oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(
      fc.ipV6().filter(one => !one.includes('.')),
      fc.integer({ min: 0, max: 128 }),
    ),
  )
  .map(([address, length]) => parsePrefix(`${address}/${length}`))
  // An IPv4 address written in hexadecimal is IPv4 here, and its prefix may be of neither alone.
  .filter(one => one !== null && !one.text.startsWith('::ffff:')) as fc.Arbitrary<Prefix>

const ports: fc.Arbitrary<PortRange | null> = fc.option(
  fc
    .tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 65_535 }))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
)

const icmp: fc.Arbitrary<IcmpRange | null> = fc.oneof(
  fc.constant(null),
  fc.record({ type: fc.integer({ min: 0, max: 255 }), code: fc.option(fc.integer({ min: 0, max: 255 })) }),
  fc.constant({ type: null, code: null }),
)

const traffic: fc.Arbitrary<Traffic> = fc
  .tuple(fc.constantFrom(null, 6, 6, 17, 1, 58, 47, 50, 132, 255), ports, icmp)
  .map(([protocol, range, types]) => ({
    protocol,
    ports: protocol === 6 || protocol === 17 ? range : null,
    icmp: protocol === 1 || protocol === 58 ? types : null,
  }))

const remote: fc.Arbitrary<Remote> = fc.oneof(
  { weight: 3, arbitrary: prefix.map(one => ({ kind: 'prefix' as const, prefix: one })) },
  {
    weight: 1,
    arbitrary: fc
      .oneof(hex('sg-'), text, fc.constantFrom('group-1', 'group-2'))
      .map(group => ({ kind: 'group' as const, group })),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(hex('pl-'), text).map(list => ({ kind: 'prefix-list' as const, list })),
  },
)

const groupRule: fc.Arbitrary<GroupRule> = fc
  .tuple(traffic, remote, text)
  .map(([about, to, description]) => ({ ...about, id: null, remote: to, description }))

const entries: fc.Arbitrary<AclEntry[]> = fc.uniqueArray(
  fc
    .tuple(traffic, prefix, fc.integer({ min: 1, max: 32_766 }), fc.constantFrom('allow' as const, 'deny' as const))
    .map(([about, to, number, action]) => ({ ...about, number, action, prefix: to })),
  { selector: one => one.number, maxLength: 5 },
)

const texts = fc.array(text, { maxLength: 2 })
const addresses = fc.array(fc.oneof(fc.ipV4(), text), { maxLength: 3 })

const group: fc.Arbitrary<Artefact> = fc.record({
  what: fc.constant('security-group' as const),
  direction: fc.constantFrom('ingress' as const, 'egress' as const),
  group: fc.record({
    id: fc.constantFrom('group-1', 'group-2', ''),
    name: text,
    vpc: fc.option(fc.oneof(hex('vpc-'), text)),
    ingress: fc.array(groupRule, { maxLength: 5 }),
    egress: fc.array(groupRule, { maxLength: 5 }),
  }),
  addresses,
  interfaces: fc.array(fc.oneof(hex('eni-'), text), { maxLength: 2 }),
})

const acl: fc.Arbitrary<Artefact> = fc.record({
  what: fc.constant('network-acl' as const),
  ingress: entries,
  egress: entries,
  subnets: fc.array(fc.oneof(hex('subnet-'), text), { maxLength: 2 }),
  addresses,
})

const pattern: fc.Arbitrary<string | null> = fc.option(
  text.map(one => `[version, bytes, action="${one.slice(0, 500)}"]`),
)

const alarm: fc.Arbitrary<Artefact> = fc.record({
  what: fc.constant('metric-alarm' as const),
  name: text,
  pattern,
  value: fc.constantFrom('1', '$bytes'),
  statistic: fc.constantFrom('Sum' as const, 'SampleCount' as const, 'Maximum' as const),
  comparison: fc.constantFrom('GreaterThanThreshold' as const, 'LessThanOrEqualToThreshold' as const),
  threshold: fc.oneof(
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.constantFrom(1e21, 2.5, 1e-7),
    fc.double({ min: 0.001, max: 1e15, noNaN: true }),
  ),
  period: fc.constantFrom(60, 300, 600, 3600),
  periods: fc.integer({ min: 1, max: 5 }),
  missing: fc.constantFrom('notBreaching' as const, 'breaching' as const, 'missing' as const),
  unit: fc.constantFrom('Bytes' as const, 'Count' as const),
})

const rate: fc.Arbitrary<Artefact> = fc.record({
  what: fc.constant('rate-rule' as const),
  name: text,
  limit: fc.integer({ min: 10, max: 2_000_000_000 }),
  window: fc.constantFrom(60, 120, 300, 600),
  servers: addresses,
})

const fields = [
  'version',
  'account-id',
  'interface-id',
  'srcaddr',
  'dstaddr',
  'pkt-srcaddr',
  'tcp-flags',
  'flow-direction',
]

const flowLog: fc.Arbitrary<Artefact> = fc
  .constantFrom(['VPC', 'vpc-'] as const, ['Subnet', 'subnet-'] as const, ['NetworkInterface', 'eni-'] as const)
  .chain(([resourceType, start]) =>
    fc.record({
      what: fc.constant('flow-log' as const),
      fields: fc.shuffledSubarray(fields, { minLength: 1 }),
      interval: fc.constantFrom(60, 600),
      traffic: fc.constant('ALL' as const),
      resource: fc.oneof(hex(start), text, fc.constant(null)),
      resourceType: fc.constant(resourceType),
    }),
  )

const artefact = fc.oneof(
  group,
  group,
  acl,
  acl,
  alarm,
  alarm,
  rate,
  flowLog,
  fc.constant<Artefact>({ what: 'advice' }),
)

/** A set as a case gives it: ids in order, and no two groups with the same id. */
export const items: fc.Arbitrary<CodeItem[]> = fc
  .array(fc.record({ title: text, why: text, cost: text, confirm: texts, tried: texts, artefact }), {
    minLength: 8,
    maxLength: 8,
  })
  .map(list => {
    const taken = new Set<string>()
    return list.map((item, i) => {
      const { artefact: one } = item
      if (one.what === 'security-group' && taken.size < 2 && !taken.has(one.group.id)) taken.add(one.group.id)
      else if (one.what === 'security-group')
        return { ...item, id: `C${i + 1}`, artefact: { ...one, group: { ...one.group, id: '' } } }
      return { ...item, id: `C${i + 1}` }
    })
  })

export const context: fc.Arbitrary<CodeContext> = fc.record({
  region: fc.oneof(fc.constantFrom('us-east-1', 'eu-west-3', null), text),
  account: fc.oneof(fc.constantFrom('123456789010', null), text),
  vpc: fc.oneof(hex('vpc-'), fc.constant(null), text),
})
