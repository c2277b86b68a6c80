/** Runs rules over the connections that a case has kept, block by block, in memory that does not grow with the case. */
import { makeConnections } from '../conversations/connections.ts'
import { nothingSeen, type Seen, seenTogether } from '../conversations/host-facts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import type { CaseConnections } from '../rules/connections.ts'
import { type CaseEvidence, type ListsOf, markNamed } from '../rules/evidence.ts'
import type { FailedRule } from '../rules/own-findings.ts'
import { type Guess, Guesses, isOfGuesses } from '../rules/raising.ts'
import { type CaseRule, standsOn } from '../rules/rule.ts'
import { Alone, type Crew, Threads } from '../store/crew.ts'
import { type CaseSettings, type CaseSteps, CaseWork, type FoundInBlock, isAtLeast } from './case-work.ts'
import { type RuleChoice, rulesInForce } from './rules-in-force.ts'
import { Gravest, inTime, type ToldDraft, toldOf } from './told.ts'

/** What a thread is started with: the file of the connections, and the digest of its directory. */
export interface ThreadSettings {
  path: string
  digest: string
  rules: RuleChoice
  settings: CaseSettings
}

/** What rules found. */
export interface FoundInCase {
  /** What is told singly, in order of time. */
  listed: ToldDraft[]
  /** What rules found beyond that. */
  others: { rule: string; count: number }[]
  /** What the connections show of the case as a whole. */
  seen: Seen
  evidence: CaseEvidence
  /** Connections that rules looked at. */
  looked: number
  /** Rules of the analyst's own that failed. */
  failed: readonly FailedRule[]
}

/**
 * Runs rules. What they find depends neither on the blocks nor on the threads.
 *
 * @param threads how many there are; of fewer than two this one does it all.
 * @param requireGoing throws when nobody waits for the answer any more. @param listsOf what the analyst's lists say, if there are some.
 */
export async function findInCase(
  kept: KeptConnections,
  settings: CaseSettings,
  choice: RuleChoice,
  threads: number,
  requireGoing: () => void,
  listsOf?: ListsOf,
): Promise<FoundInCase> {
  const { rules: asked } = await rulesInForce(choice)
  const { rules: all } = await rulesInForce({ ...choice, rules: [] })
  const names = new Set(asked.map(({ name }) => name))
  // What rules found of guesses makes others graver, whichever are asked for.
  const rules = all.filter(
    one => names.has(one.name) || isOfGuesses(one.name) || asked.some(rule => standsOn(rule, one.name)),
  )
  const work = new CaseWork(settings, kept, rules, listsOf)
  const blocks = Array.from({ length: kept.blocks }, (_, block) => block)
  const crew = crewFor(
    work,
    kept,
    settings,
    { ...choice, rules: rules.map(({ name }) => name) },
    Math.min(threads, kept.blocks),
    requireGoing,
  )
  try {
    const own = isWhole(settings) ? kept.seen : await countedSeen(crew, blocks)
    const seen = settings.part === null ? own : seenTogether(own, settings.part.seen)
    if (settings.named !== null && listsOf !== undefined)
      markNamed(settings.named, host => settings.internal[host] === 1, seen.span, listsOf)
    const gathered = new Gathered()
    await crew.each(
      'find',
      blocks.map(block => ({ block, seen })),
      (one, block) => gathered.add(one, block),
    )
    for (const rule of rules.filter(({ scope }) => scope === 'case')) {
      gathered.addFound(work.findPicked(rule, gathered.takePicked(rule.name), seen))
      requireGoing()
    }
    const evidence = work.evidenceOf(none, seen)
    return { ...gathered.finish(settings.minSeverity, evidence, rules, asked), seen, evidence }
  } finally {
    await crew.close()
  }
}

/** Whether all connections are asked for: then what is kept of hosts is so. */
export function isWhole({ time }: Pick<CaseSettings, 'time'>): boolean {
  return time.from_us === undefined && time.to_us === undefined
}

