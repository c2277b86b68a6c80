import { stat } from 'node:fs/promises'
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { parseAddress } from '../net/address.ts'
import { parseIndicator } from '../net/indicator.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { isSourceUri } from '../sources/uri.ts'

export interface SplitArguments {
  subjects: string[]
  lists: string[]
  paths: string[]
}

/**
 * `splitAny`, where there must be a subject, and a path may be of S3 or CloudWatch Logs.
 *
 * @throws UserError where there is none, and where a path does not exist.
 */
export async function splitArguments(args: string[], afterDashes: number): Promise<SplitArguments> {
  const split = await splitAny(args, afterDashes, 'elsewhere too')
  if (split.subjects.length + split.lists.length > 0) return split
  const file = split.paths[0] ?? '--'
  throw new UserError(`no address to investigate before: ${file}`, {
    hint: `name it first: tidemark investigate 203.0.113.7 ${file}`,
    status: exitStatus.usage,
  })
}

/**
 * Splits `ADDR… @LIST… [PATH…] [-- PATH…]`: arguments are subjects, or lists of them, up to the first that is neither, then
 * paths; the last `afterDashes` of them stood after `--` and are paths in any case.
 *
 * @throws UserError where a path does not exist.
 */
export async function splitAny(args: string[], afterDashes: number, where: Where = 'here'): Promise<SplitArguments> {
  const open = args.slice(0, args.length - afterDashes)
  const isList = (arg: string): boolean => arg.length > 1 && arg.startsWith('@')
  const firstPath = open.findIndex(arg => subjectOf(arg) === null && !isList(arg))
  const paths = args.slice(firstPath < 0 ? open.length : firstPath)
  const first = args.slice(0, args.length - paths.length)
  const lists = first.filter(isList).map(arg => arg.slice(1))
  const subjects = first.filter(arg => !isList(arg)).map(arg => subjectOf(arg)!.text)
  for (const path of paths) {
    if (!(await exists(path, where))) throw open.includes(path) && !isSourceUri(path) ? neither(path) : missing(path)
  }
  return { subjects: [...new Set(subjects)], lists, paths }
}

/** An address or network, also as `1[.]2[.]3[.]4` and in a URL. A port is refused: it would seem to be asked for. */
function subjectOf(arg: string): Prefix | null {
  return parsePrefix(arg) ?? (/:\d{1,5}$/.test(arg) ? null : parseIndicator(arg))
}

/** Whether paths may be of S3 and CloudWatch Logs. Whether there is something is not asked here. */
type Where = 'here' | 'elsewhere too'

/** Throws a UserError for the first path that does not exist. */
export async function requirePaths(paths: string[], where: Where = 'here'): Promise<void> {
  for (const path of paths) if (!(await exists(path, where))) throw missing(path)
}

async function exists(path: string, where: Where): Promise<boolean> {
  if (isSourceUri(path)) return where === 'elsewhere too'
  // Standard input.
  if (path === '-') return true
  try {
    await stat(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

function missing(path: string): UserError {
  return new UserError(`no such file or folder: ${path}`, { hint: pathHint(path), status: exitStatus.usage })
}

function neither(text: string): UserError {
  if (subjectOf(text) !== null) {
    const hint = 'addresses come first, then files and folders'
    return new UserError(`an address after a path, and no such file: ${text}`, { hint, status: exitStatus.usage })
  }
  return new UserError(`not an address and no such file: ${text}`, {
    hint: addressHint(text),
    status: exitStatus.usage,
  })
}

function pathHint(path: string): string {
  if (isSourceUri(path)) return `add it to a case first: tidemark add ${path}`
  if (/^(?:s3[an]?:|logs:|arn:aws[\w-]*:|https?:\/\/[^/]*amazonaws\.com)/i.test(path))
    return 'a bucket is named s3://BUCKET/PREFIX, a group of CloudWatch Logs logs://GROUP'
  if (/[*?[]/.test(path)) return 'quotes keep the shell from expanding a pattern; name the folder instead'
  return 'check the spelling; relative paths start in the folder you are in'
}

/** What the text that was meant to be an address may lack. */
function addressHint(text: string): string {
  const [address = '', length] = text.split('/')
  const host = /^\[?([^\]]*?)\]?:\d+$/.exec(text)?.[1]
  if (host !== undefined && parseAddress(host) !== null) return `give the address without its port: ${host}`
  const parts = address.split('.').filter(part => part !== '')
  if (parts.length < 4 && parts.length > 1 && parts.every(part => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    const network = [...parts, '0', '0'].slice(0, 4).join('.')
    return `an IPv4 address has four parts; a network is written ${network}/${length ?? 8 * parts.length}`
  }
  if (length !== undefined && parseAddress(address) !== null) {
    return `the length of a network is a number from 0 to ${address.includes(':') ? 128 : 32}`
  }
  if (text.includes('%')) return 'give the address without its zone'
  if (length !== undefined || /^[/.~]|[*?]|^s3:/.test(text) || text.includes('.gz') || text.includes('.log'))
    return pathHint(text)
  return 'an address is like 203.0.113.7 or 2001:db8::7, a network like 203.0.113.0/24'
}
