/** The steps of rules over a case, each for a thread of its own or for the only one: a block of its connections at a time. */
import { beginningIn, bytesOfColumns, type ConnectionColumn, joined, taken } from '../conversations/connections.ts'
import { FactCounter, type HostFacts, type Seen, seenIn } from '../conversations/host-facts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import { requireMemory } from '../conversations/memory.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { CaseConnections } from '../rules/connections.ts'
import { spray } from '../rules/d02-spray.ts'
import { sessions } from '../rules/d08-long-session.ts'
import { type CaseEvidence, evidenceOf, type ListsOf } from '../rules/evidence.ts'
import { type Severity, severities } from '../rules/finding.ts'
import { canDecide } from '../rules/needs.ts'
import { type FailedRule, RuleFailure } from '../rules/own-findings.ts'
import { type Guess, Guesses, guessIn } from '../rules/raising.ts'
import type { CaseDraft, CaseRule } from '../rules/rule.ts'
import { selected } from '../rules/run.ts'
import type { Does } from '../store/crew.ts'
import { isOfWhole, type PartSettings } from './part.ts'
import { type FreshDraft, freshDraft, Gravest, type ToldDraft, told } from './told.ts'

/** What all threads know: plain data, what is long in common memory. */
export interface CaseSettings {
  source: EvidenceKind
  interval_us: number
  shortest_us: number
  hasFlags: boolean
  hasSizes: boolean
  hasAction: boolean
  hosts: RecordDictionaries['hosts']
  /** By host, as `marksOf`: our own, our scanners, and those that are asked for; null where all are. */
  internal: Uint8Array
  scanners: Uint8Array
  /** The same of hosts that stand for others, and of those that administer others. */
  translators: Uint8Array
  administration: Uint8Array
  asked: Uint8Array | null
  /** By host: 1 where an address list of the analyst names it; filled when all is counted. Null: there is no list. */
  named: Uint8Array | null
  facts: HostFacts
  /** Only connections that begin in that time, microseconds. */
  time: { from_us?: number; to_us?: number }
  minSeverity: Severity
  /** By place in the record index: 1 where a connection begins that rules look at. Null: they look at all. */
  chosen: Uint8Array | null
  /** Of whom all records are there, where the case has a part of them; null: of all. */
  part: PartSettings | null
}

/** What a block shows. */
export interface FoundInBlock {
  found: ToldDraft[]
  /** By rule: how many more there are. */
  left: ReadonlyMap<string, number>
  guesses: Guess[]
  /** Rules of the analyst's own that failed; what they found is not there. */
  failed: readonly FailedRule[]
  /** Connections that rules looked at. */
  looked: number
  /** By rule of scope `case`: the connections that it asks for. */
  picked: ReadonlyMap<string, CaseConnections>
}

/** What each step is given, and what it gives. */
export interface CaseSteps {
  /** Counts what the connections of a block say of hosts. */
  count: { given: number; done: Seen }
  /** Runs the rules over a block. */
  find: { given: { block: number; seen: Seen }; done: FoundInBlock }
}

/** Columns that tell what is known of hosts and of the case. */
const counted = [
  ...(['client', 'server', 'port', 'protocol', 'start_us', 'end_us'] as const),
  ...(['packetsUp', 'packetsDown', 'bytesUp', 'bytesDown'] as const),
  ...(['records', 'rejected', 'outcome', 'marks'] as const),
] satisfies ConnectionColumn[]

export class CaseWork implements Does<CaseSteps> {
  private readonly settings: CaseSettings
  private readonly kept: KeptConnections
  private readonly rules: readonly CaseRule[]
  private readonly isInternal: (host: number) => boolean
  private readonly isScanner: (host: number) => boolean
  private readonly listsOf: ListsOf
  private counter: FactCounter | null = null

  /** @param listsOf what the lists say: of those that find once for the case alone; threads know who is named. */
  constructor(settings: CaseSettings, kept: KeptConnections, rules: readonly CaseRule[], listsOf: ListsOf = () => []) {
    const { internal, scanners } = settings
    this.settings = settings
    this.kept = kept
    this.rules = rules
    this.listsOf = listsOf
    this.isInternal = host => internal[host] === 1
    this.isScanner = host => scanners[host] === 1
  }

  async does<Step extends keyof CaseSteps>(
    step: Step,
    given: CaseSteps[Step]['given'],
  ): Promise<CaseSteps[Step]['done']> {
    const steps: { [One in keyof CaseSteps]: (given: CaseSteps[One]['given']) => CaseSteps[One]['done'] } = {
      count: block => this.count(block),
      find: ({ block, seen }) => this.find(block, seen),
    }
    return steps[step](given)
  }

  private count(block: number): Seen {
    this.counter ??= new FactCounter(this.settings.facts, this.isInternal)
    const connections = this.read(block, counted)
    this.counter.add(connections)
    return seenIn(connections)
  }

  private find(block: number, seen: Seen): FoundInBlock {
    const connections = this.chosen(this.read(block))
    const evidence = withoutEntries(this.evidenceOf(connections, seen))
    const failed: FailedRule[] = []
    const picked = this.picked(evidence, failed)
    const drafts = this.rules.flatMap((rule, order) =>
      rule.scope === 'client' && canDecide(rule, evidence)
        ? this.fresh(evidence, rule, order, foundBy(rule, evidence, failed))
        : [],
    )
    const told = this.told(this.whole(drafts), connections, pairsOf(picked.get(spray.name)))
    return { ...told, failed, looked: connections.count, picked }
  }

