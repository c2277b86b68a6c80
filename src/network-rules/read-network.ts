/** Reads files of rules: AWS's answers about what is there, or controls of Tidemark's own that somebody edited. */
import { createHash } from 'node:crypto'
import { readNamed } from '../disk/named-file.ts'
import { UserError } from '../errors.ts'
import type { Address } from '../net/address.ts'
import { networkFor } from './attached.ts'
import { addAwsAnswer, counted, isAwsAnswer, isAwsItem } from './aws-json.ts'
import { templateControlsIn } from './cloudformation.ts'
import { documentsIn, type RuleDocument } from './documents.ts'
import type { Network, NetworkInterface } from './network.ts'
import { NetworkDraft } from './network-draft.ts'
import { type OwnControl, ownControlsIn } from './own-controls.ts'
import { Places } from './places.ts'

export interface RuleFile {
  path: string
  sha256: string
  /** `3 security groups`, `2 controls`. */
  holds: string[]
}

export interface ReadRules {
  network: Network
  files: RuleFile[]
  /** What could not be used, or is not all. */
  problems: { path: string; problem: string }[]
}

/** What the evidence tells of an interface: controls that name it are for its address. */
export interface KnownInterface {
  id: string
  address: Address
  subnet: string | null
}

export interface ReadRulesOptions {
  /** The option that named the files, for messages. */
  option?: string
  interfaces?: readonly KnownInterface[]
}

/** JSON is held whole, in several times its size. */
const megabytes = 100

const hint =
  'known are what aws ec2 describe-security-groups, -security-group-rules, -network-acls, -network-interfaces, -subnets and -managed-prefix-lists print, and what tidemark controls writes as JSON or CloudFormation'

/** @throws UserError that names the file, the place in it, what is wrong and what to do. */
export function readRules(
  paths: readonly string[],
  { option = '--try', interfaces = [] }: ReadRulesOptions = {},
): ReadRules {
  const reader = new RulesReader()
  for (const path of paths) reader.read(path, readNamed(`${option} ${path}`, path, megabytes), `${option} ${path}`)
  return reader.result(interfaces)
}

/** The like, of bytes that were read. */
export function readRulesOf(
  files: readonly { path: string; bytes: Uint8Array }[],
  interfaces: readonly KnownInterface[] = [],
): ReadRules {
  const reader = new RulesReader()
  for (const { path, bytes } of files) reader.read(path, bytes, path)
  return reader.result(interfaces)
}

class RulesReader {
  private readonly draft = new NetworkDraft()
  private readonly controls: OwnControl[] = []
  private readonly files: RuleFile[] = []
  private readonly problems: ReadRules['problems'] = []
  private ownFile: string | null = null
  private awsFile: string | null = null

  read(path: string, bytes: Uint8Array, where: string): void {
    const holds = documentsIn(where, bytes).flatMap(document => this.readOne(document, path))
    this.files.push({ path, sha256: createHash('sha256').update(bytes).digest('hex'), holds })
  }

  private readOne(document: RuleDocument, path: string): string[] {
    if (Array.isArray(document.value) && document.value.every(isAnswer) && document.value.length > 0)
      return document.value.flatMap((value, i) =>
        this.readOne({ where: `${document.where}, element ${i + 1}`, value }, path),
      )
    const own = ownControlsIn(document)
    const template = own === null ? templateControlsIn(document) : null
    const controls = own ?? template?.controls
    if (controls !== undefined) {
      this.ownFile ??= path
      for (const control of controls) this.addControl(control, path)
      this.problems.push(...(template?.problems ?? []).map(problem => ({ path, problem })))
      return [counted(controls.length, 'control')]
    }
    const answer = addAwsAnswer(document, path, this.draft)
    if (answer === null) throw new UserError(`${document.where}: nothing that is known`, { hint })
    if (answer.hasRules) this.awsFile ??= path
    this.problems.push(...answer.problems.map(problem => ({ path, problem })))
    return answer.holds
  }

