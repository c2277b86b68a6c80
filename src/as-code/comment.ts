/** What a reader is told in comments, as lines without the format's mark. */
import { visible } from '../visible.ts'
import type { CodeFormat } from './artefact.ts'
import type { Attached, CodeItem, GroupPart, Part, Plan } from './plan.ts'

const width = 110

/** Lines of at most 110 characters where words allow it; the ones after the first begin with `indent`. */
export function wrapped(text: string, indent = ''): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of visible(text)
    .split(' ')
    .filter(word => word !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** The control, in words: all that whoever approves it must know. */
export function heading({ id, title, why, cost, confirm, tried }: CodeItem): string[] {
  return [
    ...wrapped(`${id}: ${title}`, '  '),
    ...inset(why, '  '),
    ...(cost === '' ? [] : inset(`Costs: ${cost}`, '  ')),
    ...tried.flatMap(line => inset(`Tried: ${line}`, '  ')),
    ...(confirm.length === 0 ? [] : ['  Confirm first:']),
    ...confirm.flatMap(line => inset(`- ${line}`, '    ')),
  ]
}

function inset(text: string, indent: string): string[] {
  return wrapped(text).map(line => indent + line)
}

/** What a document is, and what of the controls it does not hold. */
export function preamble({ parts, advice }: Plan): string[] {
  const ids = parts.map(part => part.item.id).join(', ')
  return [
    ...wrapped(`Written by tidemark controls from recorded flows: ${ids}. Review it before it is used.`),
    ...advice.flatMap(item => wrapped(`Not code: ${item.id}: ${item.title}`, '  ')),
  ]
}

/** What stands before the step that puts the part into effect. */
export function attachWords(part: Part, format: CodeFormat): string[] {
  switch (part.what) {
    case 'security-group':
      return wrapped(
        `Attaching is a step of its own. Groups add up: the interface keeps every ${part.direction} rule of its other groups, so this stops nothing until those rules go. ${other(part)}${forWhom(part)}${managed[format]}`,
      )
    case 'network-acl':
      return wrapped(
        `Attaching is a step of its own: a subnet has one ACL, so this one takes the place of the present one, for all that is in the subnet.${format === 'aws_cli' ? '' : " Note which one it has now: when this is taken back, AWS puts the VPC's default ACL there."}${forWhom(part)}`,
      )
    case 'rate-rule':
      return wrapped(
        `A web ACL stands before a load balancer, an API or the like, never before an instance. It counts requests; ${part.limit} in ${part.window} seconds came from connections, which may carry several.${part.servers.length > 0 ? ` For: ${part.servers.join(', ')}.` : ''}`,
      )
    default:
      return []
  }
}

/** How else it can be attached. */
const managed: Record<CodeFormat, string> = {
  terraform: ' Where Terraform has the instance, put the group into its vpc_security_group_ids instead.',
  cloudformation: ' A stack cannot put it on an interface that is there; this does, with the other groups named:',
  aws_cli: '',
}

function other(part: GroupPart): string {
  return part.direction === 'ingress'
    ? 'It has no egress rules: what the interface may send is for its other groups to say.'
    : 'It has no ingress rules: what may reach the interface is for its other groups to say.'
}

function forWhom({ told }: Attached): string {
  return told.length > 0 ? ` For: ${told.join(', ')}.` : ''
}
