/** Which of the recorded REJECTs rules of the user's own explain, and which not (docs/reference/controls.md). */
import { noEnds, type Refusal, RefusalJudge, type RefusedEnds, refusal } from '../conversations/refusals.ts'
import { noPort } from '../conversations/services.ts'
import { gatherActions } from '../investigate/actions.ts'
import type { RejectTriage } from '../investigate/dossier.ts'
import { placesOf } from '../investigate/investigate.ts'
import { Explained, type Explanation, explanationOf, rejectReasons } from '../investigate/rejects.ts'
import { CompiledRules } from '../network-rules/compiled.ts'
import { type Decision, type Denial, type Reason, reasons } from '../network-rules/decision.ts'
import type { Network } from '../network-rules/network.ts'
import { Places } from '../network-rules/places.ts'
import { rawSql } from '../query/sql.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { BlockColumn, RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'

/** Columns that refusals are judged by. */
const columns: readonly BlockColumn[] = [
  ...(['source', 'destination', 'sourcePort', 'destinationPort', 'protocol', 'tcpFlags', 'action'] as const),
  ...(['start_us', 'end_us', 'vantage', 'known', 'file', 'line'] as const),
]

/**
 * Explains the rejected records of the case by rules that are in force all the time.
 *
 * @param isWanted whether a host's records are meant, by its number in the index; by default all are.
 */
export async function triageUnderRules(
  c: Case,
  index: RecordIndex,
  network: Network,
  isWanted: (host: number) => boolean = () => true,
): Promise<RejectTriage> {
  const judge = new RefusalJudge(index.dictionaries.vantages)
  for await (const block of index.blocks(columns))
    judge.note(block, row => isWanted(block.source[row]!) || isWanted(block.destination[row]!))
  for await (const block of index.blocks(columns)) judge.learn(block)
  const { rejectOnly } = await gatherActions(c)
  const said = await rejectReasons(c, rawSql('true'))
  const rules = new RuledRefusals(network, index.dictionaries.hosts)
  const explained = new Explained(placesOf(c))
  judge.each(
    file => rejectOnly.has(file),
    ({ file, line, is, ends }) => {
      const one = said(file, line) ?? (ends === noEnds ? explanationOf(is) : rules.explain(is, ends, judge))
      explained.add(one, file, line)
    },
  )
  return explained.told()
}

/** What is judged by the evidence alone, whatever the rules say. */
const late: readonly Refusal[] = [refusal.closed, refusal.ended]
/** Something of the same direction was let through: groups track it, and ACLs alone may have stopped it. */
const tracked: readonly Refusal[] = [refusal.again, refusal.coarse, refusal.reused]

const passesRules: Explanation = {
  by: 'none',
  reason: 'these rules let it through: they are not those of the time',
}
const stoppedElsewhere: Explanation = {
  by: 'none',
  reason: 'these rules stop it at the other end, not at the interface that recorded it',
}
const openingStopped: Explanation = {
  by: 'none',
  reason: 'these rules stop what it answers, which was let through: they are not those of the time',
}

const undecided = Object.fromEntries(
  Object.entries(reasons).map(([name, reason]) => [name, { by: 'not-decidable', reason }]),
) as Record<Reason, Explanation>

/** What rules say of rejected records. */
class RuledRefusals {
  private readonly rules: CompiledRules
  private readonly places: Places
  private readonly hosts: RecordDictionaries['hosts']
  private readonly one = {
    count: 1,
    ...{ client: new Uint32Array(1), server: new Uint32Array(1) },
    ...{ clientPort: new Uint32Array(1), port: new Uint32Array(1), protocol: new Uint16Array(1) },
    ...{ start_us: new Float64Array(1), end_us: new Float64Array(1), marks: new Uint8Array(1) },
  }
  private readonly number = new Uint32Array(1)
  /** By host the id of its interface. */
  private readonly interfaces = new Map<number, string | null>()
  private readonly stops = new Map<Denial, Explanation>()