  private addControl(control: OwnControl, path: string): void {
    const { addresses, interfaces, subnets } = control.appliesTo
    this.controls.push(control)
    if (addresses.length + interfaces.length + subnets.length > 0) return
    const name = control.what === 'group' ? control.group.id : control.acl.id
    this.problems.push({ path, problem: `${name} is for no address, interface or subnet, so it is not tried` })
  }

  result(interfaces: readonly KnownInterface[]): ReadRules {
    const { files, problems } = this
    const told = this.draft.network()
    if (this.ownFile === null) return { network: withEvidence(told, interfaces), files, problems }
    if (this.awsFile !== null) {
      throw new UserError(
        `${this.ownFile} and ${this.awsFile}: controls of Tidemark, and groups or network ACLs of AWS`,
        {
          hint: 'try them one after the other: which of them hold where both do is not told',
        },
      )
    }
    return { network: attachedNetwork(this.controls, told, interfaces), files, problems }
  }
}

/** Whether an element of a list is an answer by itself, as `jq -s` puts several into one list. */
function isAnswer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const isBare = isAwsItem(value)
  return !isBare && (isAwsAnswer(value) || Object.hasOwn(value, 'controls') || Object.hasOwn(value, 'Resources'))
}

/** With the subnets that the evidence tells of interfaces, where the files do not: an ACL is for a subnet, and does not say who is in it. */
function withEvidence(told: Network, evidence: readonly KnownInterface[]): Network {
  const ids = new Set(told.subnets.flatMap(({ id, acl }) => (acl === null ? [] : [id])))
  const known = evidence.filter(({ subnet }) => ids.has(subnet))
  if (known.length === 0) return told
  const subnetOf = new Map(known.map(({ id, subnet }) => [id, subnet]))
  const described = told.interfaces.map(one => ({ ...one, subnet: one.subnet ?? subnetOf.get(one.id) ?? null }))
  const names = new Set(described.map(({ id }) => id))
  const places = new Places(told)
  const found = known.flatMap(({ id, subnet, address }): NetworkInterface[] => {
    if (names.has(id) || places.at(address).kind === 'inside') return []
    const bare = { vpc: null, prefixes: [], publicAddresses: [], groups: null }
    return [{ id, subnet, addresses: [address], ...bare }]
  })
  return { ...told, interfaces: [...described, ...found] }
}

function attachedNetwork(controls: readonly OwnControl[], told: Network, evidence: readonly KnownInterface[]): Network {
  const addresses = new Map<string, Address[]>(told.interfaces.map(one => [one.id, one.addresses]))
  for (const { id, address } of evidence) if (!addresses.has(id)) addresses.set(id, [address])
  const allOf = (one: OwnControl): Address[] => [
    ...one.appliesTo.addresses,
    ...one.appliesTo.interfaces.flatMap(
      id => addresses.get(id) ?? (one.appliesTo.addresses.length > 0 ? [] : missing(id, one)),
    ),
  ]
  return networkFor({
    groups: controls.flatMap(one => (one.what === 'group' ? [{ ...one, addresses: allOf(one) }] : [])),
    acls: controls.flatMap(one =>
      one.what === 'acl' ? [{ acl: one.acl, addresses: allOf(one), subnets: one.appliesTo.subnets }] : [],
    ),
    subnets: [
      ...told.subnets.flatMap(({ id, prefixes }) => (id === null ? [] : [{ id, addresses: [], prefixes }])),
      ...evidence.flatMap(({ subnet, address }) =>
        subnet === null ? [] : [{ id: subnet, addresses: [address], prefixes: [] }],
      ),
    ],
    interfaces: told.interfaces,
    prefixLists: told.prefixLists,
  })
}

function missing(id: string, { what, ...one }: OwnControl): never {
  const name = 'group' in one ? one.group.id : one.acl.id
  throw new UserError(`${name} is for ${id}, and nothing tells its addresses`, {
    hint: 'give what aws ec2 describe-network-interfaces prints, too, or write the addresses into the control',
  })
}
