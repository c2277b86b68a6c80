/** Controls and what became of the recorded flows under them, as a page. */
import type { Control, ControlsAnswer, ProtectedHost, ToldRule } from '../controls/control.ts'
import { parseAddress } from '../net/address.ts'
import { isInternal } from '../net/internal.ts'
import {
  address,
  apart,
  type Block,
  command,
  entry,
  gap,
  heading,
  type Inline,
  inlines,
  inset,
  limited,
  line,
  list,
  paragraph,
  plainText,
  sharedPaths,
  shortened,
  strong,
  type Text,
  table,
  time,
  title,
  warning,
} from './block.ts'
import { ruleTraffic } from './control-words.ts'
import { controlsTable } from './controls-table.ts'
import { countText, integerText, percentText, spanText, timeText } from './numbers.ts'
import { rejectsBlocks } from './rejects.ts'
import { brokenText, firedText, shortTrial, sized, stoppedText, trialBlocks } from './trial-words.ts'
import { ruleWords, triedBlocks, triedVerdict } from './tried-rules.ts'

const hostsAtMost = 5
const rulesAtMost = 12
const confirmAtMost = 4
/** On a page of several controls. */
const shortRulesAtMost = 4
const whyLinesAtMost = 2

/**
 * The sentences, a table of all controls, then what is said of each.
 *
 * @param again the command that asked, to which options can be added.
 * @param all whether everything is told: of alarms the patterns, and every rule and service.
 */
export function controlsPage(found: ControlsAnswer, again: string, all: boolean): Block[] {
  const { controls, set, tried } = found
  return [
    title(titleOf(found)),
    gap,
    paragraph(controlsVerdict(found)),
    ...ownSubjectBlocks(found),
    gap,
    list(controlsAbout(found)),
    ...(tried === null ? [] : triedBlocks(tried, found.triage, all)),
    ...(found.triage === null ? [] : rejectsBlocks({ rejects: found.triage })),
    ...(controls.length === 0
      ? []
      : [
          heading(`Controls (${integerText(controls.length)})`),
          ...(controls.length === 1 ? [] : [controlsTable(found), gap]),
          ...(all || controls.length === 1
            ? []
            : [
                paragraph('In short; --all, or --only C1 of one, tells all: costs, rules, evidence, what to confirm.'),
                gap,
              ]),
          sharedPaths('In the evidence lines', apart(controlEntries(controls, all))),
        ]),
    ...(set.trial === null || controls.length < 2 || !all
      ? []
      : [heading('All of them together'), sharedPaths('In the evidence lines', trialBlocks(set.trial, 'they', all))]),
    ...missingBlocks(found, all),
    ...undecidedBlocks(found),
    ...nextBlocks(found, again, all),
  ]
}

