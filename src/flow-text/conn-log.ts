import { type Address, parseAddress } from '../net/address.ts'
import { icmpCounterpart, isIcmp } from '../net/icmp.ts'
import { hasPorts, TCP } from '../net/protocols.ts'
import type { Table, TableLine, TextConnection, TextFlow } from './flow.ts'
import { countOf, known, Malformed, numberOf, parsed, secondsOf, timeOf } from './values.ts'

const needed = ['ts', 'id.orig_h', 'id.resp_h', 'proto']
const fieldsMax = 256
const states = new Set('S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH'.split(' '))
/** States of which Zeek says that the responder has answered. */
const answered = new Set('S1 SF REJ S2 S3 RSTO RSTR RSTRH SHR'.split(' '))
const historyMax = 64
const protocols = new Map([
  ['tcp', TCP],
  ['udp', 17],
])

/** Whether a text begins as Zeek's conn.log does, in either of its forms; how to read it then. */
export function connLogOf(head: string): Table | null {
  const lines = head.split('\n', 20).map(line => line.replace(/\r$/, ''))
  const first = lines.find(line => line !== '') ?? ''
  if (first.startsWith('{')) {
    const row = objectOf(first)
    return row !== null && needed.every(name => row.has(name)) ? new ConnLog(null) : null
  }
  const start = lines.findIndex(line => line.startsWith('#separator ') || line.startsWith('#fields'))
  // What BTest writes before the baselines of Zeek's own tests.
  if (start < 0 || lines.slice(0, start).some(line => line !== '' && !line.startsWith('#'))) return null
  const fields = lines.find(line => line.startsWith('#fields'))?.split('\t') ?? []
  return needed.every(name => fields.includes(name)) ? new ConnLog([]) : null
}

/** Zeek's conn.log: lines of JSON where `fields` is null, else columns that `#fields` names. */
class ConnLog implements Table {
  readonly kind = 'conn-log'
  readonly layout = null
  readonly note = null
  private fields: string[] | null
  private separator = '\t'
  private unset = '-'

  constructor(fields: string[] | null) {
    this.fields = fields
  }

  line(text: string): TableLine {
    if (text.trim() === '') return 'blank'
    if (this.fields !== null && text.startsWith('#')) return this.header(text)
    const row = this.fields === null ? objectOf(text) : this.columns(text, this.fields)
    if (typeof row === 'string') return row
    if (row === null) return 'not a JSON object of plain values'
    try {
      const connection = connectionOf(row)
      return { flows: flowsOf(connection), connection }
    } catch (error) {
      if (error instanceof Malformed) return error.message
      throw error
    }
  }

  private header(text: string): TableLine {
    const hex = /^#separator \\x([0-9a-fA-F]{2})$/.exec(text)?.[1]
    if (hex !== undefined) this.separator = String.fromCharCode(Number.parseInt(hex, 16))
    const [name, ...values] = text.split(this.separator)
    if (name === '#unset_field') this.unset = values[0] ?? this.unset
    if (name !== '#fields') return 'header'
    if (values.length > fieldsMax || !needed.every(field => values.includes(field))) {
      this.fields = []
      return 'its #fields are not those of a conn.log'
    }
    this.fields = values
    return 'header'
  }

  private columns(text: string, fields: readonly string[]): Map<string, string> | string {
    const values = text.split(this.separator, fieldsMax + 1)
    if (fields.length === 0) return 'no #fields before it that are those of a conn.log'
    if (values.length !== fields.length) return `${values.length} columns where #fields names ${fields.length}`
    const row = new Map<string, string>()
    for (const [i, field] of fields.entries()) if (values[i] !== this.unset) row.set(field, values[i]!)
    return row
  }
}

/** The plain values of a JSON object. Numbers beyond what a double holds exactly are none that Zeek counts to. */
function objectOf(text: string): Map<string, string> | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    const row = new Map<string, string>()
    for (const [name, own] of Object.entries(value)) {
      if (typeof own === 'number') row.set(name, name === 'ts' || name === 'duration' ? own.toFixed(6) : String(own))
      else if (typeof own === 'string') row.set(name, own)
    }
    return row
  } catch {
    return null
  }
}

type Row = ReadonlyMap<string, string>

/** A value; null where it is unknown. @throws Malformed */
function value<T>(row: Row, name: string, parse: (text: string) => T | undefined | null): T | null {
  const text = row.get(name)
  return text === undefined || text === '(empty)' ? null : parsed(name, text, parse)
}

