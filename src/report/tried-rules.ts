/** Rules of the user's own, beside what was recorded when others may have been in force. */
import type { ControlsAnswer, TriedRules } from '../controls/control.ts'
import { alarm, type Block, command, heading, line, list, paragraph, path, strong, type Text } from './block.ts'
import { countText, integerText } from './numbers.ts'
import { brokenText, isUndecided, mainReason, services, stoppedText, trialBlocks } from './trial-words.ts'

/** Addresses in a command that is given to be copied; AWS takes at most 200 values of a filter. */
const addressesMost = 20

const elsewhere = 'It may be gone, or of another region or account: --live-region, --live-role.'

/** What the rules are called. */
export function ruleWords({ live }: Pick<TriedRules, 'live'>): string {
  return live ? 'The rules in force' : 'Your rules'
}

/** What the rules do to the attack; without a subject, to all. */
export function triedVerdict(tried: TriedRules): Text {
  const { trial } = tried
  if (trial === null) return judgedText(tried)
  if (isUndecided(trial.attack) && (trial.innocent.connections === 0 || isUndecided(trial.innocent)))
    return line`${alarm('Nothing could be decided')}: ${undecidedText(tried, mainReason(trial))}`
  const add = trial.attack.undecided_connections > 0 ? undecidedText(tried, mainReason(trial)) : ''
  return line`${ruleWords(tried)} ${stoppedText(trial, 'they')} ${brokenText(trial, 'they')}${add === '' ? '' : line` Not decided: ${add}`}`
}

function judgedText(tried: TriedRules): Text {
  const { judged, accepted_denied_connections: denied, rejected_allowed_connections: allowed } = tried
  if (judged.connections === 0)
    return tried.live
      ? line`${alarm('Nothing could be decided')}: no interface or subnet that AWS describes has an address of the evidence. ${elsewhere}`
      : line`${alarm('Nothing could be decided')}: the files name no address of the evidence. Add: ${command('aws ec2 describe-network-interfaces > interfaces.json')}, and --try interfaces.json.`
  if (judged.undecided === judged.connections)
    return line`${alarm('Nothing could be decided')}: ${undecidedText(tried, null)}`
  const open = judged.undecided === 0 ? '' : `, and cannot decide ${integerText(judged.undecided)}`
  return line`${strong(`${ruleWords(tried)} allow ${integerText(judged.allowed)} of ${countText(judged.connections, 'connection')}`)} of addresses whose interface or subnet ${tried.live ? 'AWS describes' : 'the files describe'}, deny ${integerText(judged.denied)}${open}. ${integerText(denied)} that were accepted would be denied; ${integerText(allowed)} that were rejected would be allowed.`
}

/** Why, and what to add. */
function undecidedText({ live, no_interface: unknown }: TriedRules, reason: string | null): Text {
  if (unknown.length === 0) return `${reason ?? 'what is missing, the records below tell'}.`
  const some = unknown.slice(0, addressesMost)
  const left = unknown.length - some.length
  const names = `${some.join(', ')}${left > 0 ? ` and ${integerText(left)} more` : ''}`
  if (live) return `AWS describes no network interface that has ${names}. ${elsewhere}`
  const filter = `aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values=${some.join(',')} > interfaces.json`
  return line`no network interface is known that has ${names}. Add: ${command(filter)}, and --try interfaces.json.`
}

export function triedBlocks(tried: TriedRules, triage: ControlsAnswer['triage'], all: boolean): Block[] {
  const conclusion = conclusionOf(tried, triage)
  return [
    heading(ruleWords(tried)),
    list([
      ...tried.files.map((file): Text => line`From ${path(file.path)}: ${file.holds.join(', ')}.`),
      ...tried.problems.map(({ path: file, problem }): Text => line`${alarm('Not used:')} ${path(file)}: ${problem}.`),
    ]),
    ...(conclusion === null ? [] : [paragraph(conclusion)]),
    ...(tried.trial === null ? [] : trialBlocks(tried.trial, 'they', all)),
    ...services(
      `Recorded as accepted, and denied by them (${countText(tried.accepted_denied_connections, 'connection')}):`,
      tried.accepted_denied,
      tried.accepted_denied_total,
      all,
    ),
    ...services(
      `Recorded as rejected, and allowed by them (${countText(tried.rejected_allowed_connections, 'connection')}):`,
      tried.rejected_allowed,
      tried.rejected_allowed_total,
      all,
    ),
  ]
}

/** Whether these can be the rules of the time; null where nothing was decided. */
export function conclusionOf(tried: TriedRules, triage: ControlsAnswer['triage']): Text | null {
  const { judged, accepted_denied_connections: denied, rejected_allowed_connections: allowed } = tried
  if (judged.allowed + judged.denied === 0) return null
  const against = [
    ...(denied === 0 ? [] : [`${countText(denied, 'accepted connection')} would have been denied`]),
    ...(allowed === 0 ? [] : [`${countText(allowed, 'rejected connection')} would have been allowed`]),
  ]
  const verdict =
    against.length > 0
      ? line`${strong('So these are not the rules of that time:')} ${against.join(', and ')}.`
      : line`${strong('These may be the rules of that time:')} no connection that is decided says otherwise.`
  return line`${verdict}${triage === null || triage.total === 0 ? '' : ` ${explainedText(triage)}`}`
}

/** How many rejected records the rules explain, and what the others are. */
function explainedText({ total, explained }: NonNullable<ControlsAnswer['triage']>): string {
  const sum = (...by: (typeof explained)[number]['by'][]): number =>
    explained.reduce((all, one) => all + (by.includes(one.by) ? one.records : 0), 0)
  const ofRules = sum('group', 'acl', 'return-path')
  const rest = [
    [sum('late'), 'late packets'],
    [sum('block-public-access', 'encryption-control'), 'refused by something else than rules'],
    [sum('none'), 'explained by nothing'],
    [sum('not-decidable'), 'not decidable'],
  ] as const
  const named = rest.filter(([records]) => records > 0)
  const [only] = named
  const others =
    named.length === 0
      ? ''
      : named.length === 1
        ? `; the other ${integerText(only![0])} are ${only![1]}`
        : `; of the others, ${named.map(([records, what]) => `${integerText(records)} are ${what}`).join(', ')}`
  return `They explain ${integerText(ofRules)} of ${countText(total, 'rejected record')}${others}.`
}