function titleOf({ subject, tried }: ControlsAnswer): Text {
  if (subject.length > 0) return line`${strong('What would have stopped')} ${addresses(subject, hostsAtMost)}`
  if (tried === null) return strong('What would have stopped the attack')
  return strong(`${ruleWords(tried)}, tried on the recorded flows`)
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
export function controlsVerdict(found: ControlsAnswer): Text {
  const { subject, selection, records, protected: hosts, controls, set, tried } = found
  if (subject.length === 0) {
    if (tried !== null) return triedVerdict(tried)
    return selection.from_findings
      ? line`${strong('No host outside is found to act')}, so there is nobody to stop. What detect could not decide stands on its own page.`
      : 'Nothing was asked.'
  }
  if (records.subject === 0)
    return line`${strong(`No record of ${addresses(subject, hostsAtMost).map(plainText).join('')} in ${countText(records.total, 'flow record')}`)}, so there is nothing to stop. That is not proof of absence: ${command('tidemark investigate')} tells where else it may have been.`
  if (hosts.length === 0)
    return line`${strong('No internal host had an accepted connection of the attack')}: there is nothing to stop. If the addresses that it reached are your own, name their networks with --internal.`
  if (tried !== null) return triedVerdict(tried)
  const { trial } = set
  if (trial === null) return untriedVerdict(controls)
  const isOne = controls.length === 1
  const who = isOne ? 'it' : 'they'
  return line`${isOne ? `${controls[0]!.id} alone` : 'Together they'} ${stoppedText(trial, who)} ${brokenText(trial, who)}`
}

/** Of controls that stop nothing: what they do. */
function untriedVerdict(controls: readonly Control[]): Text {
  if (controls.length === 0) return 'No control is recommended.'
  const alarms = controls.filter(({ trial }) => trial !== null)
  const others = controls.filter(({ trial }) => trial === null)
  const ids = (some: readonly Control[]): string => some.map(({ id }) => id).join(', ')
  const [first] = alarms
  return [
    ...(first === undefined
      ? []
      : alarms.length === 1
        ? inlines(line`${strong(`${first.id} stops nothing, and tells of it`)}: ${firedText(first.trial!)}`)
        : [strong(`${ids(alarms)} stop nothing, and tell of it`), ': when, the table says.']),
    ...(first === undefined || others.length === 0 ? [] : [' ']),
    ...(others.length === 0
      ? []
      : [
          strong(`${ids(others)} ${others.length === 1 ? 'stops' : 'stop'} nothing`),
          ': no trial on the recorded flows can show what it gives; the reasons are below.',
        ]),
  ]
}

/** What the figures are of: each a sentence. */
export function controlsAbout(found: ControlsAnswer): Text[] {
  const { window, selection, subject, rejected_connections, connections } = found
  const { at, only, share } = selection
  return [
    ...(window === null
      ? []
      : [
          `${countText(connections, 'connection')} of the case, from ${spanText(window.first_start, window.last_end)}.`,
        ]),
    ...protectedItems(found),
    ...(subject.length === 0 || rejected_connections === 0
      ? []
      : [
          rejected_connections === 1
            ? '1 connection of the subject was rejected already: it moved no data, and is in no figure here.'
            : `${countText(rejected_connections, 'connection')} of the subject were rejected already: they moved no data, and are in no figure here.`,
        ]),
    ...(at === null ? [] : [line`The controls are in force from ${time(timeText(at))} on.`]),
    ...(only.length === 0 ? [] : [`Only ${only.join(', ')}.`]),
    ...(!found.controls.some(({ kind }) => kind === 'security-group-egress')
      ? []
      : [`The list of what may leave covers ${percentText(share, 1)} of what else left (--share).`]),
  ]
}

function ownSubjectBlocks(found: ControlsAnswer): Block[] {
  const text = ownSubjectText(found)
  return text === null ? [] : [warning(text)]
}

/** That a host of one's own is asked about, and whom to ask about instead; null: none is. */
export function ownSubjectText({ internal_subject: own, services }: ControlsAnswer): Text | null {
  if (own.length === 0) return null
  const ends = services.flatMap(({ client, server }) => [client, server])
  const outside = [...new Set(ends)].filter(one => !own.includes(one) && !isInternal(parseAddress(one)!))
  const [is, does] = own.length === 1 ? ['is a host', 'it does'] : ['are hosts', 'they do']
  const instead =
    outside.length === 0
      ? ''
      : line` To stop those outside whom its findings name, ask about them: ${command(`tidemark controls ${outside.slice(0, hostsAtMost).join(' ')}`)}${outside.length > hostsAtMost ? ` and ${integerText(outside.length - hostsAtMost)} more` : ''}.`
  return line`${addresses(own, hostsAtMost)} ${is} of your own: the attack is what findings of severity low and above rest on, in their time; all else that ${does} counts as innocent.${instead}`
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

/** Of several, what is needed to choose: what alarms have in common once, and those that do not go off in one line. */
function controlEntries(controls: readonly Control[], all: boolean): Block[][] {
  if (all || controls.length === 1) return controls.map(one => [controlEntry(one, all)])
  const alarms = controls.filter(({ kind }) => kind === 'alarm')
  const common = commonOf(alarms)
  const silent = alarms.length < 2 ? [] : alarms.filter(({ trial }) => trial?.fired_total === 0)
  const loud = alarms.filter(one => !silent.includes(one))
  return controls.flatMap((one): Block[][] => [
    ...(one === loud[0] ? commonBlocks(common) : []),
    ...(silent.includes(one) ? [] : [[shortEntry(one, common)]]),
    ...(one === alarms.at(-1) && silent.length > 0 ? [[silentBlock(silent)]] : []),
  ])
}

function silentBlock(silent: readonly Control[]): Block {
  const names = silent.map(({ id, title }) => `${id} ${title}`).join('; ')
  return paragraph(line`${strong('Alarms that would not have gone off:')} ${names}.`)
}

/** What more than one alarm has. */
interface Common {
  cost: string | null
  confirm: readonly string[]
}

function commonOf(alarms: readonly Control[]): Common {
  const [first] = alarms
  if (first === undefined || alarms.length < 2) return { cost: null, confirm: [] }
  const confirm = new Set(alarms.flatMap(one => one.confirm))
  return {
    cost: alarms.every(({ cost }) => cost === first.cost) ? first.cost : null,
    confirm: [...confirm].filter(text => alarms.filter(one => one.confirm.includes(text)).length > 1),
  }
}

function commonBlocks({ cost, confirm }: Common): Block[][] {
  const texts = [...(cost === null ? [] : [line`${strong('Each alarm costs:')} ${cost}`]), ...confirm]
  return texts.length === 0 ? [] : [texts.map(text => paragraph(text))]
}

function controlEntry(control: Control, all: boolean): Block {
  const { id, title: name, kind, answers, why, cost, confirm, rules, alarm: metric, trial, quotas } = control
  return entry(id, strong(name), [
    paragraph(`${kind}${answers.length === 0 ? '' : `; answers ${answers.join(', ')}`}`),
    paragraph(why),
    paragraph(line`${strong('Costs:')} ${cost}`),
    ...(rules.length === 0 ? [] : [inset(2, [rulesTable(rules, all ? rules.length : rulesAtMost)])]),
    ...(metric === null || metric.pattern === null ? [] : [paragraph(line`Pattern: ${metric.pattern}`)]),
    ...(trial === null ? [] : trialBlocks(trial, 'it', all)),
    ...quotas
      .filter(({ fits }) => !fits)
      .map(({ quota, used, limit }) => warning(`${quota}: ${integerText(used)} of at most ${integerText(limit)}.`)),
    ...confirmBlocks(confirm, all ? confirm.length : confirmAtMost),
  ])
}

/** What is needed to choose: costs, patterns and the rest of the reasons are told with --all, or of one control alone. */
function shortEntry({ id, title: name, why, rules, trial, confirm, quotas }: Control, common: Common): Block {
  const own = confirm.filter(one => !common.confirm.includes(one))
  return entry(id, strong(name), [
    shortened(why, whyLinesAtMost, `… --only ${id} tells the rest.`),
    ...(rules.length === 0 ? [] : [inset(2, [rulesTable(rules, shortRulesAtMost)])]),
    ...(trial === null ? [] : shortTrial(trial, 'it')),
    ...quotas
      .filter(({ fits }) => !fits)
      .map(({ quota, used, limit }) => warning(`${quota}: ${integerText(used)} of at most ${integerText(limit)}.`)),
    ...(own[0] === undefined || trial === null ? [] : [paragraph(line`${strong('Confirm first:')} ${firstOf(own)}`)]),
  ])
}

/** The first one as a sentence, and how many more there are. */
function firstOf([first, ...others]: readonly string[]): string {
  const text = first!.replace(/\.$/, '')
  if (others.length > 0) return `${text.replace(/\?$/, '')}; and ${integerText(others.length)} more.`
  return text.endsWith('?') ? text : `${text}.`
}

function confirmBlocks(confirm: readonly string[], most: number): Block[] {
  if (confirm.length === 0) return []
  return [
    paragraph(strong('Confirm first:')),
    list(limited<Text>(confirm, most, left => `… and ${integerText(left)} more: --all lists them.`)),
  ]
}

function rulesTable(rules: readonly ToldRule[], most: number): Block {
  const isAcl = rules.some(({ number }) => number !== null)
  const columns = [
    ...(isAcl ? [{ title: 'no.', align: 'right' as const }] : []),
    { title: 'way' },
    ...(isAcl ? [{ title: 'action' }] : []),
    { title: 'traffic' },
    { title: 'remote' },
    { title: 'what for', hangs: true },
  ]
  const shown = rules.slice(0, most)
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

function missingBlocks({ missing }: ControlsAnswer, all: boolean): Block[] {
  if (missing.length === 0) return []
  return [
    heading('What was missing'),
    all
      ? list(missing.map(({ what, why }) => line`${strong(what)}: ${why}`))
      : paragraph(`${missing.map(({ what }) => what).join('; ')}. --all tells what each would have told.`),
  ]
}

function undecidedBlocks(found: ControlsAnswer): Block[] {
  const items = controlsDoubts(found)
  return items.length === 0 ? [] : [heading('What cannot be decided'), list(items)]
}

/** What every figure leaves open. */
export function controlsDoubts({ not_decidable, subject }: ControlsAnswer): Text[] {
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

function nextBlocks({ set, subject, controls }: ControlsAnswer, again: string, all: boolean): Block[] {
  const formats = [
    ...(set.code.terraform === null ? [] : ['terraform']),
    ...(set.code.cloudformation === null ? [] : ['cloudformation']),
    ...(set.code.aws_cli === null ? [] : ['aws-cli']),
  ]
  const [first, ...others] = formats
  const items: Text[] = [
    ...(all || controls.length === 0 ? [] : [command(`${again} --all`)]),
    ...(first === undefined
      ? []
      : [line`${command(`${again} --code ${first}`)}${others.length === 0 ? '' : ` (or ${others.join(', ')})`}`]),
    ...(subject.length === 0 ? [] : [command(`${again} --json`)]),
  ]
  return items.length === 0 ? [] : [heading('Next'), list(items)]
}
