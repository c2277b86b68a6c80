/** Controls and what became of the recorded flows under them, as a page. */
import type {
  Control,
  ControlsAnswer,
  ProtectedHost,
  ToldRule,
  Trial,
  TrialService,
  TriedRules,
} from '../controls/control.ts'
import { registeredService } from '../net/ports.ts'
import {
  address,
  alarm,
  apart,
  type Block,
  bytes,
  command,
  entry,
  gap,
  good,
  heading,
  type Inline,
  inlines,
  inset,
  limited,
  line,
  list,
  paragraph,
  path,
  sharedPaths,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { ruleTraffic, undecidedText } from './control-words.ts'
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
import { rejectsBlocks } from './rejects.ts'

const hostsAtMost = 5
const rulesAtMost = 12
const servicesAtMost = 3
const confirmAtMost = 4
const firedAtMost = 4

/**
 * @param again the command that asked, to which options can be added.
 * @param all whether every rule and service is listed.
 */
export function controlsPage(found: ControlsAnswer, again: string, all: boolean): Block[] {
  const { controls, set, missing } = found
  return [
    title(titleOf(found)),
    gap,
    paragraph(verdict(found)),
    ...aboutBlocks(found),
    ...(found.tried === null ? [] : triedBlocks(found.tried, all)),
    ...(found.triage === null ? [] : rejectsBlocks({ rejects: found.triage })),
    ...(found.subject.length === 0 || (found.tried !== null && controls.length === 0)
      ? []
      : [
          heading(`Controls (${integerText(controls.length)})`),
          sharedPaths('In the evidence lines', apart(controls.map(one => [controlEntry(one, all)]))),
        ]),
    ...(set.trial === null || controls.length < 2
      ? []
      : [heading('All of them together'), sharedPaths('In the evidence lines', trialBlocks(set.trial, all, false))]),
    ...(missing.length === 0
      ? []
      : [heading('What was missing'), list(missing.map(({ what, why }) => line`${strong(what)}: ${why}`))]),
    ...undecidedBlocks(found),
    ...nextBlocks(found, again),
  ]
}

function titleOf({ subject, tried }: ControlsAnswer): Text {
  if (subject.length > 0) return line`${strong('What would have stopped')} ${addresses(subject, hostsAtMost)}`
  return strong(tried === null ? 'What would have stopped the attack' : 'Your rules, tried on the recorded flows')
}

function addresses(some: readonly string[], most: number, total = some.length): Inline[] {
  const shown = some.slice(0, most)
  const left = total - shown.length
  return [
    ...shown.flatMap((one, i): Inline[] => [...(i > 0 ? [', '] : []), address(one)]),
    ...(left > 0 ? [` and ${integerText(left)} more`] : []),
  ]
}

/** What the set stops, since when, and what it breaks. */
function verdict(found: ControlsAnswer): Text {
  const { subject, selection, protected: hosts, controls, set, tried } = found
  if (subject.length === 0) {
    if (tried !== null) return triedVerdict(tried)
    return selection.from_findings
      ? line`${strong('No host outside is found to act')}, so there is nobody to stop. What detect could not decide stands on its own page.`
      : 'Nothing was asked.'
  }
  const trial = tried?.trial ?? set.trial
  if (hosts.length === 0)
    return line`${strong('No internal host had an accepted connection of the attack')}: there is nothing to stop. If the addresses that it reached are your own, name their networks with --internal.`
  if (trial === null)
    return line`${strong('No control that is tried')} is recommended: ${countText(controls.length, 'control')} below.`
  const isOne = tried === null && controls.length === 1
  const who = tried !== null ? 'Your rules' : isOne ? `${controls[0]!.id} alone` : 'Together they'
  return line`${who} ${stoppedText(trial, isOne)} ${brokenText(trial, isOne)}`
}

const verb = (isOne: boolean): string => (isOne ? 'stops' : 'stop')

function stoppedText({ attack, at_least }: Trial, isOne: boolean): Text {
  const { connections, stopped_connections, stopped_bytes, stopped_bytes_out, first_stopped } = attack
  if (connections === 0) return `${isOne ? 'has' : 'have'} no connection of the attack to stop.`
  if (stopped_connections === 0)
    return line`${alarm(`${verb(isOne)} nothing`)} of the attack: all ${countText(connections, 'connection')}, ${sized(attack.bytes, at_least)}, pass.`
  const isAll = stopped_connections === connections
  const some = isAll
    ? `all ${countText(connections, 'connection')}`
    : `${integerText(stopped_connections)} of ${countText(connections, 'connection')}`
  const of = isAll ? '' : ` of ${sized(attack.bytes, at_least)}`
  return line`${strong(`${verb(isOne)} ${some}`)} of the attack, ${bytes(sized(stopped_bytes, at_least))}${of}, from ${time(timeText(first_stopped))} on; ${bytes(sized(stopped_bytes_out, at_least))} of them would have left.`
}

function brokenText({ innocent, at_least }: Trial, isOne: boolean): Text {
  const { connections, broken_connections, broken_bytes, broken, peers_total } = innocent
  if (connections === 0) return 'The hosts that it reached did nothing else in this evidence.'
  if (broken_connections === 0)
    return line`${good('Nothing else is broken')}: all ${countText(connections, 'other connection')} of these hosts pass.`
  const [first] = broken
  const most = first === undefined ? '' : line`, most of it ${serviceLine(first)}`
  return line`${strong(`${isOne ? 'It breaks' : 'They break'} ${integerText(broken_connections)} of ${countText(connections, 'other connection')}`)} of these hosts (${percentText(broken_connections, connections)}; ${sized(broken_bytes, at_least)}; ${countText(peers_total, 'peer')})${most}.`
}

function sized(size: Trial['attack']['bytes'], isLowerBound: boolean): string {
  return size === null ? 'unknown bytes' : atLeast(knownBytesText(size), isLowerBound)
}

function aboutBlocks(found: ControlsAnswer): Block[] {
  const { window, selection, subject, internal_subject, rejected_connections, connections } = found
  const { at, only, share } = selection
  const items: Text[] = [
    ...(window === null
      ? []
      : [
          `${countText(connections, 'connection')} of the case, from ${spanText(window.first_start, window.last_end)}.`,
        ]),
    ...protectedItems(found),
    ...(internal_subject.length === 0
      ? []
      : [
          line`${addresses(internal_subject, hostsAtMost)} ${internal_subject.length === 1 ? 'is a host' : 'are hosts'} of your own: ${subject.length > internal_subject.length ? 'beside what the others did, ' : ''}the attack is what findings of severity low and above rest on, in their time${subject.length > internal_subject.length ? ', where it began the connection' : ''}; all else that ${internal_subject.length === 1 ? 'it does' : 'they do'} counts as innocent.`,
        ]),
    ...(subject.length === 0 || rejected_connections === 0
      ? []
      : [
          `${countText(rejected_connections, 'connection')} of the subject ${rejected_connections === 1 ? 'was rejected already: it moved no data, and is' : 'were rejected already: they moved no data, and are'} in no figure here.`,
        ]),
    ...(at === null ? [] : [line`The controls are in force from ${time(timeText(at))} on.`]),
    ...(only.length === 0 ? [] : [`Only ${only.join(', ')}.`]),
    ...(!found.controls.some(({ kind }) => kind === 'security-group-egress')
      ? []
      : [`The list of what may leave covers ${percentText(share, 1)} of what else left (--share).`]),
  ]
  return [gap, list(items)]
}

function protectedItems({ protected: hosts, protected_total }: ControlsAnswer): Text[] {
  if (hosts.length === 0) return []
  const each = hosts.slice(0, hostsAtMost).map(hostText)
  const left = protected_total - each.length
  return [
    `Protected: ${countText(protected_total, 'host')} that the attack reached.`,
    ...each,
    ...(left > 0 ? [`… and ${integerText(left)} more: --json lists them.`] : []),
  ]
}

function hostText({ address: host, attack, innocent, at_least }: ProtectedHost): Text {
  return line`${address(host)}: ${countText(attack.connections, 'connection')} of the attack (${sized(attack.bytes, at_least)}), ${integerText(innocent.connections)} others (${sized(innocent.bytes, at_least)}).`
}

function controlEntry(control: Control, all: boolean): Block {
  const { id, title: name, kind, answers, why, cost, confirm, rules, alarm: metric, trial, quotas } = control
  return entry(id, strong(name), [
    paragraph(`${kind}${answers.length === 0 ? '' : `; answers ${answers.join(', ')}`}`),
    paragraph(why),
    paragraph(line`${strong('Costs:')} ${cost}`),
    ...(rules.length === 0 ? [] : [inset(2, [rulesTable(rules, all)])]),
    ...(metric === null || metric.pattern === null ? [] : [paragraph(line`Pattern: ${metric.pattern}`)]),
    ...(trial === null ? [] : trialBlocks(trial, all, metric !== null)),
    ...quotas
      .filter(({ fits }) => !fits)
      .map(({ quota, used, limit }) => warning(`${quota}: ${integerText(used)} of at most ${integerText(limit)}.`)),
    ...(confirm.length === 0
      ? []
      : [
          paragraph(strong('Confirm first:')),
          list(
            limited<Text>(
              confirm,
              all ? confirm.length : confirmAtMost,
              left => `… and ${integerText(left)} more: --all lists them.`,
            ),
          ),
        ]),
  ])
}

function rulesTable(rules: readonly ToldRule[], all: boolean): Block {
  const isAcl = rules.some(({ number }) => number !== null)
  const columns = [
    ...(isAcl ? [{ title: 'no.', align: 'right' as const }] : []),
    { title: 'way' },
    ...(isAcl ? [{ title: 'action' }] : []),
    { title: 'traffic' },
    { title: 'remote' },
    { title: 'what for', hangs: true },
  ]
  const shown = all ? rules : rules.slice(0, rulesAtMost)
  const rows = shown.map(rule => ({
    cells: [
      ...(isAcl ? [String(rule.number ?? '')] : []),
      rule.direction === 'ingress' ? 'in' : 'out',
      ...(isAcl ? [rule.action] : []),
      ruleTraffic(rule, null),
      address(rule.remote),
      rule.description,
    ],
  }))
  const left = rules.length - shown.length
  const more = {
    cells: columns.map((_, i) => (i === columns.length - 1 ? `… and ${integerText(left)} more: --all` : '')),
  }
  return table(columns, left > 0 ? [...rows, more] : rows)
}

/** Of an alarm, when it would have gone off: it stops nothing. */
function trialBlocks(trial: Trial, all: boolean, isAlarm: boolean): Block[] {
  const { attack, innocent, not_decidable } = trial
  if (isAlarm) return firedBlocks(trial)
  return [
    paragraph(line`${strong('Tried:')} ${stopsLine(trial)}`),
    ...passedBlocks(attack, all),
    paragraph(breaksLine(trial)),
    ...services('It breaks:', innocent.broken, innocent.broken_total, all),
    ...undecidedList(not_decidable),
  ]
}

function stopsLine({ attack, at_least }: Trial): Text {
  const { connections, stopped_connections, stopped_bytes_out, stopped_bytes_in, first_stopped, last_stopped } = attack
  if (stopped_connections === 0)
    return line`${alarm('it stops nothing')} of the attack's ${countText(connections, 'connection')}.`
  return line`it stops ${strong(`${integerText(stopped_connections)} of ${countText(connections, 'connection')}`)} of the attack, ${time(spanText(first_stopped, last_stopped))}: ${bytes(sized(stopped_bytes_out, at_least))} out, ${bytes(sized(stopped_bytes_in, at_least))} in.`
}

function breaksLine({ innocent, at_least }: Trial): Text {
  const { connections, broken_connections, broken_bytes, peers_total } = innocent
  if (connections === 0) return 'There was no other traffic to break.'
  if (broken_connections === 0)
    return line`${good('It breaks nothing')} of ${countText(connections, 'other connection')}.`
  return line`It breaks ${strong(`${integerText(broken_connections)} of ${countText(connections, 'other connection')}`)} (${percentText(broken_connections, connections)}), ${bytes(sized(broken_bytes, at_least))}, with ${countText(peers_total, 'peer')}.`
}

function passedBlocks({ let_through, let_through_total }: Trial['attack'], all: boolean): Block[] {
  if (let_through_total === 0) return []
  const shown = let_through.slice(0, all ? let_through.length : servicesAtMost)
  const left = let_through_total - shown.length
  const each = shown.flatMap((one, i): Inline[] => [
    ...(i > 0 ? ['; '] : []),
    ...inlines(serviceLine(one)),
    `, ${countText(one.connections, 'connection')}`,
  ])
  return [paragraph(line`It lets through all the same: ${each}${left > 0 ? `; and ${integerText(left)} more` : ''}.`)]
}

function firedBlocks({ fired, fired_total, baseline, not_decidable }: Trial): Block[] {
  const times = fired.slice(0, firedAtMost).map(({ at, value }) => `${timeText(at)} (${integerText(value)})`)
  const left = fired_total - times.length
  const when =
    fired_total === 0
      ? line`${alarm('it would not have gone off')}.`
      : line`it would have gone off ${countText(fired_total, 'time')}: ${time(times.join(', '))}${left > 0 ? ` and ${integerText(left)} more` : ''}.`
  return [
    paragraph(line`${strong('Tried:')} ${when}`),
    ...(baseline === null
      ? []
      : [
          paragraph(
            `${baseline.before_incident ? 'Before the incident' : 'Without the records of the subject'} (${spanText(baseline.from, baseline.to)}) it would ${firingsText(baseline.fired)} in ${countText(baseline.periods, 'period')}.`,
          ),
        ]),
    ...undecidedList(not_decidable),
  ]
}

function firingsText(times: number): string {
  return times === 0 ? 'not have gone off' : `have gone off ${countText(times, 'time')}`
}

function undecidedList(not_decidable: Trial['not_decidable']): Block[] {
  return not_decidable.length === 0 ? [] : [list(not_decidable.map((one, i) => undecidedText(one, `${i}`)))]
}

function services(what: string, some: readonly TrialService[], total: number, all: boolean): Block[] {
  if (total === 0) return []
  const shown = all ? some : some.slice(0, servicesAtMost)
  const left = total - shown.length
  const where = all ? '' : ': --all lists them'
  return [
    paragraph(what),
    list(
      limited(
        [...shown.map(serviceItem), ...(left > 0 ? [`… and ${integerText(left)} more${where}.`] : [])],
        Number.POSITIVE_INFINITY,
        String,
      ),
    ),
  ]
}

function serviceItem(one: TrialService): Text {
  const [first] = one.basis
  const size = one.bytes === null ? '' : `, ${sizeText(one.bytes)}`
  const where = first === undefined ? '' : line`; ${placeText(first)}`
  return line`${serviceLine(one)}, ${countText(one.connections, 'connection')}${size}${where}`
}

/** `10.0.0.1 → 10.0.0.2 22/tcp (ssh)`. */
function serviceLine({ client, server, port, protocol }: TrialService): Text {
  const service = port === null || protocol === null ? null : (registeredService(port, protocol)?.name ?? null)
  return line`${address(client)} → ${address(server)} ${serviceText({ port, protocol, service })}`
}

function triedVerdict({ judged, accepted_denied_connections, rejected_allowed_connections }: TriedRules): Text {
  const { connections, allowed, denied } = judged
  return line`${strong(`Your rules decide ${integerText(allowed + denied)} of ${countText(connections, 'connection')}`)}: they allow ${integerText(allowed)} and deny ${integerText(denied)}. ${integerText(accepted_denied_connections)} that were accepted would be denied; ${integerText(rejected_allowed_connections)} that were rejected would be allowed.`
}

function triedBlocks(tried: TriedRules, all: boolean): Block[] {
  return [
    heading('Your rules'),
    list([
      ...tried.files.map((file): Text => line`From ${path(file.path)}: ${file.holds.join(', ')}.`),
      ...tried.problems.map(({ path: file, problem }): Text => line`${alarm('Not used:')} ${path(file)}: ${problem}.`),
    ]),
    ...(tried.trial === null ? [] : trialBlocks(tried.trial, all, false)),
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

function undecidedBlocks(found: ControlsAnswer): Block[] {
  const items = doubts(found)
  return items.length === 0 ? [] : [heading('What cannot be decided'), list(items)]
}

function doubts({ not_decidable, subject }: ControlsAnswer): Text[] {
  return [
    ...not_decidable.map(one => `${one[0]!.toUpperCase()}${one.slice(1)}.`),
    ...(subject.length === 0
      ? []
      : [
          'What an attacker would have done instead: a control that stops this traffic stops this way alone.',
          'A connection that a rule stops would have been tried again, elsewhere perhaps; what never began is in no record.',
        ]),
  ]
}

function nextBlocks({ set, subject }: ControlsAnswer, again: string): Block[] {
  const commands = [
    ...(set.code.terraform === null ? [] : [`${again} --code terraform`]),
    ...(set.code.cloudformation === null ? [] : [`${again} --code cloudformation`]),
    ...(set.code.aws_cli === null ? [] : [`${again} --code aws-cli`]),
    ...(subject.length === 0 ? [] : [`${again} --json`]),
  ]
  return commands.length === 0 ? [] : [heading('Next'), list(commands.map(one => command(one)))]
}
