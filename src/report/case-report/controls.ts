/** What would have stopped it, or told of it, and what became of the recorded flows under it. */
import type { Control, ControlsAnswer, ToldRule, Trial, TrialService } from '../../controls/control.ts'
import {
  type Block,
  code as codeBlock,
  entry,
  fact,
  facts,
  fold,
  heading,
  type Inline,
  inlines,
  line,
  list,
  paragraph,
  type Row,
  strong,
  subheading,
  type Text,
  table,
} from '../block.ts'
import { ruleTraffic, undecidedText } from '../control-words.ts'
import { addressOf, bytesOf, countOf, protocolWords, timeOf, wordsOf } from '../figures.ts'
import type { CaseReport } from './document.ts'

const servicesMax = 15
const firedMax = 10
const peersMax = 12

export function controlsBlocks({ controls, controls_left_out, dossier }: CaseReport): Block[] {
  if (controls === null)
    return [
      heading('Controls'),
      paragraph(
        line`Controls are left out: ${wordsOf(controls_left_out ?? 'the reason is not known', 'controls_left_out')}.`,
      ),
    ]
  return [
    heading('Controls'),
    paragraph(
      'What would have stopped it or told of it, each tried on the recorded flows: what it stops of the attack, and what it would have broken.',
    ),
    ...(controls.controls.length === 0 ? [paragraph('None is recommended.')] : []),
    ...controls.controls.map((one, i) => controlEntry(controls, one, `controls.controls.${i}`, dossier === null)),
    ...setBlocks(controls),
    ...missingBlocks(controls),
    ...undecidedBlocks(controls),
  ]
}

/** @param isOfCase the page has no dossier, whose findings and services a control names. */
function controlEntry(all: ControlsAnswer, control: Control, at: string, isOfCase: boolean): Block {
  const { id, title, answers, kind, why, cost, confirm, rules, trial, quotas, alarm } = control
  const named = answers.map((one, i) => (isOfCase ? answeredOf(all, one) : null) ?? wordsOf(one, `${at}.answers.${i}`))
  const answered: Text =
    named.length === 0 ? 'nothing of its own' : named.flatMap((one, i) => [...(i > 0 ? [', '] : []), ...inlines(one)])
  return entry(wordsOf(id, `${at}.id`), wordsOf(title, `${at}.title`), [
    facts([
      fact('kind', kind),
      fact('answers', answered),
      fact('why', wordsOf(why, `${at}.why`)),
      fact('cost', wordsOf(cost, `${at}.cost`)),
    ]),
    ...(confirm.length === 0
      ? []
      : [
          paragraph(strong('To be confirmed before it is put in place:')),
          list(confirm.map((one, i) => wordsOf(one, `${at}.confirm.${i}`))),
        ]),
    ...(trial === null
      ? [paragraph('Nothing of it can be tried on the recorded flows.')]
      : trialBlocks(trial, `${at}.trial`, alarm !== null)),
    ...(rules.length === 0 ? [] : [ruleTable(rules, at)]),
    ...quotaBlocks(quotas, at),
  ])
}

/** A finding by the id that `detect` gives it, else by its title; a service by its server. */
function answeredOf({ findings, services }: ControlsAnswer, id: string): Text | null {
  const finding = findings.findIndex(one => one.id === id)
  if (finding >= 0) {
    const { detect_id, title } = findings[finding]!
    const at = `controls.findings.${finding}`
    return detect_id === null ? wordsOf(title, `${at}.title`) : wordsOf(detect_id, `${at}.detect_id`)
  }
  const service = services.findIndex(one => one.id === id)
  if (service < 0) return null
  const { server, port } = services[service]!
  const at = `controls.services.${service}`
  return line`${addressOf(server, `${at}.server`)}${port === null ? '' : line`:${wordsOf(port, `${at}.port`)}`}`
}

function quotaBlocks(quotas: Control['quotas'], of: string): Block[] {
  if (quotas.length === 0) return []
  const told = quotas.map(({ quota, used, limit, fits }, i): Text => {
    const at = `${of}.quotas.${i}`
    return line`${wordsOf(quota, `${at}.quota`)}: ${countOf(used, `${at}.used`)} of ${countOf(limit, `${at}.limit`)}${fits ? '' : ': it does not fit'}`
  })
  return [facts([fact('quotas of AWS', ...told)])]
}

const codeFormats = {
  terraform: ['As Terraform', 'terraform'],
  cloudformation: ['As CloudFormation', 'cloudformation'],
  aws_cli: ['As commands of the AWS CLI', 'aws-cli'],
} as const