/** Counts what the connections of a time say of hosts. */
async function countedSeen(crew: Crew<CaseSteps>, blocks: readonly number[]): Promise<Seen> {
  let seen = nothingSeen
  await crew.each('count', blocks, one => {
    seen = seenTogether(seen, one)
  })
  return seen
}

function crewFor(
  work: CaseWork,
  { file }: KeptConnections,
  settings: CaseSettings,
  rules: RuleChoice,
  threads: number,
  requireGoing: () => void,
): Crew<CaseSteps> {
  if (threads < 2) return new Alone<CaseSteps>(work, requireGoing)
  const workerData: ThreadSettings = {
    path: file.path,
    digest: file.digest(''),
    rules,
    settings,
  }
  const module = new URL('./case-worker.js', import.meta.url)
  return new Threads<CaseSteps>(threads, { module, workerData, path: file.path }, requireGoing)
}

/** No connections: of the evidence that is left when all blocks are done. */
const none = makeConnections(0)

/** What the blocks show, whichever is done first. */
class Gathered {
  private readonly gravest = new Gravest<ToldDraft>()
  private readonly guesses: Guess[] = []
  /** By name: rules that failed, as the first block says it. */
  private readonly failed = new Map<string, FailedRule & { block: number }>()
  private looked = 0
  /** By rule, and by block. */
  private readonly picked = new Map<string, CaseConnections[]>()

  add({ picked, looked, ...found }: FoundInBlock, block: number): void {
    this.addFound(found, block)
    this.looked += looked
    for (const [rule, connections] of picked) {
      const pieces = this.picked.get(rule) ?? []
      this.picked.set(rule, pieces)
      pieces[block] = connections
    }
  }

  addFound({ found, left, guesses, failed }: Omit<FoundInBlock, 'picked' | 'looked'>, block = Infinity): void {
    for (const one of failed) {
      if (block < (this.failed.get(one.rule)?.block ?? Infinity) || !this.failed.has(one.rule))
        this.failed.set(one.rule, { ...one, block })
    }
    for (const one of found) this.gravest.add(one)
    this.gravest.addLeft(left)
    for (const guess of guesses) this.guesses.push(guess)
  }

  /** What a rule asked for, in order; it is not kept any longer. */
  takePicked(rule: string): CaseConnections[] {
    const pieces = this.picked.get(rule) ?? []
    this.picked.delete(rule)
    return pieces
  }

  /** Nothing rises any more: what is told singly of each rule is decided. */
  finish(
    minSeverity: CaseSettings['minSeverity'],
    evidence: CaseEvidence,
    rules: readonly CaseRule[],
    asked: readonly CaseRule[],
  ): Pick<FoundInCase, 'listed' | 'others' | 'failed' | 'looked'> {
    const guesses = new Guesses(this.guesses)
    const found = this.gravest.finish()
    const risen = found.kept
      .map(one => (guesses.makeGraver(one, evidence.isScanner) ? { ...one, severity: 'high' as const } : one))
      .sort(inTime)
    const onThem = rules.flatMap((rule, order) => {
      const some = rule.scope === 'findings' ? risen.filter(one => standsOn(rule, one.rule)) : []
      const drafts = some.length === 0 ? [] : rule.find(evidence, rule.thresholds, some)
      return drafts.map(draft => toldOf(draft, rule.name, order, some))
    })
    const isAsked = (rule: string): boolean => asked.some(({ name }) => name === rule) && !this.failed.has(rule)
    const last = new Gravest<ToldDraft>()
    last.addLeft(new Map([...found.left].filter(([rule]) => isAsked(rule))))
    for (const one of [...risen, ...onThem])
      if (isAsked(one.rule) && isAtLeast(one.severity, minSeverity)) last.add({ ...one, mayRise: false })
    const { kept, left } = last.finish()
    const others = [...left].map(([rule, count]) => ({ rule, count }))
    const failed = [...this.failed.values()].map(({ block: _, ...one }) => one)
    return {
      ...{ listed: kept.sort(inTime), others: others.sort((a, b) => (a.rule < b.rule ? -1 : 1)) },
      ...{ failed: failed.sort((a, b) => (a.rule < b.rule ? -1 : 1)), looked: this.looked },
    }
  }
}
