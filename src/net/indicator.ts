/** Indicators of compromise as people pass them on: defanged, with a port, in a URL. */
import { type Prefix, parsePrefix } from './prefix.ts'

const scheme = /^(?:h(?:xx|tt)ps?|fxp|ftp|tcp|udp)(?::|\[:\])\/\//i

/**
 * The address or network that a text names, or null where it names none: `1[.]2[.]3[.]4`, `hxxp://1.2.3.4/x`, `1.2.3.4:443`,
 * `[2001:db8::1]:443`, `10.0.0.0/8`. A host's name is no address.
 */
export function parseIndicator(text: string): Prefix | null {
  const plain = text
    .trim()
    .replace(/\[(\.|:)\]|\((\.)\)|\{(\.)\}|\\\./g, (_, a, b, c) => a ?? b ?? c ?? '.')
    .replace(/\[dot\]|\(dot\)/gi, '.')
  const isUrl = scheme.test(plain)
  const rest = plain.replace(scheme, '')
  // In a URL a path follows, and a user may stand before the host: `/24` is no length there.
  const host = isUrl ? rest.split(/[/?#]/)[0]!.replace(/^[^@]*@/, '') : rest
  return parsePrefix(host) ?? parsePrefix(withoutPort(host))
}

function withoutPort(text: string): string {
  const [, address] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? /^([0-9.]+):\d{1,5}$/.exec(text) ?? []
  return address ?? text
}