/** The code of all controls together; of one that is not among them, its own. */
export function codeAnnex({ controls, report: { subject } }: CaseReport): Block[] {
  if (controls === null) return []
  const { set } = controls
  const own = controls.controls.flatMap((one, i) =>
    set.controls.includes(one.id) && set.code.terraform !== null ? [] : [{ one, at: `controls.controls.${i}` }],
  )
  const command = subject.flatMap((one, i): Inline[] => [' ', addressOf(one, `report.subject.${i}`)])
  const folds = (code: Control['code'], at: string, name: Inline | null): Block[] =>
    (Object.keys(codeFormats) as (keyof typeof codeFormats)[]).flatMap(format => {
      const [title, option] = codeFormats[format]
      const text = code[format]
      const only: Text = name === null ? '' : line` --only ${name}`
      const paper = line`${title}: it is in the HTML, on a screen, and in the JSON; tidemark controls${command}${only} --code ${option} prints it.`
      return text === null ? [] : [fold(title, [codeBlock(text, `${at}.code.${format}`)], paper)]
    })
  const blocks = [
    ...folds(set.code, 'controls.set', null),
    ...own.flatMap(({ one, at }) => {
      const name = wordsOf(one.id, `${at}.id`)
      const parts = folds(one.code, at, name)
      return parts.length === 0 ? [] : [subheading(name), ...parts]
    }),
  ]
  if (blocks.length === 0) return []
  return [
    heading('Annex: code of the controls'),
    paragraph(
      'Review it before it is used. The JSON has the code of each control on its own, too. The commands below need the --case of this report.',
    ),
    ...blocks,
  ]
}

/** Of an alarm, when it would have fired: it stops nothing. */
function trialBlocks(trial: Trial, at: string, isAlarm: boolean): Block[] {
  const { attack, innocent, fired, fired_total, baseline, not_decidable } = trial
  return [
    facts(isAlarm ? alarmFacts(fired, fired_total, baseline, at) : trialFacts(trial, at)),
    ...servicesTable(
      attack.let_through,
      attack.let_through_total,
      `${at}.attack.let_through`,
      'What of the attack it lets through all the same',
    ),
    ...servicesTable(innocent.broken, innocent.broken_total, `${at}.innocent.broken`, 'What it would have broken'),
    ...(not_decidable.length === 0
      ? []
      : [list(not_decidable.map((one, i) => undecidedText(one, `${at}.not_decidable.${i}`)))]),
  ]
}

function trialFacts({ attack, innocent, at_least }: Trial, at: string) {
  const [bad, good] = [`${at}.attack`, `${at}.innocent`]
  const bound = at_least ? 'at least ' : ''
  const when =
    attack.first_stopped === null
      ? []
      : [
          line`from ${timeOf(attack.first_stopped, `${bad}.first_stopped`)} to ${timeOf(attack.last_stopped, `${bad}.last_stopped`)}`,
        ]
  const peers = innocent.peers
    .slice(0, peersMax)
    .flatMap((one, i) => [...(i > 0 ? [', '] : []), addressOf(one, `${good}.peers.${i}`)])
  return [
    fact(
      'stops of the attack',
      line`${countOf(attack.stopped_connections, `${bad}.stopped_connections`)} of ${countOf(attack.connections, `${bad}.connections`)} connections, ${bound}${bytesOf(attack.stopped_bytes, `${bad}.stopped_bytes`)} of ${bytesOf(attack.bytes, `${bad}.bytes`)}`,
      ...undecidedLine(attack, bad),
      ...when,
    ),
    fact(
      'breaks of the rest',
      line`${countOf(innocent.broken_connections, `${good}.broken_connections`)} of ${countOf(innocent.connections, `${good}.connections`)} connections, ${bound}${bytesOf(innocent.broken_bytes, `${good}.broken_bytes`)}, with ${countOf(innocent.peers_total, `${good}.peers_total`)} peers`,
      ...undecidedLine(innocent, good),
      ...probesLine(innocent, good),
      ...(peers.length === 0 ? [] : [peers]),
    ),
  ]
}

/** What is undecided was neither stopped nor let through. */
function undecidedLine(
  { connections, undecided_connections: open }: Trial['attack'] | Trial['innocent'],
  at: string,
): Text[] {
  if (open === 0) return []
  const all = open === connections ? 'nothing could be decided: ' : ''
  return [line`${all}${countOf(open, `${at}.undecided_connections`)} connections cannot be decided`]
}

