/**
 * Groups and network ACLs of a CloudFormation template, as Tidemark writes them (AWS CloudFormation Template Reference, Amazon EC2).
 *
 * What they are for stands in `Metadata.Tidemark.For`, and in associations of subnets. References are followed to the defaults of parameters,
 * and to resources of the same template.
 */
import { UserError } from '../errors.ts'
import { parsePrefix } from '../net/prefix.ts'
import * as shape from '../shape.ts'
import {
  aclTraffic,
  directed,
  type LooseEntry,
  onlyRemote,
  prefix4,
  prefix6,
  protocol,
  trafficOf,
} from './aws-shapes.ts'
import type { RuleDocument } from './documents.ts'
import type { GroupRule, NetworkAcl, SecurityGroup } from './network.ts'
import { type AppliesTo, appliesToAll, type OwnControl } from './own-controls.ts'

const maybe = <T>(one: shape.Shape<T>): shape.Shape<T | null> => shape.absent(shape.nullOr(one), null)

/** Numbers and booleans may stand as texts. */
const whole = (least: number, most: number): shape.Shape<number> => {
  const fits = shape.wholeFrom(least, most)
  return value => fits(typeof value === 'string' && /^-?\d{1,6}$/.test(value) ? Number(value) : value)
}
const yesOrNo: shape.Shape<boolean> = value =>
  shape.yesOrNo(value === 'true' ? true : value === 'false' ? false : value)

const resourceShape = shape.objectOf(
  { Type: shape.text },
  { Properties: shape.recordOf(shape.anything), Metadata: shape.recordOf(shape.anything) },
)
const templateShape = shape.objectOf(
  { Resources: shape.recordOf(resourceShape) },
  { Parameters: shape.recordOf(shape.objectOf({}, { Default: shape.anything })) },
)
type Template = shape.Fitting<typeof templateShape>

/** A parameter without a default is a list that is not known. */
const listId: shape.Shape<string> = value => {
  if (typeof value !== 'object') return shape.text(value)
  return `parameter ${shape.objectOf({ Ref: shape.text })(value).Ref}`
}

const ruleShape = shape.objectOf({
  IpProtocol: protocol,
  FromPort: maybe(whole(-1, 65_535)),
  ToPort: maybe(whole(-1, 65_535)),
  CidrIp: maybe(prefix4),
  CidrIpv6: maybe(prefix6),
  SourceSecurityGroupId: maybe(shape.text),
  DestinationSecurityGroupId: maybe(shape.text),
  SourcePrefixListId: maybe(listId),
  DestinationPrefixListId: maybe(listId),
  Description: maybe(shape.text),
})

const groupRule: shape.Shape<GroupRule> = value => {
  const told = ruleShape(value)
  const prefix = told.CidrIp ?? told.CidrIpv6
  const group = told.SourceSecurityGroupId ?? told.DestinationSecurityGroupId
  const list = told.SourcePrefixListId ?? told.DestinationPrefixListId
  const remote = onlyRemote([
    prefix === null ? null : { kind: 'prefix', prefix },
    group === null ? null : { kind: 'group', group },
    list === null ? null : { kind: 'prefix-list', list },
  ])
  const traffic = trafficOf(told.IpProtocol, told.FromPort, told.ToPort)
  return { ...traffic, id: null, remote, description: told.Description ?? '' }
}

const groupShape = shape.objectOf({
  SecurityGroupIngress: shape.absent(shape.listOf(groupRule), []),
  SecurityGroupEgress: shape.absent(shape.listOf(groupRule), []),
})

const entryShape = shape.objectOf({
  RuleNumber: whole(1, 32_766),
  Protocol: protocol,
  RuleAction: shape.oneOf('allow', 'deny'),
  Egress: shape.absent(yesOrNo, false),
  CidrBlock: maybe(prefix4),
  Ipv6CidrBlock: maybe(prefix6),
  PortRange: maybe(shape.objectOf({ From: whole(0, 65_535), To: whole(0, 65_535) })),
  Icmp: maybe(shape.objectOf({ Type: maybe(whole(-1, 255)), Code: maybe(whole(-1, 255)) })),
})

