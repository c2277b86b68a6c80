/** `detect --baseline`: what own hosts did in a window, and not in an earlier or later one that is taken for normal. */
import type { Seen } from '../conversations/host-facts.ts'
import { internalHosts } from '../conversations/hosts.ts'
import { intervalOf } from '../conversations/intervals.ts'
import { UserError } from '../errors.ts'
import type { Dossier, Gap } from '../investigate/dossier.ts'
import { evidenceCounts, recordsOfCase } from '../investigate/investigate.ts'
import { countText } from '../net/counts.ts'
import type { Prefix } from '../net/prefix.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { fieldsOf } from '../rules/evidence.ts'
import { lacksOf } from '../rules/needs.ts'
import type { Case } from '../store/case.ts'
import { askKept } from './ask-kept.ts'
import { after, before, Comparison, comparedColumns, type Span } from './baseline-count.ts'
import { type BaselineLists, listsOf } from './baseline-lists.ts'
import { type Capability, capabilityOf, gapReason, type NotDecidable } from './capability.ts'
import type { DetectOptions } from './detect.ts'
import { KeptSource } from './kept-source.ts'

/** What share of the case, from its beginning on, is the baseline where nobody says which. */
const autoShare = 0.25

export interface BaselineOptions
  extends Pick<DetectOptions, 'internal' | 'enrichment' | 'from_us' | 'to_us' | 'limits' | 'signal'> {
  /** Connections that begin in that time are the baseline, microseconds since the epoch; `auto`: in the first quarter of the case. */
  baseline: { from_us: number; to_us: number } | 'auto'
}

export interface ComparedWindow {
  from: string
  to: string
  /** Of it, how many hours lie within the evidence: rates are by these. */
  hours: number
  connections: number
  /** Own hosts that were seen in it. */
  hosts: number
  /** Connections of own hosts of which nobody knows who began them: they are in no list. */
  undirected: number
  /** Gaps of the evidence in it. */
  gaps: number
}

/** The baseline, and what is not in it. */
export interface BaselineComparison extends ComparedWindow, BaselineLists {
  auto: boolean
  /** What is compared with it. */
  window: ComparedWindow
  /** Whether what is called new was certainly not there in the baseline. */
  certain: boolean
  /** Why it is not certain. */
  doubts: string[]
}

export interface BaselineAnswer {
  window: { first_start: string; last_end: string } | null
  records: { total: number }
  connections: number
  coverage: Capability
  /** Null in a case without connections. */
  baseline: BaselineComparison | null
  not_decidable: NotDecidable[]
  /** Files of the analyst's own networks, and what of them could not be used. */
  enrichment: Dossier['enrichment']
  enrichment_problems: Dossier['enrichment_problems']
  problems: Dossier['problems']
  evidence: Dossier['evidence']
  source: Dossier['source']
}

/**
 * Compares a window with a baseline (docs/reference/detect-baseline.md).
 *
 * @throws UserError (status 2) for windows that overlap, or of which one has no time in it.
 */
export async function compareWithBaseline(c: Case, options: BaselineOptions): Promise<BaselineAnswer> {
  return askKept(c, options, ({ c: asked, index, kept, own }) =>
    answer(asked, index, own, new KeptSource(kept, {}), options),
  )
}

async function answer(
  c: Case,
  index: RecordIndex,
  own: readonly Prefix[],
  source: KeptSource,
  options: BaselineOptions,
): Promise<Omit<BaselineAnswer, 'enrichment' | 'enrichment_problems'>> {
  const { hosts, vantages } = index.dictionaries
  const isInternal = internalHosts(hosts, own)
  const { seen } = source.known(hosts.count, isInternal)
  const { rejected, accepted, answers, span, count } = seen
  const { hasFlags: flags, hasSizes: sizes, hasAction: action } = fieldsOf(c)
  const has = { flags, sizes, action, rejected, accepted, answers, lists: false }
  const interval = intervalOf(c.source, vantages)
  const coverage = await capabilityOf(c, { has, interval_us: interval }, seen)
  const { must, better } = lacksOf(
    { accepted: 'must', answers: 'better', flags: 'better', sizes: 'better' },
    { source: c.source, has },
  )
  const reasons =
    count === 0
      ? ['there are no connections in the case']
      : [...(must.length > 0 ? must : better), ...withoutOwn(seen, source, isInternal)]
  return {
    window: count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
    ...{ records: { total: recordsOfCase(c) }, connections: count, coverage },
    baseline: count === 0 ? null : compared(index, seen, source, isInternal, coverage, options),
    not_decidable: [...gapReason(coverage), ...reasons.map(reason => ({ rule: 'baseline', reason }))],
    ...{ problems: c.problems, evidence: evidenceCounts(c), source: c.source },
  }
}

