/** What became of the recorded flows under a control, or under rules of the user's own, in words. */
import type { Trial, TrialService } from '../controls/control.ts'
import { registeredService } from '../net/ports.ts'
import { durationWords, microsecondsOf, utcSeconds } from '../net/time.ts'
import {
  address,
  alarm,
  type Block,
  bytes,
  good,
  type Inline,
  inlines,
  line,
  list,
  paragraph,
  strong,
  type Text,
  time,
} from './block.ts'
import { undecidedText } from './control-words.ts'
import {
  atLeast,
  countText,
  integerText,
  knownBytesText,
  percentText,
  sizeText,
  spanText,
  timeText,
} from './numbers.ts'
import { serviceText } from './path.ts'
import { placeText } from './places.ts'

const servicesAtMost = 3
const firedAtMost = 3
/** CloudWatch has the records of a period some minutes after its end (Amazon VPC User Guide, "Flow log records"). */
const noticeAfter_us = 300_000_000
const day_us = 86_400_000_000

/** Of whom it is said: `it stops`, `they stop`. */
export type Who = 'it' | 'they'
const verb = (who: Who, word: string): string => (who === 'it' ? `${word}s` : word)
const capital = (who: Who): string => (who === 'it' ? 'It' : 'They')

export function sized(size: Trial['attack']['bytes'], isLowerBound: boolean): string {
  return size === null ? 'unknown bytes' : atLeast(knownBytesText(size), isLowerBound)
}

/** Whether there is a half of which nothing could be decided; then nothing was stopped, and nothing passed. */
export function isUndecided({ connections, undecided_connections }: Trial['attack'] | Trial['innocent']): boolean {
  return connections > 0 && undecided_connections === connections
}

/** The reason of most of the connections that are undecided; null: all are decided. */
export function mainReason({ not_decidable }: Trial): string | null {
  const most = not_decidable.reduce<Trial['not_decidable'][number] | null>(
    (best, one) => (one.connections > (best?.connections ?? 0) ? one : best),
    null,
  )
  return most?.reason ?? null
}

/** Follows the name of what was tried. */
export function stoppedText({ attack, at_least }: Trial, who: Who): Text {
  const { connections, stopped_connections, stopped_bytes, stopped_bytes_out, first_stopped } = attack
  const undecided = attack.undecided_connections
  if (connections === 0) return `${who === 'it' ? 'has' : 'have'} no connection of the attack to stop.`
  const of = `${countText(connections, 'connection')} of the attack`
  if (undecided === connections) return line`${alarm('cannot be decided')} for any of the ${of}.`
  const rest = undecided === 0 ? '' : `, ${letsThrough(attack, who)}`
  if (stopped_connections === 0)
    return undecided === 0
      ? line`${alarm(`${verb(who, 'stop')} nothing`)} of the attack: all ${countText(connections, 'connection')}, ${sized(attack.bytes, at_least)}, pass.`
      : line`${alarm(`${verb(who, 'stop')} none`)} of the ${of}${rest}.`
  const isAll = stopped_connections === connections
  const some = isAll
    ? `all ${countText(connections, 'connection')}`
    : `${integerText(stopped_connections)} of ${countText(connections, 'connection')}`
  const all = isAll ? '' : ` of ${sized(attack.bytes, at_least)}`
  return line`${strong(`${verb(who, 'stop')} ${some}`)} of the attack${rest}: ${bytes(sized(stopped_bytes, at_least))}${all}, from ${time(timeText(first_stopped))} on; ${bytes(sized(stopped_bytes_out, at_least))} of them would have left.`
}

/** `let through 4, and cannot decide 3`. */
function letsThrough({ connections, stopped_connections, undecided_connections }: Trial['attack'], who: Who): string {
  const passed = connections - stopped_connections - undecided_connections
  return `${verb(who, 'let')} through ${integerText(passed)}, and cannot decide ${integerText(undecided_connections)}`
}

