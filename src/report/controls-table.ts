/** All controls at a glance: what each stops, breaks and asks for. */
import type { Control, ControlsAnswer, Trial } from '../controls/control.ts'
import { durationWords, microsecondsOf } from '../net/time.ts'
import { type Block, type Row, strong, table } from './block.ts'
import { countText, integerText, sizeText, timeText } from './numbers.ts'

const columns = [
  { title: '' },
  { title: 'control' },
  { title: 'stops, or goes off' },
  { title: 'breaks' },
  { title: 'before use', hangs: true },
]

/** Rows in the order of the controls, then one of all together. */
export function controlsTable({ controls, set, window }: ControlsAnswer): Block {
  const day = window !== null && dayOf(window.first_start) === dayOf(window.last_end) ? dayOf(window.last_end) : null
  const isOfOne = new Set(controls.flatMap(({ applies_to }) => applies_to.addresses)).size < 2
  const rows = controls.map(
    (one): Row => ({ cells: [strong(one.id), shortName(one, isOfOne), ...trialCells(one.trial, day), beforeUse(one)] }),
  )
  const isSeveral = controls.length > 1 && set.trial !== null
  return table(
    columns,
    isSeveral ? [...rows, { cells: ['', 'all together', ...trialCells(set.trial, day), ''] }] : rows,
  )
}

const dayOf = (iso: string): string => iso.slice(0, 10)

/** What it is, and for which hosts where that differs. */
function shortName({ kind, title, applies_to: { addresses } }: Control, isOfOne: boolean): string {
  const [first] = addresses
  const left = addresses.length - 1
  const of = first === undefined || isOfOne ? '' : `, ${first}${left > 0 ? ` and ${integerText(left)} more` : ''}`
  switch (kind) {
    case 'security-group-ingress':
      return `inbound rules${of}`
    case 'security-group-egress':
      return `outbound rules${of}`
    case 'network-acl':
      return `network ACL${of}`
    case 'rate-limit':
      return `rate limit${of}`
    case 'flow-log':
      return 'flow log, more fields'
    case 'alarm':
    case 'advice':
      return firstWords(title)
  }
}

/** As many whole words as fit into 21 characters. */
function firstWords(title: string): string {
  const words = title.split(' ')
  let text = ''
  for (const word of words) {
    if (text.length + word.length > 21) return `${text} …`
    text = text === '' ? word : `${text} ${word}`
  }
  return text
}

function trialCells(trial: Trial | null, day: string | null): [string, string] {
  if (trial === null) return ['', '']
  const { attack, innocent, baseline, fired_total } = trial
  if (baseline !== null || fired_total > 0) return firedCells(trial, day)
  return [
    withOpen(stopsCell(attack), attack.undecided_connections),
    withOpen(breaksCell(innocent), innocent.undecided_connections),
  ]
}

const withOpen = (text: string, undecided: number): string =>
  undecided === 0 ? text : `${text}, ${integerText(undecided)} undecided`

function stopsCell({ stopped_connections, stopped_bytes }: Trial['attack']): string {
  if (stopped_connections === 0) return 'nothing'
  return `${integerText(stopped_connections)}${stopped_bytes === null ? '' : `, ${sizeText(stopped_bytes)}`}`
}

function breaksCell({ broken_connections, probes }: Trial['innocent']): string {
  if (broken_connections === 0) return 'nothing'
  const strangers = probes.connections === 0 ? '' : ` (${countText(probes.connections, 'probe')})`
  return `${integerText(broken_connections)}${strangers}`
}

/** When it goes off first, and how often before the incident. */
function firedCells(
  { fired: [first], fired_total, baseline, not_decidable }: Trial,
  day: string | null,
): [string, string] {
  const times = fired_total > 1 ? `, ${integerText(fired_total)} times` : ''
  const at = first === undefined ? '' : dayOf(first.at) === day ? first.at.slice(11) : timeText(first.at)
  const when = first === undefined ? 'no alarm' : `at ${at}${times}`
  if (baseline === null) return [when, '']
  const span = durationWords((microsecondsOf(baseline.to) - microsecondsOf(baseline.from)) / 1e6)
  const of = not_decidable.length === 0 ? 'before' : 'by others'
  return [when, `${integerText(baseline.fired)} ${of} (${span})`]
}

function beforeUse({ kind, confirm, applies_to, quotas }: Control): string {
  return [
    ...(confirm.length === 0 ? [] : [`confirm ${integerText(confirm.length)}`]),
    ...(kind === 'rate-limit' ? ['load balancer'] : []),
    ...(kind === 'network-acl' && applies_to.subnets.length === 0 ? ['subnet unknown'] : []),
    ...(quotas.some(({ fits }) => !fits) ? ['beyond a quota'] : []),
  ].join(', ')
}
