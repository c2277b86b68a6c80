/** What `aws ec2 describe-…` prints of rules and of what they are attached to: a part of a network for each of its lists. */
import { UserError } from '../errors.ts'
import * as shape from '../shape.ts'
import {
  id,
  listEntry,
  looseRule,
  networkAcl,
  networkInterface,
  prefixList,
  securityGroup,
  subnet,
} from './aws-shapes.ts'
import type { RuleDocument } from './documents.ts'
import type { NetworkDraft } from './network-draft.ts'

/** `1 subnet`, `2 subnets`. */
export function counted(count: number, what: string, ending = 's'): string {
  return `${count} ${what}${count === 1 ? '' : ending}`
}

/** One list of an answer of AWS. */
interface Listing {
  what: string
  /** Whether it is rules, and not what they are attached to. */
  isRules: boolean
  command: string
  /** What is in each of its objects, where a list stands alone, as `--query` leaves it. */
  signs: readonly string[]
  read: (items: unknown, draft: NetworkDraft, where: string) => number
}

function listing<T>(
  told: Omit<Listing, 'read'>,
  one: shape.Shape<T>,
  idOf: (value: T) => string | null,
  add: (draft: NetworkDraft, value: T, where: string) => void,
): Listing {
  const read: Listing['read'] = (items, draft, where) => {
    const { value, fault } = shape.fit(shape.listOf(one), items)
    if (value === null)
      throw new UserError(`${where}: ${fault}`, { hint: `print it again: aws ec2 ${told.command} --output json` })
    for (const item of value) add(draft, item, where)
    // The same one twice alike is one.
    return new Set(value.map(idOf)).size
  }
  return { ...told, read }
}

const listings: Record<string, Listing> = {
  SecurityGroups: listing(
    {
      what: 'security group',
      isRules: true,
      command: 'describe-security-groups',
      signs: ['GroupId', 'IpPermissions'],
    },
    securityGroup,
    ({ id }) => id,
    (draft, group, where) => draft.addGroup(group, where),
  ),
  SecurityGroupRules: listing(
    {
      what: 'security group rule',
      isRules: true,
      command: 'describe-security-group-rules',
      signs: ['SecurityGroupRuleId'],
    },
    looseRule,
    ({ rule }) => rule.id,
    (draft, rule, where) => draft.addRule(rule, where),
  ),
  NetworkAcls: listing(
    { what: 'network ACL', isRules: true, command: 'describe-network-acls', signs: ['NetworkAclId', 'Entries'] },
    networkAcl,
    ({ acl }) => acl.id,
    (draft, acl, where) => draft.addAcl(acl, where),
  ),
  NetworkInterfaces: listing(
    {
      what: 'network interface',
      isRules: false,
      command: 'describe-network-interfaces',
      signs: ['NetworkInterfaceId'],
    },
    networkInterface,
    ({ id }) => id,
    (draft, one, where) => draft.addInterface(one, where),
  ),
  Subnets: listing(
    { what: 'subnet', isRules: false, command: 'describe-subnets', signs: ['SubnetId', 'CidrBlock'] },
    subnet,
    ({ id }) => id,
    (draft, one, where) => draft.addSubnet(one, where),
  ),
  PrefixLists: listing(
    { what: 'prefix list', isRules: false, command: 'describe-managed-prefix-lists', signs: ['PrefixListId'] },
    prefixList,
    ({ id }) => id,
    (draft, list, where) => draft.addList(list, where),
  ),
}

/** Whether a value is an answer by itself. */
export function isAwsAnswer(value: object): boolean {
  return [...Object.keys(listings), 'Entries'].some(key => Object.hasOwn(value, key))
}

/** Whether it is an element of one of AWS's lists: network ACLs have entries, too. */
export function isAwsItem(value: object): boolean {
  return listingOf(value) !== undefined
}

function listingOf(item: object): Listing | undefined {
  return Object.values(listings).find(({ signs }) => signs.every(sign => Object.hasOwn(item, sign)))
}

export interface AwsPart {
  /** What was read: `3 security groups`. */
  holds: string[]
  hasRules: boolean
  /** What is not told, though it was asked for. */
  problems: string[]
}

/** @returns null where it is nothing of AWS's. @throws UserError that says which part is wrong. */
export function addAwsAnswer({ where, value }: RuleDocument, path: string, draft: NetworkDraft): AwsPart | null {
  if (Array.isArray(value)) return addBareList({ where, value }, draft)
  if (typeof value !== 'object' || value === null) return null
  const answer = value as Record<string, unknown>
  const found = Object.entries(listings).filter(([key]) => Object.hasOwn(answer, key))
  const holds = found.map(([key, { what, read }]) => counted(read(answer[key], draft, `${where}: ${key}`), what))
  if (Object.hasOwn(answer, 'Entries')) holds.push(addEntries(answer, where, path, draft))
  if (holds.length === 0) return null
  const isCut = typeof answer['NextToken'] === 'string' && answer['NextToken'] !== ''
  const problem = `${where}: this page is not the last (it has a NextToken): give the others, too`
  const hasRules = found.some(([, { isRules }]) => isRules)
  return { holds, hasRules, problems: isCut ? [problem] : [] }
}

/** One of AWS's lists by itself, as `--query` leaves it. */
function addBareList({ where, value }: { where: string; value: unknown[] }, draft: NetworkDraft): AwsPart | null {
  const [first] = value
  const found = typeof first === 'object' && first !== null ? listingOf(first) : undefined
  if (found === undefined) return null
  return { holds: [counted(found.read(value, draft, where), found.what)], hasRules: found.isRules, problems: [] }
}

const entries = shape.objectOf({ Entries: shape.listOf(listEntry) }, { PrefixListId: id })

/** Entries of a prefix list do not say of which: the name of their file does. */
function addEntries(answer: unknown, where: string, path: string, draft: NetworkDraft): string {
  const command = 'aws ec2 get-managed-prefix-list-entries --prefix-list-id pl-… --output json'
  const { value, fault } = shape.fit(entries, answer)
  if (value === null) throw new UserError(`${where}: ${fault}`, { hint: `print it again: ${command}` })
  const list = value.PrefixListId ?? /pl-[0-9a-f]+/.exec(path.split(/[/\\]/).at(-1)!)?.[0]
  if (list === undefined) {
    throw new UserError(`${where}: entries of a prefix list, and it does not say of which`, {
      hint: `name the file after the list: ${command} > pl-….json`,
    })
  }
  draft.addListEntries(list, value.Entries, where)
  return `${counted(value.Entries.length, 'prefix', 'es')} of ${list}`
}