function connectionOf(row: Row): TextConnection {
  const orig = known(value(row, 'id.orig_h', parseAddress), 'id.orig_h')
  const resp = known(value(row, 'id.resp_h', parseAddress), 'id.resp_h')
  const protocol = protocolOf(row, orig)
  const port = (text: string): number | undefined => numberOf(text, 65_535)
  const [origPort, respPort] = [value(row, 'id.orig_p', port), value(row, 'id.resp_p', port)]
  const withPorts = protocol !== null && hasPorts(protocol)
  const icmp = protocol !== null && isIcmp(protocol) ? icmpOf(protocol, origPort, respPort) : { type: null, code: null }
  const start = known(value(row, 'ts', timeOf), 'ts')
  const duration = value(row, 'duration', secondsOf)
  const [origPackets, respPackets] = [value(row, 'orig_pkts', countOf), value(row, 'resp_pkts', countOf)]
  const history = row.get('history') ?? null
  const tunnel = row.get('tunnel') ?? null
  const vlan = (text: string): number | undefined => numberOf(text, 4095)
  return {
    ...{ orig, resp, protocol, start, origPackets, respPackets, tunnel },
    origPort: withPorts ? origPort : null,
    respPort: withPorts ? respPort : null,
    end: start + (duration ?? 0),
    origIpBytes: value(row, 'orig_ip_bytes', countOf),
    respIpBytes: value(row, 'resp_ip_bytes', countOf),
    origBytes: value(row, 'orig_bytes', countOf),
    respBytes: value(row, 'resp_bytes', countOf),
    state: value(row, 'conn_state', text => (states.has(text) ? text : undefined)),
    history: history !== null && history.length <= historyMax && /^\^?[A-Za-z]*$/.test(history) ? history : null,
    // One packet has no duration; of more, Zeek has not told it.
    duration: duration ?? (origPackets !== null && respPackets !== null && origPackets + respPackets <= 1n ? 0 : null),
    basis: basisOf(protocol, history ?? ''),
    icmpType: icmp.type,
    icmpCode: icmp.code,
    vlan: value(row, 'inner_vlan', vlan) ?? value(row, 'vlan', vlan),
    communityId: value(row, 'community_id', text => (/^1:[A-Za-z0-9+/]{27}=$/.test(text) ? text : undefined)),
  }
}

function protocolOf(row: Row, orig: Address): number | null {
  const number = value(row, 'ip_proto', text => numberOf(text, 255))
  if (number !== null) return number
  const word = row.get('proto')?.toLowerCase() ?? ''
  if (word === 'icmp') return orig.hi === 0n && orig.lo >> 32n === 0xffffn ? 1 : 58
  const found = protocols.get(word) ?? null
  if (found === null && word !== 'unknown_transport') throw new Malformed(`field proto: found "${word.slice(0, 60)}"`)
  return found
}

/** For types that ask and answer, Zeek has the counterpart in place of the code, which is 0. */
function icmpOf(
  protocol: number,
  type: number | null,
  other: number | null,
): { type: number | null; code: number | null } {
  if (type === null || type > 255) return { type: null, code: null }
  const isPair = other !== null && icmpCounterpart(protocol, type) === other
  return { type, code: isPair ? 0 : other !== null && other <= 255 ? other : null }
}

/** How Zeek knew who began: by the first letter of the history; `^` says that it turned the ends round. */
function basisOf(protocol: number | null, history: string): TextConnection['basis'] {
  if (protocol !== null && isIcmp(protocol)) return 'icmp-type'
  if (protocol === TCP && /^S/.test(history)) return 'syn'
  if (protocol === TCP && /^\^?h/.test(history)) return 'syn-ack'
  return history.startsWith('^') ? 'port-number' : 'first-seen'
}

/** One record for each side that has sent, as a capture gives them; both have the times of the whole. */
function flowsOf(c: TextConnection): TextFlow[] {
  const hasAnswered =
    c.respPackets !== null
      ? c.respPackets > 0n
      : (c.respBytes ?? 0n) > 0n || /[a-z]/.test(c.history ?? '') || (c.state !== null && answered.has(c.state))
  const common = {
    ...{ protocol: c.protocol, start: c.start, end: c.end, vlan: c.vlan, tunnel: c.tunnel },
    ...{ flags: null, tos: null, more: null },
  }
  const counterpart = c.protocol === null || c.icmpType === null ? -1 : icmpCounterpart(c.protocol, c.icmpType)
  const orig: TextFlow = {
    ...{ ...common, src: c.orig, dst: c.resp, srcPort: c.origPort, dstPort: c.respPort },
    ...{ packets: c.origPackets, bytes: c.origIpBytes, icmpType: c.icmpType, icmpCode: c.icmpCode },
  }
  const resp: TextFlow = {
    ...{ ...common, src: c.resp, dst: c.orig, srcPort: c.respPort, dstPort: c.origPort },
    ...{ packets: c.respPackets, bytes: c.respIpBytes },
    ...{ icmpType: counterpart < 0 ? null : counterpart, icmpCode: counterpart < 0 ? null : 0 },
  }
  return [...(c.origPackets === 0n ? [] : [orig]), ...(hasAnswered ? [resp] : [])]
}
