import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Artefact } from '../../src/as-code/artefact.ts'
import { codeOf } from '../../src/as-code/code.ts'
import { toldRules } from '../../src/controls/told-rules.ts'
import { formatAddress } from '../../src/net/address.ts'
import { networkFor } from '../../src/network-rules/attached.ts'
import { decider } from '../../src/network-rules/evaluate.ts'
import type { Network } from '../../src/network-rules/network.ts'
import { readRulesOf } from '../../src/network-rules/read-network.ts'
import { asConnection, asNetwork, Chance, randomConnection, randomNetwork } from './random-rules.ts'
import { address, told } from './support.ts'

const victims = ['10.0.0.5', '10.0.1.5'] as const
const context = { region: null, account: null, vpc: null }
const kinds = { ingress: 'security-group-ingress', egress: 'security-group-egress' } as const

/** Rules of random groups and ACLs, as a recommendation has them: without those that code cannot say. */
function artefactsOf(chance: Chance): Artefact[] {
  const { groups, acls } = asNetwork(randomNetwork(chance))
  const isTold = ({ protocol, icmp }: { protocol: number | null; icmp: unknown }) => protocol !== 0 && icmp === null
  const some = { addresses: [...victims], interfaces: [], subnets: [] }
  return [
    ...groups.map((group): Artefact => {
      const direction = chance.is(0.5) ? 'ingress' : 'egress'
      const rules = group[direction].filter(rule => isTold(rule) && rule.remote.kind === 'prefix')
      return {
        what: 'security-group',
        direction,
        group: { ...group, ingress: [], egress: [], [direction]: rules },
        ...some,
      }
    }),
    ...acls.slice(0, 1).map(
      ({ ingress, egress }): Artefact => ({
        what: 'network-acl',
        ingress: ingress.filter(isTold),
        egress: egress.filter(isTold),
        ...some,
      }),
    ),
  ]
}

function networkOf(artefacts: readonly Artefact[]): Network {
  const addresses = victims.map(address)
  return networkFor({
    groups: artefacts.flatMap(one => (one.what === 'security-group' ? [{ ...one, addresses }] : [])),
    acls: artefacts.flatMap(one =>
      one.what === 'network-acl'
        ? [{ acl: { ...one, id: 'acl', vpc: null, isDefault: false }, addresses, subnets: [] }]
        : [],
    ),
  })
}

test('decides alike by rules, by their JSON and by the template that is made of them, read back', () => {
  let denied = 0
  for (let round = 0; round < 200; round++) {
    const chance = new Chance(round)
    const artefacts = artefactsOf(chance)
    const items = artefacts.map((artefact, i) => ({
      id: `C${i + 1}`,
      title: '',
      why: '',
      cost: '',
      confirm: [],
      tried: [],
      artefact,
    }))
    const template = codeOf(items, context, 'cloudformation')
    if (template === null) continue
    const controls = artefacts.map((artefact, i) => ({
      id: `C${i + 1}`,
      kind: artefact.what === 'security-group' ? kinds[artefact.direction] : 'network-acl',
      rules: toldRules(artefact),
      applies_to: {
        addresses: victims.map(text => formatAddress(address(text).hi, address(text).lo)),
        interfaces: [],
        subnets: [],
      },
    }))
    const json = JSON.stringify({ controls })
    const networks = [
      networkOf(artefacts),
      ...[template, json].map(text => readRulesOf([{ path: 'c', bytes: Buffer.from(text) }]).network),
    ]
    const [direct, byTemplate, byJson] = networks.map(network => decider(network))
    for (let i = 0; i < 30; i++) {
      const one = asConnection(randomConnection(chance, false))
      const wanted = told(direct!(one))
      if (wanted.startsWith('denied')) denied++
      assert.equal(told(byJson!(one)), wanted, `round ${round}, JSON: ${json}`)
      assert.equal(told(byTemplate!(one)), wanted, `round ${round}: ${template}`)
    }
  }
  assert.ok(denied > 500, String(denied))
})

test('a prefix list by its name is read back from JSON and from the template, and decides once its prefixes are known', () => {
  const list = 'com.amazonaws.us-east-2.s3'
  const remotes = [{ kind: 'prefix-list' as const, list }]
  const egress = remotes.map(remote => ({
    ...{ id: null, protocol: 6, ports: { from: 443, to: 443 }, icmp: null, description: '' },
    remote,
  }))
  const group = { id: 'g', name: 'g', vpc: null, ingress: [], egress }
  const [victim] = victims
  const artefact: Artefact = {
    ...{ what: 'security-group', direction: 'egress', group, interfaces: [] },
    addresses: [victim],
  }
  const template = codeOf(
    [{ id: 'C1', title: '', why: '', cost: '', confirm: [], tried: [], artefact }],
    context,
    'cloudformation',
  )!
  const applies_to = { addresses: [victim], interfaces: [], subnets: [] }
  const json = JSON.stringify({
    controls: [{ id: 'C1', kind: kinds.egress, rules: toldRules(artefact), applies_to }],
  })
  const lists = JSON.stringify({
    PrefixLists: [{ PrefixListId: 'pl-0a1b', PrefixListName: list, Cidrs: ['198.51.100.0/24'] }],
  })
  const decided = (texts: readonly string[], server: string): string => {
    const { network } = readRulesOf(texts.map(text => ({ path: 'c', bytes: Buffer.from(text) })))
    const one = asConnection(randomConnection(new Chance(1), false))
    return told(
      decider(network)({ ...one, client: address(victim), server: address(server), protocol: 6, serverPort: 443 }),
    )
  }
  for (const text of [template, json]) assert.match(decided([text], '198.51.100.9'), /prefix-list/)
  assert.doesNotMatch(decided([json, lists], '198.51.100.9'), /denied|prefix-list/)
  assert.match(decided([json, lists], '203.0.113.9'), /denied/)
})

test('a group of a template without outbound rules lets out everything, as AWS adds a rule for that, also beside an empty list', () => {
  const [victim] = victims
  const egressOf = (rest: object): number => {
    const Resources = {
      G: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: { GroupDescription: 'g', ...rest },
        Metadata: { Tidemark: { Direction: 'egress', For: [victim] } },
      },
    }
    const text = JSON.stringify({ Resources })
    const { groups } = readRulesOf([{ path: 'c', bytes: Buffer.from(text) }]).network
    return groups.find(({ id }) => id === 'G')!.egress.length
  }
  assert.equal(egressOf({}), 2)
  assert.equal(egressOf({ SecurityGroupEgress: [] }), 2)
  assert.equal(egressOf({ SecurityGroupEgress: [{ IpProtocol: '-1', CidrIp: '127.0.0.1/32' }] }), 1)
})
