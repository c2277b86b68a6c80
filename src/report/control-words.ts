/** Rules and trials of controls in words, for every page that shows them. */
import type { ToldRule, Trial } from '../controls/control.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { hasPorts, protocolName } from '../net/protocols.ts'
import { type Inline, line, type Text } from './block.ts'
import { bytesOf, countOf, wordsOf } from './figures.ts'

/**
 * The traffic of a rule: `TCP 443`, `TCP 1024-65535`, `ICMP type 3 code 4`, `UDP, all ports`, `all`.
 *
 * @param at where the rule stands in the document, on a page that marks its figures; else null.
 */
export function ruleTraffic(rule: ToldRule, at: string | null): Text {
  const { protocol, from_port, to_port, icmp_type, icmp_code } = rule
  if (protocol === null) return 'all'
  const said = (figure: number, name: keyof ToldRule): Inline =>
    at === null ? String(figure) : wordsOf(figure, `${at}.${name}`)
  const known = protocolName(protocol)
  // A page that marks its figures has none in a name.
  const isPlain = known !== null && (at === null || !/\d/.test(known))
  const name: Text = isPlain ? known : line`protocol ${said(protocol, 'protocol')}`
  if (from_port !== null && to_port !== null) {
    const from = said(from_port, 'from_port')
    return from_port === to_port ? line`${name} ${from}` : line`${name} ${from}-${said(to_port, 'to_port')}`
  }
  if (icmp_type !== null) {
    const type = line`${name} type ${said(icmp_type, 'icmp_type')}`
    return icmp_code === null ? type : line`${type} code ${said(icmp_code, 'icmp_code')}`
  }
  if (hasPorts(protocol)) return line`${name}, all ports`
  return protocol === ICMP || protocol === ICMPV6 ? line`${name}, all types` : name
}

/** What a trial could not decide; without connections where it is about something else. */
export function undecidedText(one: Trial['not_decidable'][number], at: string): Text {
  const reason = wordsOf(one.reason, `${at}.reason`)
  if (one.connections === 0) return line`Not decidable: ${reason}.`
  const which = one.of === 'attack' ? 'of the attack' : 'of the rest'
  const size = one.bytes === null ? '' : line`, ${bytesOf(one.bytes, `${at}.bytes`)}`
  return line`Not decidable ${which}: ${countOf(one.connections, `${at}.connections`)} connections${size}: ${reason}.`
}
