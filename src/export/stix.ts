/**
 * STIX 2.1, one bundle: what was observed (SCOs and observed-data), indicators of outside hosts that act in findings, sightings and notes.
 *
 * Source: the OASIS standard of STIX 2.1, https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html. Ids are made of what they name, so that
 * the same export gives the same bundle; those of SCOs as section 2.9 has it.
 */
import { protocolName } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import { type Confidence, confidences } from '../rules/finding.ts'
import { isFour } from './finding-hosts.ts'
import type { ExportContext, ExportedConnection, ExportedFinding, LeftOut, Printer } from './items.ts'
import { jsonText, known } from './json-text.ts'
import { ownNamespace, uuidOf } from './uuid.ts'

/** Of the standard, 2.9. */
const scoNamespace = '00abedb4-aa42-466c-9c01-fed23315a9b7'
/** When the identity of the program that wrote the bundle was made. */
const identityTime = '2026-01-01T00:00:00.000Z'
/** Addresses that are known to have been written: of more, some may be written again, under the same id. */
const addressesMost = 1 << 20

export function stixPrinter(context: ExportContext): Printer {
  const writer = new BundleWriter(context)
  return {
    begin: () => writer.begin(),
    end: () => `${writer.end()}]}\n`,
    finding: finding => writer.finding(finding),
    connection: connection => writer.connection(connection),
  }
}

interface Observed {
  src: string
  dst: string
  src_port: number | null
  dst_port: number | null
  protocol: number | null
}

/** What findings say of an address. */
interface Indicated {
  id: string
  first: string
  last: string
  /** The highest. */
  confidence: number
  /** Their numbers. */
  findings: Set<string>
  techniques: Map<string, string | null>
}

class BundleWriter {
  readonly #context: ExportContext
  readonly #identity: string
  readonly #addresses = new Set<string>()
  readonly #written = new Set<string>()
  /** Outside hosts that act, by address: written at the end, when all that is known of them is. */
  readonly #indicated = new Map<string, Indicated>()
  #before = ''

  constructor(context: ExportContext) {
    this.#context = context
    this.#identity = idOf('identity', 'tidemark')
  }

  begin(): string {
    const id = `bundle--${uuidOf(ownNamespace, `bundle ${this.#context.key}`)}`
    const identity = {
      ...{ type: 'identity', spec_version: '2.1', id: this.#identity, created: identityTime, modified: identityTime },
      ...{ name: 'Tidemark', identity_class: 'system' },
      description: `Network-flow forensics, version ${this.#context.version}. It reads flow logs and captures; nobody has confirmed what it found.`,
    }
    return `{"type":"bundle","id":"${id}","objects":[\n${this.#object(identity)}`
  }

  connection(c: ExportedConnection): string {
    const [start, end] = [shortTime(c.start_us), shortTime(c.end_us)]
    const ends = { src: c.client, dst: c.server, src_port: c.client_port, dst_port: c.port, protocol: c.protocol }
    const { text, id, refs } = this.#traffic(ends, {
      ...{ start, end, ...known({ src_byte_count: c.bytes_to_server, dst_byte_count: c.bytes_to_client }) },
      ...known({ src_packets: c.packets_to_server, dst_packets: c.packets_to_client }),
    })
    const key = `${id} ${c.client_port} ${c.records} ${c.rejected} ${c.outcome}`
    return text + this.#observed(key, [id, ...refs], stixTime(start), stixTime(end), 1)
  }

  finding(finding: ExportedFinding): string | LeftOut {
    const { first_start, last_end, subject, peers } = finding
    if (first_start === null || last_end === null) return { left: 'no time' }
    const [first, last] = [stixTime(first_start), stixTime(last_end)]
    let text = ''
    const refs = new Set<string>()
    for (const { client: src, server: dst } of finding.pairs) {
      const { port: dst_port, protocol } = finding
      const traffic = this.#traffic({ src, dst, src_port: null, dst_port, protocol }, {})
      text += traffic.text
      for (const ref of [traffic.id, ...traffic.refs]) refs.add(ref)
    }
    for (const { address } of [...subject, ...peers]) {
      const one = this.#address(address)
      text += one.text
      refs.add(one.id)
    }
    const key = `${this.#context.key} ${finding.id} ${finding.rule} ${first}`
    const seen = idOf('observed-data', key)
    const count = finding.connections ?? finding.basis_total
    text += this.#observed(key, [...refs], first, last, Math.min(999_999_999, Math.max(1, count)))
    const acting =
      finding.severity === 'info'
        ? []
        : [...subject, ...peers].filter(({ internal, part }) => !internal && (part === 'acts' || part === 'receives'))
    const indicators = acting.map(({ address }) => this.#sighted(finding, address, first, last, seen))
    text += indicators.map(one => one.text).join('')
    return text + this.#note(finding, last, [seen, ...indicators.map(({ id }) => id)])
  }

  /** The indicators: one an address, whatever number of findings it acts in. */
  end(): string {
    let text = ''
    for (const [address, one] of this.#indicated) {
      const type = isFour(address) ? 'ipv4-addr' : 'ipv6-addr'
      const references = [...one.techniques].map(([technique, name]) => attackReference(technique, name))
      text += this.#object({
        ...{ type: 'indicator', spec_version: '2.1', id: one.id, created_by_ref: this.#identity },
        ...{ created: one.last, modified: one.last, name: `${address} (${[...one.findings].join(', ')})` },
        ...{ indicator_types: ['anomalous-activity'], confidence: one.confidence },
        ...{ pattern: `[${type}:value = '${address}']`, pattern_type: 'stix', valid_from: one.first },
        ...(references.length > 0 && { external_references: references }),
      })
    }
    return text
  }