function withoutOwn({ count }: Seen, source: KeptSource, isInternal: (host: number) => boolean): string[] {
  for (const { client, server } of source.blocks(['client', 'server']))
    if (client.some(isInternal) || server.some(isInternal)) return []
  return count === 0 ? [] : ['no address is internal: name your own networks with --internal']
}

function compared(
  index: RecordIndex,
  { span, answers }: Seen,
  source: KeptSource,
  isInternal: (host: number) => boolean,
  coverage: Capability,
  options: BaselineOptions,
): BaselineComparison {
  const windows = windowsOf(span, options)
  const { hosts } = index.dictionaries
  const comparison = new Comparison({ hosts: hosts.count, isInternal, windows, hasAnswers: answers })
  for (const block of source.blocks(comparedColumns)) comparison.note(block)
  for (const block of source.blocks(comparedColumns)) comparison.find(block)
  const ofWindow = (which: 0 | 1): ComparedWindow => ({
    ...{ from: utcSeconds(windows[which].from_us), to: utcSeconds(windows[which].to_us) },
    hours: hoursIn(windows[which], span),
    connections: comparison.connections[which],
    hosts: comparison.ownHosts.filter(host => (comparison.seen[host]! & (1 << which)) !== 0).length,
    undirected: comparison.undirected[which],
    gaps: coverage.gaps.filter(gap => overlaps(gap, windows[which])).length,
  })
  const [baseline, window] = [ofWindow(before), ofWindow(after)]
  const doubts = doubtsOf(windows[before], baseline, window, span, coverage)
  return {
    ...baseline,
    ...{ auto: options.baseline === 'auto', window, certain: doubts.length === 0, doubts },
    ...listsOf(comparison, hosts, [baseline, window]),
  }
}

/** @throws UserError (status 2) */
function windowsOf(span: Span, { baseline, from_us, to_us }: BaselineOptions): [Span, Span] {
  // The end of a window is not in it, and the last connection can begin when the evidence ends. Whole seconds, as people write them.
  const end_us = wholeSeconds(span.to_us) + 1e6
  const quarter = { from_us: span.from_us, to_us: wholeSeconds(span.from_us + autoShare * (end_us - span.from_us)) }
  const base = baseline === 'auto' ? quarter : baseline
  const window = { from_us: from_us ?? base.to_us, to_us: to_us ?? Math.max(end_us, (from_us ?? base.to_us) + 1) }
  const hint = 'give other times with --baseline FROM..TO, --from and --to'
  if (window.from_us < base.to_us && base.from_us < window.to_us)
    throw new UserError('the baseline and the window overlap', { hint, status: 2 })
  for (const [name, { from_us: from, to_us: to }] of [['baseline', base] as const, ['window', window] as const])
    if (Math.min(to, end_us) <= Math.max(from, span.from_us))
      throw new UserError(
        `the ${name} lies outside the evidence, ${utcSeconds(span.from_us)} to ${utcSeconds(span.to_us)}`,
        { hint, status: 2 },
      )
  return [base, window]
}

const wholeSeconds = (us: number): number => Math.floor(us / 1e6) * 1e6

function hoursIn({ from_us, to_us }: Span, span: Span): number {
  const us = Math.min(to_us, span.to_us) - Math.max(from_us, span.from_us)
  return Math.max(0, us) / 3_600_000_000
}

function overlaps({ from, to }: Gap, { from_us, to_us }: Span): boolean {
  return (from === null || microsecondsOf(from) < to_us) && (to === null || microsecondsOf(to) > from_us)
}

function doubtsOf(
  base: Span,
  { gaps, undirected, hours }: ComparedWindow,
  window: ComparedWindow,
  span: Span,
  { gaps_not_listed }: Capability,
): string[] {
  const us = (time: number): string => utcSeconds(time)
  return [
    ...(gaps > 0 ? [`the baseline has ${countText(gaps, 'known gap')}`] : []),
    ...(gaps_not_listed > 0
      ? [`${countText(gaps_not_listed, 'more gap')} of the evidence may lie in the baseline`]
      : []),
    ...(base.from_us < span.from_us ? [`the baseline begins before the evidence, at ${us(span.from_us)}`] : []),
    ...(base.to_us > wholeSeconds(span.to_us) + 1e6
      ? [`the baseline ends after the evidence, at ${us(span.to_us)}`]
      : []),
    ...(undirected > 0
      ? [
          `${countText(undirected, 'connection')} of the baseline ${undirected === 1 ? 'does' : 'do'} not tell who began ${undirected === 1 ? 'it' : 'them'}`,
        ]
      : []),
    ...(hours < window.hours
      ? [
          `the baseline is shorter than the window (${hours.toFixed(1)} and ${window.hours.toFixed(1)} h): what is seldom done is new in it by chance`,
        ]
      : []),
  ]
}