/** A sentence of its own. */
export function brokenText({ innocent, at_least }: Trial, who: Who): Text {
  const { connections, broken_connections, broken_bytes, peers_total, undecided_connections: undecided } = innocent
  if (connections === 0) return 'The hosts that it reached did nothing else in this evidence.'
  const others = countText(connections, 'other connection')
  if (isUndecided(innocent)) return `None of the ${others} of these hosts could be decided either.`
  const open = undecided === 0 ? '' : `; ${integerText(undecided)} cannot be decided`
  if (broken_connections === 0)
    return undecided === 0
      ? line`${good('Nothing else is broken')}: all ${others} of these hosts pass.`
      : `Of the ${others} of these hosts none is broken, ${integerText(connections - undecided)} pass${open}.`
  const size = `${percentText(broken_connections, connections)}; ${sized(broken_bytes, at_least)}; ${countText(peers_total, 'peer')}`
  return line`${strong(`${capital(who)} ${verb(who, 'break')} ${integerText(broken_connections)} of ${others}`)} of these hosts (${size}): ${partsText(innocent)}${open}.`
}

/** What is broken: connections, the first of them, and the probes. */
function partsText({ broken: [first], broken_connections, probes }: Trial['innocent']): Text {
  const missed = broken_connections - probes.connections
  const example = first === undefined ? '' : line`, first of all ${serviceLine(first)}`
  const some = line`${countText(missed, 'connection')}${example}`
  if (probes.connections === 0) return some
  const strangers = `${countText(probes.connections, 'probe')} of ${countText(probes.peers, 'address', 'addresses')} outside, none longer than ${countText(probes.packets_most, 'packet')}`
  return missed === 0 ? strangers : line`${some}, and ${strangers}`
}

export function trialBlocks(trial: Trial, who: Who, all: boolean): Block[] {
  const { attack, innocent, not_decidable, fired_total, baseline } = trial
  if (baseline !== null || fired_total > 0)
    return [
      paragraph(line`${strong('Tried:')} ${firedText(trial)}`),
      ...(not_decidable.length === 0 ? [] : [list(not_decidable.map((one, at) => undecidedText(one, `${at}`)))]),
    ]
  return [
    paragraph(
      line`${strong('Tried:')} ${who} ${stoppedText(trial, who)}${passedText(attack, all)} ${brokenText(trial, who)}`,
    ),
    ...brokenBlocks(innocent, who, all),
    ...(not_decidable.length === 0 ? [] : [list(not_decidable.map((one, at) => undecidedText(one, `${at}`)))]),
  ]
}

/** What a table with the sums leaves open: since when, what passes, and of what it breaks the first. */
export function shortTrial(trial: Trial, who: Who): Block[] {
  const { attack, innocent, not_decidable, fired_total, baseline } = trial
  if (baseline !== null || fired_total > 0) return [paragraph(line`${strong('Tried:')} ${firedText(trial)}`)]
  const { stopped_connections: stopped, first_stopped } = attack
  const since =
    stopped === 0
      ? line`${who} ${stoppedText(trial, who)}`
      : line`the first connection is stopped at ${time(timeText(first_stopped))}.`
  const parts =
    innocent.broken_connections === 0
      ? inlines(brokenText(trial, who))
      : inlines(line`${capital(who)} ${verb(who, 'break')} ${partsText(innocent)}.`)
  const reason = mainReason(trial)
  const open =
    reason === null
      ? ''
      : ` Not decidable: ${countText(
          not_decidable.reduce((sum, one) => sum + one.connections, 0),
          'connection',
        )}; of most, ${reason}.`
  return [paragraph(line`${strong('Tried:')} ${since}${passedText(attack, false)} ${parts}${open}`)]
}