function probesLine({ probes }: Trial['innocent'], at: string): Text[] {
  if (probes.connections === 0) return []
  const of = `${at}.probes`
  return [
    line`of them ${countOf(probes.connections, `${of}.connections`)} probes of ${countOf(probes.peers, `${of}.peers`)} addresses outside, none longer than ${countOf(probes.packets_most, `${of}.packets_most`)} packets`,
  ]
}

function alarmFacts(fired: Trial['fired'], total: number, baseline: Trial['baseline'], at: string) {
  const shown = fired
    .slice(0, firedMax)
    .map(
      (one, i): Text =>
        line`${timeOf(one.at, `${at}.fired.${i}.at`)}, at ${countOf(one.value, `${at}.fired.${i}.value`)}`,
    )
  return [
    fact('fires', line`${countOf(total, `${at}.fired_total`)} times`, ...shown),
    ...(baseline === null
      ? []
      : [
          fact(
            baseline.before_incident ? 'before the incident' : 'without the records of the subject',
            line`${countOf(baseline.fired, `${at}.baseline.fired`)} times in ${countOf(baseline.periods, `${at}.baseline.periods`)} periods, from ${timeOf(baseline.from, `${at}.baseline.from`)} to ${timeOf(baseline.to, `${at}.baseline.to`)}`,
          ),
        ]),
  ]
}

function servicesTable(services: readonly TrialService[], total: number, of: string, caption: string): Block[] {
  if (services.length === 0) return []
  const right = { align: 'right' } as const
  const shown = services.slice(0, servicesMax)
  const rows = shown.map((one, i): Row => {
    const at = `${of}.${i}`
    const port: Text = one.port === null ? '' : line`:${wordsOf(one.port, `${at}.port`)}`
    const named = protocolWords(one.protocol, `${at}.protocol`)
    return {
      cells: [
        addressOf(one.client, `${at}.client`),
        line`${addressOf(one.server, `${at}.server`)}${port} ${named}`,
        countOf(one.connections, `${at}.connections`),
        countOf(one.bytes, `${at}.bytes`),
        timeOf(one.first_start, `${at}.first_start`),
        timeOf(one.last_end, `${at}.last_end`),
      ],
    }
  })
  const columns = [
    { title: 'client' },
    { title: 'service' },
    { title: 'connections', ...right },
    { title: 'bytes', ...right },
  ]
  return [
    table([...columns, { title: 'first' }, { title: 'last' }], rows, caption),
    ...(total > shown.length ? [paragraph(line`${countOf(total, `${of}_total`)} in all; the first are listed.`)] : []),
  ]
}

function ruleTable(rules: readonly ToldRule[], of: string): Block {
  const rows = rules.map((rule, i): Row => {
    const at = `${of}.rules.${i}`
    return {
      cells: [
        rule.direction,
        rule.number === null ? '–' : wordsOf(rule.number, `${at}.number`),
        rule.action,
        ruleTraffic(rule, at),
        wordsOf(rule.remote, `${at}.remote`),
        wordsOf(rule.description, `${at}.description`),
      ],
    }
  })
  const columns = ['direction', 'number', 'action', 'traffic', 'remote', 'description'].map(title => ({
    title,
  }))
  return table(columns, rows, 'The rules')
}

/** All of them at once. */
function setBlocks({ set: { controls, trial } }: ControlsAnswer): Block[] {
  if (trial === null) return []
  const ids = controls.flatMap((one, i) => [...(i > 0 ? [' '] : []), wordsOf(one, `controls.set.controls.${i}`)])
  return [
    subheading('All of them together'),
    paragraph(line`Of ${ids}:`),
    ...trialBlocks(trial, 'controls.set.trial', false),
  ]
}

function missingBlocks({ missing }: ControlsAnswer): Block[] {
  if (missing.length === 0) return []
  return [
    subheading('What was missing in the evidence'),
    list(
      missing.map(
        ({ what, why }, i): Text =>
          line`${wordsOf(what, `controls.missing.${i}.what`)}: ${wordsOf(why, `controls.missing.${i}.why`)}`,
      ),
    ),
  ]
}

function undecidedBlocks({ not_decidable }: ControlsAnswer): Block[] {
  if (not_decidable.length === 0) return []
  return [
    subheading('What a trial cannot decide'),
    list(not_decidable.map((one, i) => wordsOf(one, `controls.not_decidable.${i}`))),
  ]
}
