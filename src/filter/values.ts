/** The text of a value to the value. */
import { type Address, parseAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { protocolName, protocolNumbers } from '../net/protocols.ts'

const scales: Record<string, bigint> = { '': 1n, k: 1000n, m: 1_000_000n, g: 1_000_000_000n, t: 1_000_000_000_000n }

/** Bytes as people write them: MB are thousands of thousands, MiB 1,024 times 1,024. */
function parseSize(text: string): bigint | null {
  const match = /^(\d{1,15})(?:\.(\d{1,3}))?([kmgt])(i?)b$/i.exec(text)
  if (match === null) return null
  const [, whole, fraction = '', unit, binary] = match as unknown as [
    string,
    string,
    string | undefined,
    string,
    string,
  ]
  const power = BigInt('kmgt'.indexOf(unit.toLowerCase()) + 1)
  const scale = (binary === '' ? 1000n : 1024n) ** power
  const scaled = BigInt(whole + fraction.padEnd(3, '0')) * scale
  return scaled % 1000n === 0n ? scaled / 1000n : null
}

/** A whole number: decimal, `0x…`, or with k, m, g, t for thousands (nfdump 1.7.1: decimal, not 1,024); also `1.5MB` and `64KiB`. */
export function parseNumber(text: string): bigint | null {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return BigInt(text.toLowerCase())
  if (/b$/i.test(text)) return parseSize(text)
  const match = /^(\d{1,20})([kmgt]?)$/i.exec(text)
  return match === null ? null : BigInt(match[1]!) * scales[match[2]!.toLowerCase()]!
}

/** Writes a number with the largest of k, m, g, t that loses nothing. */
export function scaled(number: bigint): string {
  for (const unit of ['t', 'g', 'm', 'k']) {
    const scale = scales[unit]!
    if (number !== 0n && number % scale === 0n) return `${number / scale}${unit}`
  }
  return String(number)
}

const spans: Record<string, bigint> = { ms: 1n, s: 1000n, min: 60_000n, h: 3_600_000n, d: 86_400_000n }

/** Milliseconds: a number of them, or a number with ms, s, min, h, d. */
export function parseDuration(text: string): bigint | null {
  const match = /^(\d{1,18})(ms|s|min|h|d)$/i.exec(text)
  return match === null ? parseNumber(text) : BigInt(match[1]!) * spans[match[2]!.toLowerCase()]!
}

/** Writes milliseconds in the largest unit that loses nothing. */
export function spanText(ms: bigint): string {
  for (const unit of ['d', 'h', 'min', 's'])
    if (ms !== 0n && ms % spans[unit]! === 0n) return `${ms / spans[unit]!}${unit}`
  return String(ms)
}

/** A prefix, also of IPv4 in nfdump's short form: `10.1/16` is 10.1.0.0/16. */
export function parseNet(text: string): Prefix | null {
  const short = /^(\d+(?:\.\d+){0,2})\/(\d+)$/.exec(text)
  if (short === null) return parsePrefix(text)
  const parts = short[1]!.split('.')
  return parsePrefix(`${[...parts, '0', '0', '0'].slice(0, 4).join('.')}/${short[2]}`)
}

/** The prefix of an address and a netmask such as 255.255.0.0; null for a mask with gaps, and for IPv6. */
export function maskedPrefix(address: string, mask: string): Prefix | null {
  const bits = address.includes(':') || mask.includes(':') ? null : parseAddress(mask)
  if (bits === null) return null
  const length = quad(bits).toString(2).padStart(32, '0').lastIndexOf('1') + 1
  const whole = length === 0 ? 0n : (0xffff_ffffn << BigInt(32 - length)) & 0xffff_ffffn
  return whole === quad(bits) ? parsePrefix(`${address}/${length}`) : null
}

function quad(address: Address): bigint {
  return address.lo & 0xffff_ffffn
}

export const protocolNames: readonly string[] = [...new Set(['tcp', 'udp', 'icmp', 'icmp6', ...protocolNumbers.keys()])]

/** A protocol by number or name, in any case. */
export function parseProtocol(text: string): bigint | null {
  const number = protocolNumbers.get(text.toLowerCase())
  if (number !== undefined) return BigInt(number)
  const digits = parseNumber(text)
  return digits !== null && digits <= 255n ? digits : null
}

export function protocolText(number: bigint): string {
  const name = protocolName(Number(number))?.toLowerCase()
  return name === undefined || parseProtocol(name) !== number ? String(number) : name
}

const flagBits: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, C: 128, X: 63 }

/** Letters of TCP flags, each once: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR; X is the first six. */
export function parseFlags(text: string): number | null {
  let bits = 0
  for (const letter of text.toUpperCase()) {
    const bit = flagBits[letter]
    if (bit === undefined || (bits & bit) !== 0) return null
    bits |= bit
  }
  return bits === 0 ? null : bits
}

export function flagLetters(bits: number): string {
  return Object.entries(flagBits)
    .filter(([letter, bit]) => letter !== 'X' && (bits & bit) !== 0)
    .map(([letter]) => letter)
    .join('')
}