const aclEntry: shape.Shape<LooseEntry> = value => {
  const told = entryShape(value)
  const prefix = told.CidrBlock ?? told.Ipv6CidrBlock ?? shape.fail('neither CidrBlock nor Ipv6CidrBlock')
  const any = (number: number | null): number | null => (number === -1 ? null : number)
  const icmp = told.Icmp === null ? null : { type: any(told.Icmp.Type), code: any(told.Icmp.Code) }
  const ports = told.PortRange === null ? null : { from: told.PortRange.From, to: told.PortRange.To }
  const traffic = aclTraffic(told.Protocol, ports, icmp, prefix)
  const entry = { ...traffic, number: told.RuleNumber, action: told.RuleAction, prefix }
  return { direction: told.Egress ? 'egress' : 'ingress', entry }
}

const metadataShape = shape.objectOf({
  Direction: maybe(shape.oneOf('ingress', 'egress')),
  For: shape.absent(shape.listOf(shape.text), []),
  Addresses: shape.absent(shape.listOf(shape.text), []),
  Interfaces: shape.absent(shape.listOf(shape.text), []),
  Subnets: shape.absent(shape.listOf(shape.text), []),
})

/** @returns null where it is no template. @throws UserError that says which part is wrong. */
export function templateControlsIn({
  where,
  value,
}: RuleDocument): { controls: OwnControl[]; problems: string[] } | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'Resources')) return null
  const { value: template, fault } = shape.fit(templateShape, value)
  if (template === null) throw new UserError(`${where}: ${fault}`, { hint: 'it is no template of CloudFormation' })
  return new TemplateReader(where, template).controls()
}

/** Deeper than any property of these resources. */
const deepest = 8

class TemplateReader {
  private readonly where: string
  private readonly template: Template
  private readonly problems: string[] = []

  constructor(where: string, template: Template) {
    this.where = where
    this.template = template
  }

  controls(): { controls: OwnControl[]; problems: string[] } {
    const groups = this.groups()
    const controls = [...groups, ...this.acls()]
    return { controls, problems: this.problems }
  }

  private groups(): OwnControl[] {
    const ingress = this.parts('AWS::EC2::SecurityGroupIngress', 'GroupId', groupRule)
    const egress = this.parts('AWS::EC2::SecurityGroupEgress', 'GroupId', groupRule)
    return this.of('AWS::EC2::SecurityGroup').flatMap((name): OwnControl[] => {
      const told = this.read(name, groupShape)
      const more = egress.get(name) ?? []
      // Without any rule of its own for it, a group lets out everything, and an empty list has none (AWS::EC2::SecurityGroup: "if you do not add
      // egress rules, we add egress rules that allow all outbound IPv4 and IPv6 traffic").
      const isOpen = told.SecurityGroupEgress.length === 0 && more.length === 0
      const group: SecurityGroup = {
        ...{ id: name, name, vpc: null },
        ingress: [...told.SecurityGroupIngress, ...(ingress.get(name) ?? [])],
        egress: isOpen ? openEgress : [...told.SecurityGroupEgress, ...more],
      }
      const { direction, to } = this.appliesTo(name, [])
      const directions = direction === null ? (['ingress', 'egress'] as const) : [direction]
      return to === null ? [] : directions.map(direction => ({ what: 'group', direction, group, appliesTo: to }))
    })
  }

