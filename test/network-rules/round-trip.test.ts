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
const context = { region: null, account: null, vpc: null, logGroup: null }
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
    const items = artefacts.map((artefact, i) => ({ id: `C${i + 1}`, title: '', why: '', artefact }))
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