  /** Runs a rule of scope `case` over what it asked for. */
  findPicked(rule: CaseRule, pieces: readonly CaseConnections[], seen: Seen): Omit<FoundInBlock, 'picked' | 'looked'> {
    const rows = pieces.reduce((sum, { count }) => sum + count, 0)
    requireMemory(rows, rows * bytesOfColumns)
    const connections = joined(pieces)
    const evidence = this.evidenceOf(connections, seen)
    const failed: FailedRule[] = []
    const drafts = this.fresh(evidence, rule, this.rules.indexOf(rule), foundBy(rule, evidence, failed))
    for (const draft of drafts) draft.mayRise = true
    return { ...this.told(this.whole(drafts), connections, new Set()), failed }
  }

  /** Findings that are what they would be with all records. */
  private whole(drafts: readonly FreshDraft[]): readonly FreshDraft[] {
    const { part } = this.settings
    return part === null ? drafts : drafts.filter(one => isOfWhole(part, one, this.isInternal))
  }

  evidenceOf(connections: CaseConnections, seen: Seen): CaseEvidence {
    const { isInternal, isScanner, listsOf } = this
    const { named, administration } = this.settings
    const lists = named === null ? null : { named, of: listsOf }
    return evidenceOf({
      ...this.settings,
      ...{ connections, seen, isInternal, isScanner, lists, subject: null, isApproved: () => false },
      isAdministration: host => administration[host] === 1,
    })
  }

  private read(block: number, columns?: readonly ConnectionColumn[]): CaseConnections {
    const rows = this.kept.rowsOf(block)
    // As they are kept, as they are read, and what rules make of them.
    requireMemory(rows, 2 * rows * bytesOfColumns)
    return beginningIn(this.kept.read(block, columns), this.settings.time)
  }

  /** Those that rules are to look at. */
  private chosen(connections: CaseConnections): CaseConnections {
    const { chosen } = this.settings
    if (chosen === null) return connections
    const { count, place } = connections
    const some: number[] = []
    for (let i = 0; i < count; i++) if (chosen[place[i]!] === 1) some.push(i)
    return taken(connections, Uint32Array.from(some))
  }

  private fresh(
    { connections }: CaseEvidence,
    { name }: CaseRule,
    order: number,
    drafts: readonly CaseDraft[],
  ): FreshDraft[] {
    return drafts.map(draft => freshDraft(connections, draft, name, order))
  }

  /** The connections that rules of scope `case` ask for. */
  private picked(evidence: CaseEvidence, failed: FailedRule[]): Map<string, CaseConnections> {
    const rules = this.rules.filter(
      one => one.scope === 'case' && canDecide(one, evidence) && !failed.some(({ rule }) => rule === one.name),
    )
    const some = withoutFailing(() => selected(evidence, rules), failed)
    if (some === null) return this.picked(evidence, failed)
    return new Map(rules.map(({ name }, at) => [name, taken(evidence.connections, some[at]!)]))
  }

  /** Those that are asked for, the gravest of each rule; those of the others that may yet become so are told, too. */
  private told(
    drafts: readonly FreshDraft[],
    connections: CaseConnections,
    sprayed: ReadonlySet<string>,
  ): Pick<FoundInBlock, 'found' | 'left' | 'guesses'> {
    const { asked, minSeverity, translators } = this.settings
    const guesses = drafts.flatMap(one => guessIn(one, connections) ?? [])
    const known = new Guesses(guesses)
    const gravest = new Gravest<FreshDraft>()
    for (const one of drafts) {
      const { subject, peers, connections: on } = one.draft
      if (asked !== null && ![...subject, ...peers].some(host => asked[host] === 1)) continue
      // Whoever stands behind a translator did it.
      if (subject.every(host => translators[host] === 1)) continue
      const place = { rule: one.rule, subject, peers, port: connections.port[on[0]!]! }
      if (known.makeGraver(place, this.isScanner)) one.severity = 'high'
      if (one.rule === sessions.name && sprayed.has(`${subject[0]} ${peers[0]}`)) one.mayRise = true
      if (one.mayRise || isAtLeast(one.severity, minSeverity)) gravest.add(one)
    }
    const { kept, left } = gravest.finish()
    return { found: kept.map(one => told(one, connections)), left, guesses }
  }
}

/** Threads know whom lists name, and not what these say: so does no rule that runs over blocks, however many threads there are. */
function withoutEntries(evidence: CaseEvidence): CaseEvidence {
  const { lists } = evidence
  return lists === null ? evidence : { ...evidence, lists: { ...lists, of: () => [] } }
}

/** What a rule finds; nothing where one of the analyst's own fails. */
export function foundBy(
  rule: CaseRule,
  evidence: CaseEvidence,
  failed: FailedRule[],
  ...more: [found?: Parameters<CaseRule['find']>[2]]
): CaseDraft[] {
  return withoutFailing(() => rule.find(evidence, rule.thresholds, ...more), failed) ?? []
}

/** Null where a rule of the analyst's own fails, which is noted. */
function withoutFailing<T>(work: () => T, failed: FailedRule[]): T | null {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof RuleFailure)) throw error
    const { rule, path, problem } = error
    failed.push({ rule, path, problem })
    return null
  }
}

export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least)
}

/** Clients and servers of some connections. */
function pairsOf(connections: CaseConnections | undefined): Set<string> {
  const pairs = new Set<string>()
  if (connections === undefined) return pairs
  for (let i = 0; i < connections.count; i++) pairs.add(`${connections.client[i]} ${connections.server[i]}`)
  return pairs
}