  private acls(): OwnControl[] {
    const entries = this.parts('AWS::EC2::NetworkAclEntry', 'NetworkAclId', aclEntry)
    const subnets = this.parts('AWS::EC2::SubnetNetworkAclAssociation', 'NetworkAclId', value => {
      return shape.objectOf({ SubnetId: shape.text })(value).SubnetId
    })
    return this.of('AWS::EC2::NetworkAcl').flatMap((name): OwnControl[] => {
      const some = this.checked(name, () => directed(entries.get(name) ?? []), null)
      const acl: NetworkAcl = { id: name, vpc: null, isDefault: false, ...some }
      const { to } = this.appliesTo(name, subnets.get(name) ?? [])
      return to === null ? [] : [{ what: 'acl', acl, appliesTo: to }]
    })
  }

  private of(type: string): string[] {
    return Object.entries(this.template.Resources).flatMap(([name, { Type }]) => (Type === type ? [name] : []))
  }

  /** Resources of a type, by the resource that they belong to. */
  private parts<T>(type: string, owner: string, one: shape.Shape<T>): Map<string, T[]> {
    const found = new Map<string, T[]>()
    for (const name of this.of(type)) {
      const of = this.read(name, shape.objectOf({ [owner]: shape.text }))[owner]!
      const known = found.get(of) ?? []
      known.push(this.read(name, one))
      found.set(of, known)
    }
    return found
  }

  private read<T>(name: string, one: shape.Shape<T>): T {
    return this.checked(name, one, this.resolved(this.template.Resources[name]!.Properties ?? {}, 0))
  }

  private checked<T>(name: string, one: shape.Shape<T>, value: unknown): T {
    const { value: found, fault } = shape.fit(one, value)
    if (fault !== null) {
      throw new UserError(`${this.where}: Resources.${name}: ${fault}`, {
        hint: 'references are followed to the defaults of parameters and to resources of the same template, and to nothing else',
      })
    }
    return found as T
  }

  /** What a group or ACL is for; null: nothing that is known. */
  private appliesTo(
    name: string,
    subnets: readonly string[],
  ): { direction: 'ingress' | 'egress' | null; to: AppliesTo | null } {
    const metadata = this.template.Resources[name]!.Metadata?.['Tidemark'] ?? {}
    const told = this.checked(
      name,
      value => shape.objectOf({ Metadata: metadataShape })({ Metadata: value }).Metadata,
      metadata,
    )
    const all = [
      ...told.For,
      ...told.Addresses,
      ...told.Interfaces,
      ...told.Subnets,
      ...subnets.filter(id => id !== ''),
    ]
    const to = appliesToAll([...new Set(all)])
    if (to.addresses.length + to.interfaces.length + to.subnets.length === 0) {
      this.problems.push(
        `${this.where}: Resources.${name}: nothing says what it is for (Metadata: Tidemark: For), so it is not tried`,
      )
      return { direction: told.Direction, to: null }
    }
    return { direction: told.Direction, to }
  }

  /** A value with references replaced by what they stand for, as far as that is known. */
  private resolved(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null || depth > deepest) return value
    if (Array.isArray(value)) return value.map(one => this.resolved(one, depth + 1))
    const parts = Object.entries(value)
    const [key, inner] = parts[0] ?? []
    if (parts.length === 1 && key === 'Ref' && typeof inner === 'string') return this.referred(inner) ?? value
    if (parts.length === 1 && key === 'Fn::GetAtt') {
      const name = typeof inner === 'string' ? inner.split('.')[0] : Array.isArray(inner) ? inner[0] : null
      return typeof name === 'string' && Object.hasOwn(this.template.Resources, name) ? name : value
    }
    return Object.fromEntries(parts.map(([key, part]) => [key, this.resolved(part, depth + 1)]))
  }

  private referred(name: string): unknown {
    if (Object.hasOwn(this.template.Resources, name)) return name
    const parameters = this.template.Parameters ?? {}
    return Object.hasOwn(parameters, name) ? parameters[name]!.Default : undefined
  }
}

const openEgress: GroupRule[] = ['0.0.0.0/0', '::/0'].map(text => ({
  ...{ id: null, protocol: null, ports: null, icmp: null, description: '' },
  remote: { kind: 'prefix', prefix: parsePrefix(text)! },
}))
