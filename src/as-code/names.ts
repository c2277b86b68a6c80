/** Texts of the evidence as AWS takes them. What is not allowed becomes `_`, and what is cut ends with dots: both can be seen. */
import { visible } from '../visible.ts'

/** Names and descriptions of security groups and their rules: at most 255 of these (EC2 API Reference, AuthorizeSecurityGroupIngress). */
export function groupText(text: string): string {
  return cut(text.replace(/[^a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]/gu, '_').trim(), 255)
}

/** Name of a security group: not empty, not like an id, and not that of the VPC's own. */
export function groupName(text: string, fallback: string): string {
  const name = groupText(text)
  if (name === '') return fallback
  return /^(sg-|default$)/i.test(name) ? groupText(`tidemark ${name}`) : name
}

/** One line of any characters, as names and descriptions of alarms are. */
export function lineOf(text: string, longest: number): string {
  return cut(visible(text).trim(), longest)
}

/** Names of AWS WAF, metrics and metric filters: letters, digits, `-` and `_`. */
export function plainName(text: string, longest: number): string {
  return cut(text.replace(/[^A-Za-z0-9_-]+/g, '_'), longest).replaceAll('.', '_')
}

/** The name, or with a number behind it where it is taken. */
export function unique(taken: Set<string>, name: string, longest: number, join = '-'): string {
  let free = name
  for (let n = 2; taken.has(free.toLowerCase()); n++) {
    const suffix = `${join}${n}`
    free = name.slice(0, longest - suffix.length) + suffix
  }
  taken.add(free.toLowerCase())
  return free
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest - 3).replace(/[\ud800-\udbff]$/, '')}...`
}

const id = {
  vpc: /^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/,
  subnet: /^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/,
  interface: /^eni-([0-9a-f]{8}|[0-9a-f]{17})$/,
  group: /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/,
  list: /^pl-([0-9a-f]{8}|[0-9a-f]{17})$/,
  account: /^\d{12}$/,
  region: /^[a-z]{2,3}(-[a-z]+){1,3}-\d$/,
}

/** Whether the text is an id, or a name, of this kind. */
export function isId(kind: keyof typeof id, text: string | null): text is string {
  return text !== null && id[kind].test(text)
}

/** A number without exponent, which not every format knows. */
export function decimal(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/\.?0+$/, '')
}