function passedText({ let_through, let_through_total }: Trial['attack'], all: boolean): Text {
  if (let_through_total === 0) return ''
  const shown = let_through.slice(0, all ? let_through.length : servicesAtMost)
  const left = let_through_total - shown.length
  const each = shown.flatMap((one, i): Inline[] => [
    ...(i > 0 ? ['; '] : []),
    ...inlines(serviceLine(one)),
    `, ${countText(one.connections, 'connection')}`,
  ])
  return line` Passed all the same: ${each}${left > 0 ? `; and ${integerText(left)} more` : ''}.`
}

/** Those that are more than probes, as far as they stand first. */
function brokenBlocks(
  { broken, broken_total, broken_connections, probes }: Trial['innocent'],
  who: Who,
  all: boolean,
): Block[] {
  const what = `${capital(who)} ${verb(who, 'break')}:`
  if (all) return services(what, broken, broken_total, true)
  let left = broken_connections - probes.connections
  const some = broken.slice(0, servicesAtMost).filter(({ connections }) => {
    const isShown = left > 0
    left -= connections
    return isShown
  })
  return some.length === 0 ? [] : services(what, some, broken_total, false)
}

/** When an alarm goes off, when its notice comes, and how often it would have before. */
export function firedText({ fired, fired_total, baseline }: Trial): Text {
  const times = fired.slice(0, firedAtMost).map(({ at, value }) => `${timeText(at)} (${integerText(value)})`)
  const left = fired_total - times.length
  const [first] = fired
  const notice = first === undefined ? '' : noticeText(first.at)
  const when =
    fired_total === 0
      ? line`it ${alarm('would not have gone off')}`
      : line`it would have gone off ${fired_total === 1 ? 'once' : countText(fired_total, 'time')}: ${time(times.join(', '))}${left > 0 ? ` and ${integerText(left)} more` : ''}${notice}`
  return line`${when}. ${baseline === null ? '' : falseAlarmsText(baseline)}`
}

function noticeText(at: string): string {
  return `; the notice comes about 5 minutes later, at ${timeText(utcSeconds(microsecondsOf(at) + noticeAfter_us))}`
}

function falseAlarmsText({ from, to, fired, before_incident: isBefore }: NonNullable<Trial['baseline']>): string {
  const span = microsecondsOf(to) - microsecondsOf(from)
  const count = fired === 0 ? 'none' : integerText(fired)
  if (!isBefore) return `False alarms by the traffic of others: ${count}, from ${spanText(from, to)}.`
  const little =
    span < day_us ? `${fired === 0 ? ', but' : ', and'} that time is only ${durationWords(span / 1e6)}` : ''
  return `False alarms before the incident: ${count}, from ${spanText(from, to)}${little}.`
}

export function services(what: string, some: readonly TrialService[], total: number, all: boolean): Block[] {
  if (total === 0) return []
  const shown = all ? some : some.slice(0, servicesAtMost)
  const left = total - shown.length
  const where = all ? '' : ': --all lists them'
  return [
    paragraph(what),
    list([...shown.map(serviceItem), ...(left > 0 ? [`… and ${integerText(left)} more${where}.`] : [])]),
  ]
}

function serviceItem(one: TrialService): Text {
  const [first] = one.basis
  const size = one.bytes === null ? '' : `, ${sizeText(one.bytes)}`
  const where = first === undefined ? '' : line`; ${placeText(first)}`
  return line`${serviceLine(one)}, ${countText(one.connections, 'connection')}${size}${where}`
}

/** `10.0.0.1 → 10.0.0.2 22/tcp (ssh)`. */
export function serviceLine(one: TrialService): Text {
  return line`${address(one.client)} → ${address(one.server)} ${triedServiceText(one)}`
}

/** `22/tcp (ssh)`. */
export function triedServiceText({ port, protocol }: Pick<TrialService, 'port' | 'protocol'>): string {
  const service = port === null || protocol === null ? null : (registeredService(port, protocol)?.name ?? null)
  return serviceText({ port, protocol, service })
}