  #sighted(finding: ExportedFinding, address: string, first: string, last: string, seen: string) {
    const { id: finding_id, rule, technique, technique_name } = finding
    const confidence = confidenceOf(finding.confidence)
    const one = this.#indicated.get(address) ?? {
      ...{ id: idOf('indicator', `${this.#context.key} ${address}`), first, last, confidence },
      ...{ findings: new Set<string>(), techniques: new Map<string, string | null>() },
    }
    this.#indicated.set(address, one)
    if (first < one.first) one.first = first
    if (last > one.last) one.last = last
    one.confidence = Math.max(one.confidence, confidence)
    one.findings.add(finding_id)
    if (technique !== null) one.techniques.set(technique, technique_name)
    const sighting = {
      ...{ type: 'sighting', spec_version: '2.1', created_by_ref: this.#identity, created: last, modified: last },
      ...{ id: idOf('sighting', `${this.#context.key} ${finding_id} ${rule} ${address}`) },
      ...{ first_seen: first, last_seen: last, confidence, sighting_of_ref: one.id },
      ...{ observed_data_refs: [seen], where_sighted_refs: [this.#identity] },
    }
    return { id: one.id, text: this.#object(sighting) }
  }

  #note(finding: ExportedFinding, time: string, refs: readonly string[]): string {
    const { id, rule, title, summary, severity, confidence, counter_hypotheses, would_change } = finding
    const content = [
      summary,
      `Rule ${rule}, severity ${severity}, confidence ${confidence}. ${finding.basis_total} records.`,
      ...(finding.subject_total + finding.peers_total > finding.subject.length + finding.peers.length
        ? [`Not all hosts are named: ${finding.subject_total} and ${finding.peers_total}.`]
        : []),
      ...counter_hypotheses.map(one => `Other explanation: ${one}`),
      ...(would_change === null ? [] : [`What would change it: ${would_change}`]),
      ...finding.comments.map(one => `Note of the analyst: ${one}`),
    ].join('\n')
    return this.#object({
      ...{ type: 'note', spec_version: '2.1', id: idOf('note', `${this.#context.key} ${id} ${rule} ${time}`) },
      ...{ created_by_ref: this.#identity, created: time, modified: time, abstract: title, content },
      ...{ confidence: confidenceOf(confidence), object_refs: refs },
      ...(finding.verdict !== null && { labels: [finding.verdict] }),
    })
  }

  #observed(key: string, refs: readonly string[], first: string, last: string, count: number): string {
    return this.#object({
      ...{ type: 'observed-data', spec_version: '2.1', id: idOf('observed-data', key) },
      ...{ created_by_ref: this.#identity, created: last, modified: last },
      ...{ first_observed: first, last_observed: last, number_observed: count, object_refs: refs },
    })
  }

  /** The network traffic between two hosts, and the objects of these where they are new. */
  #traffic(observed: Observed, more: Record<string, unknown>): { text: string; id: string; refs: string[] } {
    const { src, dst, src_port, dst_port, protocol } = observed
    const [from, to] = [this.#address(src), this.#address(dst)]
    const network = isFour(src) ? 'ipv4' : 'ipv6'
    const transport = protocol === null ? null : (protocolName(protocol)?.toLowerCase() ?? `ip-proto-${protocol}`)
    const protocols = transport === null ? [network] : [network, transport]
    const { start, end, ...counters } = more
    // In the order of RFC 8785, by which the id is made.
    const naming = known({
      ...{ dst_port, dst_ref: to.id, end, protocols, src_port, src_ref: from.id, start },
    })
    const id = `network-traffic--${uuidOf(scoNamespace, jsonText(naming))}`
    const isNew = !this.#written.has(id)
    if (isNew && this.#written.size < addressesMost) this.#written.add(id)
    // Readers want it said beside `end`.
    const over = end === undefined ? {} : { is_active: false }
    const object = { type: 'network-traffic', spec_version: '2.1', id, ...naming, ...over, ...counters }
    const text = from.text + to.text + (isNew ? this.#object(object) : '')
    return { text, id, refs: [from.id, to.id] }
  }

  #address(address: string): { text: string; id: string } {
    const type = isFour(address) ? 'ipv4-addr' : 'ipv6-addr'
    const id = `${type}--${uuidOf(scoNamespace, jsonText({ value: address }))}`
    if (this.#addresses.has(address)) return { text: '', id }
    if (this.#addresses.size < addressesMost) this.#addresses.add(address)
    return { text: this.#object({ type, spec_version: '2.1', id, value: address }), id }
  }

  #object(object: object): string {
    const text = this.#before + jsonText(object)
    this.#before = ',\n'
    return text
  }
}

function idOf(type: string, key: string): string {
  return `${type}--${uuidOf(ownNamespace, `${type} ${key}`)}`
}

/** Without zeros at its end, as programs write it that make the id of what it is in. */
function shortTime(us: number): string {
  return utcSeconds(us).replace(/(\.\d*?)0+Z$/, '$1Z')
}

/** With milliseconds at least, as the standard wants it of `created` and `modified`. */
function stixTime(time: string): string {
  const [whole = '', fraction = ''] = time.slice(0, -1).split('.')
  return `${whole}.${fraction.padEnd(3, '0')}Z`
}

/** Of 100; the standard's scale "None, Low, Med, High" (appendix A). */
function confidenceOf(confidence: Confidence): number {
  return [15, 50, 85][confidences.indexOf(confidence)]!
}

function attackReference(technique: string, name: string | null): object {
  return {
    ...{ source_name: 'mitre-attack', external_id: technique },
    url: `https://attack.mitre.org/techniques/${technique.replace('.', '/')}`,
    ...(name !== null && { description: name }),
  }
}
