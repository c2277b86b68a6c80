/** What the code of a control tells whoever approves it: what it costs, what to confirm, and what became of the recorded flows under it. */
import type { CodeItem } from '../as-code/code.ts'
import { countText, integerText } from '../net/counts.ts'
import { protocolText } from '../net/protocols.ts'
import type { Recommended, Trial, TrialService } from './control.ts'

/** Services that are named of what breaks. */
const namedMost = 5

export function codeItemOf(id: string, control: Recommended, trial: Trial | null): CodeItem {
  const { title, why, cost, confirm, artefact } = control
  return { id, title, why, cost, confirm, tried: trial === null ? [] : triedLines(trial, artefact.what), artefact }
}

function triedLines(trial: Trial, what: Recommended['artefact']['what']): string[] {
  if (what === 'metric-alarm') return firedLines(trial)
  const doubts = trial.attack.undecided_connections + trial.innocent.undecided_connections
  const undecided = doubts === 0 ? [] : [`Of ${countText(doubts, 'connection')} it cannot be told.`]
  return [stopsLine(trial), breaksLine(trial), ...undecided]
}

function stopsLine({ attack, at_least }: Trial): string {
  const { connections, stopped_connections, stopped_bytes, first_stopped } = attack
  const all = `${countText(connections, 'connection')} of the attack`
  if (stopped_connections === 0) return `It stops none of ${all}.`
  const size =
    stopped_bytes === null ? 'bytes not recorded' : `${at_least ? 'at least ' : ''}${countText(stopped_bytes, 'byte')}`
  return `It stops ${integerText(stopped_connections)} of ${all}, ${size}, the first at ${first_stopped ?? 'an unknown time'}.`
}

function breaksLine({ innocent }: Trial): string {
  const { connections, broken_connections, broken, broken_total, peers_total } = innocent
  if (connections === 0) return 'There was no other traffic to break.'
  const all = countText(connections, 'other connection')
  if (broken_connections === 0) return `It breaks none of ${all}.`
  const named = broken.slice(0, namedMost)
  const left = broken_total - named.length
  const more = left > 0 ? `; and ${integerText(left)} more` : ''
  return `It breaks ${integerText(broken_connections)} of ${all}, with ${countText(peers_total, 'peer')}: ${named.map(serviceText).join('; ')}${more}.`
}

/** `10.0.0.9 to 10.0.0.2 22/tcp, 3 connections`. */
function serviceText({ client, server, port, protocol, connections }: TrialService): string {
  const name = protocolText(protocol)
  const service = port === null ? name : `${port}/${name}`
  return `${client} to ${server} ${service.toLowerCase()}, ${countText(connections, 'connection')}`
}

function firedLines({ fired, fired_total, baseline }: Trial): string[] {
  const first = fired[0] === undefined ? '' : `, the first at ${fired[0].at}`
  const told =
    fired_total === 0
      ? 'It would not have gone off.'
      : `It would have gone off ${countText(fired_total, 'time')}${first}.`
  if (baseline === null) return [told]
  const { from, to, fired: before, periods } = baseline
  return [
    told,
    `Before the incident (${from} to ${to}) it would have gone off ${countText(before, 'time')} in ${countText(periods, 'period')}.`,
  ]
}