  constructor(network: Network, hosts: RecordDictionaries['hosts']) {
    this.rules = new CompiledRules(network, hosts, { unknownRole: 1, isError: 2 })
    this.places = new Places(network)
    this.hosts = hosts
  }

  explain(is: Refusal, ends: number, judge: Pick<RefusalJudge, 'endsOf'>): Explanation {
    if (late.includes(is)) return explanationOf(is)
    return this.explained(is, judge.endsOf(ends))
  }

  private explained(is: Refusal, ends: RefusedEnds): Explanation {
    if (is === refusal.returnPath) return this.asAnswer(ends)
    const asked = this.asQuestion(ends)
    if (tracked.includes(is)) return asked.by === 'acl' ? asked : explanationOf(is)
    // No opening, and the log may not have what it answers.
    if (is === refusal.notOpening || is === refusal.oneSided || is === refusal.withoutTime)
      return asked.by === 'none' ? explanationOf(is) : asked
    return asked
  }

  /** The record as the packets that open a connection. */
  private asQuestion({ source, destination, sourcePort, destinationPort, ...rest }: RefusedEnds): Explanation {
    const decision = this.decide(source, destination, sourcePort, destinationPort, rest.protocol)
    if (decision.verdict === 'undecided') return undecided[decision.reason]
    if (decision.verdict === 'allowed' || decision.by.packets === 'answer') return passesRules
    return this.isElsewhere(decision.by, source, destination, rest.sensor)
      ? stoppedElsewhere
      : this.stoppedBy(decision.by)
  }

  /** The record as the answer to what went the other way. */
  private asAnswer({ source, destination, sourcePort, destinationPort, ...rest }: RefusedEnds): Explanation {
    const decision = this.decide(destination, source, destinationPort, sourcePort, rest.protocol)
    if (decision.verdict === 'undecided') return undecided[decision.reason]
    if (decision.verdict === 'allowed') return passesRules
    if (decision.by.packets === 'request') return openingStopped
    return this.isElsewhere(decision.by, destination, source, rest.sensor)
      ? stoppedElsewhere
      : this.stoppedBy(decision.by)
  }

  /** One object for each denial, as there are few of them and many records. */
  private stoppedBy(denial: Denial): Explanation {
    const known = this.stops.get(denial) ?? stopped(denial)
    this.stops.set(denial, known)
    return known
  }

  private decide(
    client: number,
    server: number,
    clientPort: number | null,
    port: number | null,
    protocol: number,
  ): Decision {
    const { one, number, rules } = this
    one.client[0] = client
    one.server[0] = server
    one.clientPort[0] = clientPort ?? noPort
    one.port[0] = port ?? noPort
    one.protocol[0] = protocol
    rules.decide(one, number)
    return rules.decisions[number[0]!]!
  }

  /** Whether the interface that recorded it is known to be that of the other end. */
  private isElsewhere({ at }: Denial, client: number, server: number, sensor: string | null): boolean {
    const [near, far] = at === 'client' ? [client, server] : [server, client]
    return sensor !== null && this.interfaceOf(near) !== sensor && this.interfaceOf(far) === sensor
  }

  private interfaceOf(host: number): string | null {
    const known = this.interfaces.get(host)
    if (known !== undefined) return known
    const id = this.places.at({ hi: this.hosts.hi[host]!, lo: this.hosts.lo[host]! }).interface?.id ?? null
    this.interfaces.set(host, id)
    return id
  }
}

/** The part of the rules that stops it. */
function stopped({ what, ids, direction, entry, packets }: Denial): Explanation {
  if (what === 'group') {
    const some = ids.length === 1 ? 'security group' : 'security groups'
    return { by: 'group', reason: `no ${direction} rule of ${some} ${ids.join(', ')} allows it` }
  }
  const rule = entry === null ? `no ${direction} entry allows it` : `${direction} entry ${entry} denies it`
  return { by: packets === 'answer' ? 'return-path' : 'acl', reason: `network ACL ${ids.join(', ')}: ${rule}` }
}
