import type { Count, Dossier } from '../investigate/dossier.ts'
import { compareTimes, durationWords } from '../net/time.ts'
import { type Block, gap, line, paragraph, strong, title } from './block.ts'
import { listText, materialWords } from './names.ts'
import { atLeast, countText, integerText, knownBytesText, percentText, spanText } from './numbers.ts'

/** The page's first lines: who, since when, how much. */
export function headlineBlocks(d: Dossier): Block[] {
  const sentence = d.records.subject === 0 ? absence(d) : presence(d)
  const volume = d.records.subject === 0 ? '' : volumes(d)
  return [
    title(strong(`Dossier of ${listText(d.subject, 4, 'more subjects')}`)),
    gap,
    paragraph(volume === '' ? strong(sentence) : line`${strong(sentence)} ${volume}`),
    ...(d.records.subject === 0 ? absenceBlocks(d) : []),
  ]
}

function subjectText(d: Dossier): string {
  return `${listText(d.subject, 3, 'more')}${d.subject.length > 1 ? ' together' : ''}`
}

function presence(d: Dossier): string {
  const { first_start, last_end, seconds } = d.window
  const length = seconds === null ? '' : ` (${durationWords(seconds)})`
  const when =
    first_start === last_end
      ? `at ${first_start === null ? 'a time that no record has' : spanText(first_start, last_end)}`
      : `between ${spanText(first_start, last_end, ' and ')}`
  const { subject, total } = d.records
  // The total is of the whole case, and no measure of a part of it.
  const of = isOfPart(d)
    ? countText(subject, 'flow record')
    : `${integerText(subject)} of ${countText(total, 'flow record')} (${percentText(subject, total)})`
  const rejected = d.records.rejected > 0 ? `, ${integerText(d.records.rejected)} of them rejected,` : ''
  return `${subjectText(d)} took part in ${of}${rejected} ${when}${length}.`
}

/** Whether it was asked for less than all records of the subject. */
export function isOfPart({ selection: { from, to, sensors } }: Dossier): boolean {
  return from !== null || to !== null || sensors.length > 0
}

function volumes(d: Dossier): string {
  const { from_subject, to_subject, at_least, unsummed } = d.bytes
  if (BigInt(from_subject ?? 0) + BigInt(to_subject ?? 0) > 0n) {
    const who = d.subject.length > 1 ? 'They' : 'It'
    const bytes = (sum: Count | null): string => atLeast(knownBytesText(sum), at_least && sum !== null)
    return `${who} sent ${bytes(from_subject)} and received ${bytes(to_subject)}.`
  }
  if (d.one_action === 'REJECT')
    return 'These logs hold REJECT records alone: whether data was transferred is not in them. A flow log of traffic type ALL would show it.'
  return unsummed > 0
    ? 'How much data was transferred is unknown: the records of accepted traffic do not say.'
    : 'No data was transferred: no record of accepted traffic names it.'
}

function absence(d: Dossier): string {
  const who = listText(d.subject, 3, 'more subjects')
  if (d.records.total === 0) return `No record of ${who}: the case holds no flow records at all.`
  const first = d.coverage.map(sensor => sensor.first).sort(compareTimes)[0]
  const last = d.coverage
    .map(sensor => sensor.last)
    .sort(compareTimes)
    .at(-1)
  const when = first === undefined || last === undefined ? '' : ` from ${spanText(first, last, ' to ')}`
  const part = isOfPart(d) ? 'the part that was asked for, of ' : ''
  return `No record of ${who} in ${part}${countText(d.records.total, 'flow record')}${when}.`
}

/** What stands between an empty answer and innocence. */
function absenceBlocks(d: Dossier): Block[] {
  const sensors = d.coverage.length
  const text = [
    'That is not proof of absence: the address may have been translated (NAT, load balancer, proxy) before it was recorded,',
    d.source === 'logs'
      ? `may have gone past the ${countText(sensors, 'sensor')} whose logs are in the case,`
      : `may have gone past the places where the ${materialWords(d)} of the case were made,`,
    `may have been active outside their time, or may have sent what ${d.source === 'logs' ? 'flow logs do not record' : 'they do not show'} (--full lists it).`,
  ].join(' ')
  return [gap, paragraph(text)]
}
