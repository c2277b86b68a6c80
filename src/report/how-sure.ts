/** How far the answer can be relied on. Whatever is in doubt stands here, however short the page is. */

import type { Dossier, Finding } from '../investigate/dossier.ts'
import { roleConfidenceMin } from '../rules/rule.ts'
import { alarm, type Block, good, heading, line, list, shortened, type Text, warning } from './block.ts'
import { kindsDoubt } from './correlation.ts'
import { listText, materialWords, uncountedText } from './names.ts'
import { countText, integerText } from './numbers.ts'
import { rejectsDoubt } from './rejects.ts'
import { countingDoubts, gapItems } from './surface.ts'
import { selectionText } from './sweep.ts'
import { timesDoubt } from './window.ts'

const gapsShort = 4
const gapsFull = 12
const limitLines = 4

export function howSureBlocks(d: Dossier, full: boolean): Block[] {
  const hasRecords = d.records.subject > 0
  const holes = holesOf(d)
  const items: Text[] = [
    ...selectionText(d.selection),
    ...d.selection.notes,
    ...(hasRecords || holes !== null ? [verdict(d)] : []),
    ...(holes === null ? [] : [holes]),
    ...gapItems(d, full ? gapsFull : gapsShort),
    ...(hasRecords ? confidences(d.findings) : []),
    ...(hasRecords
      ? [...rolesDoubt(d), timesDoubt(d), ...kindsDoubt(d), ...countingDoubts(d), ...rejectsDoubt(d)]
      : []),
    ...otherKinds(d),
    ...unread(d),
  ]
  return [
    heading('How sure'),
    ...(holes === null ? [] : [warning('This answer has holes.')]),
    ...(items.length > 0 ? [list(items)] : []),
    ...(full ? [] : limits(d)),
  ]
}

/** Whether anything can be missing from the time that the page is about. */
function verdict(d: Dossier): Text {
  const seen = d.source === 'logs' ? 'that these sensors see' : 'of what passed there'
  const gaps = countText(d.attack_surface.gaps.length + d.not_listed.gaps, 'gap')
  return d.attack_surface.complete
    ? line`${good('Complete:')} the ${materialWords(d)} have no gap in the window; nothing else was reached ${seen}.`
    : line`${alarm('Not complete:')} ${gaps} in the ${materialWords(d)}; there may be more services than these.`
}

/** What the answer does not cover; null when it covers all. */
function holesOf(d: Dossier): string | null {
  const count = d.attack_surface.gaps.length + d.not_listed.gaps
  const lowerBound = d.bytes.at_least || d.packets.at_least
  if (count === 0 && d.attack_surface.complete && !lowerBound) return null
  const reasons = new Map<string, number>()
  for (const gap of d.attack_surface.gaps) reasons.set(gap.reason, (reasons.get(gap.reason) ?? 0) + 1)
  const named = [...reasons].map(([reason, times]) => gapWords[reason]?.(times) ?? countText(times, reason))
  const where = d.window.first_start === null ? `the ${materialWords(d)}` : 'the window'
  const because =
    named.length === 0
      ? ''
      : `Inside ${where} there ${named.length === 1 && count === 1 ? 'is' : 'are'} ${listText(named)}. `
  const unsaid = Math.max(d.bytes.unsummed, d.packets.unsummed)
  const sizes =
    unsaid === 0
      ? ''
      : `${countText(unsaid, 'record')} of accepted traffic ${unsaid === 1 ? 'does' : 'do'} not say how many bytes or packets: the sums are without ${unsaid === 1 ? 'it' : 'them'}. `
  const bounds = lowerBound ? 'Byte and packet totals are lower bounds, and what' : 'What'
  return `${because}${sizes}${bounds} is not on this page may have happened all the same.`
}

const gapWords: Record<string, (count: number) => string> = {
  skipdata: count => countText(count, 'interval of lost records (SKIPDATA)', 'intervals of lost records (SKIPDATA)'),
  'time-gap': count => countText(count, 'time gap'),
  'malformed-lines': count => countText(count, 'run of malformed lines', 'runs of malformed lines'),
  'unreadable-file': count => countText(count, 'unreadable file'),
  'partly-read-file': count => countText(count, 'partly read file'),
  'rejected-only': () => 'nothing but rejected traffic',
  'dropped-packets': count => countText(count, 'capture that lost packets', 'captures that lost packets'),
  'undecoded-packets': count =>
    countText(count, 'capture with packets that were not decoded', 'captures with packets that were not decoded'),
  'outside-evidence': () => 'nothing of the time that was asked for',
}

/** Findings by how sure they are, the surest first. */
function confidences(all: readonly Finding[]): string[] {
  const findings = all.filter(finding => finding.severity !== 'info')
  if (findings.length === 0) return []
  const levels = (['high', 'medium', 'low'] as const).flatMap(level => {
    const ids = findings.filter(finding => finding.confidence === level).map(finding => finding.id)
    return ids.length === 0 ? [] : [`${level} for ${listText(ids, 6, 'more')}`]
  })
  return [`Confidence is ${levels.join(', ')}.`]
}

/** Who connected to whom, where that is a guess. */
function rolesDoubt(d: Dossier): string[] {
  const guessed = d.services.filter(service => service.role_confidence < roleConfidenceMin)
  if (guessed.length === 0) return []
  const of = `${integerText(guessed.length)} of ${countText(d.services.length, 'listed pair')}`
  return [`Which end is the client is a guess, or not known, for ${of} of client and service.`]
}

function unread({ problems }: Dossier): string[] {
  const [first] = problems
  if (first === undefined) return []
  const places = countText(problems.length, 'place of the evidence', 'places of the evidence')
  return [
    `In no figure of this page: ${places} that could not be read, first ${first.path}: ${first.problem} (--full).`,
  ]
}

function otherKinds(d: Dossier): string[] {
  const uncounted = uncountedText(d)
  return uncounted === null ? [] : [uncounted]
}

/** What the fields of the logs leave open. What no flow log ever shows is left to the whole page. */
function limits(d: Dossier): Block[] {
  if (d.cannot_tell.length === 0) return []
  const what = d.source === 'logs' ? "This log's fields cannot tell" : 'These packets cannot tell'
  return [
    shortened(
      `${what}: ${d.cannot_tell.map(text => text.replace(/\.$/, '')).join('; ')}.`,
      limitLines,
      '… --full lists all',
    ),
  ]
}
