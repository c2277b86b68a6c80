/** Answers: what would have stopped it. */
import type { Control, ControlsAnswer, Trial, TrialService, TriedRules } from '../../controls/control.ts'
import { type ControlsOptions, controls, type RulesText } from '../../controls/controls.ts'
import { readNamed } from '../../disk/named-file.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { parseTime } from '../../net/time.ts'
import { plainText } from '../../report/block.ts'
import { ruleTraffic, undecidedText } from '../../report/control-words.ts'
import { controlsAbout, controlsDoubts, controlsVerdict, ownSubjectText } from '../../report/controls.ts'
import { explainedText } from '../../report/rejects.ts'
import { brokenText, firedText, stoppedText, triedServiceText, type Who } from '../../report/trial-words.ts'
import { conclusionOf } from '../../report/tried-rules.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { commandOf } from '../command-line.ts'
import type { Count } from '../contract/common.ts'
import type {
  ControlAnswer,
  ControlsAsk,
  ControlsPageAnswer,
  Listed,
  TrialAnswer,
  TriedService,
  TriedSums,
  TryAsk,
} from '../contract/controls.ts'
import { subjectsOf } from '../subjects.ts'
import { placing } from './placing.ts'

/** Of each list; the page says how many more there are. */
const listedMax = 100
const placesMax = 3
const rulesMegabytes = 100

type PlaceOf = ReturnType<typeof placing>

async function controlsAnswer(c: Case, asked: ControlsAsk, context: WorkContext): Promise<ControlsPageAnswer> {
  const subjects = subjectsOf(asked.subjects)
  context.progress({ doing: 'trying controls', done: null, of: null })
  const ports = asked.approved_ports
  const options = { ...commonOf(asked, context), ...(ports !== null && { approvedPorts: ports }) }
  const found = await controls(c, subjects, options)
  return pageOf(c, found, [
    ...(subjects.length === 0 ? ['--findings'] : subjects),
    ...(ports === null ? [] : ['--approved-ports', ports.join(',')]),
    ...commonWords(c, asked),
  ])
}

async function tryAnswer(c: Case, asked: TryAsk, context: WorkContext): Promise<ControlsPageAnswer> {
  const subjects = subjectsOf(asked.subjects)
  context.progress({ doing: 'trying your rules', done: null, of: null })
  const tryTexts: RulesText[] = [
    ...asked.paths.map(path => ({ path, bytes: readNamed(path, path, rulesMegabytes) })),
    ...asked.files.map(({ name, text }) => ({ path: name, bytes: Buffer.from(text) })),
  ]
  const found = await controls(c, subjects, { ...commonOf(asked, context), tryTexts })
  return pageOf(c, found, [...subjects, ...tryTexts.flatMap(({ path }) => ['--try', path]), ...commonWords(c, asked)])
}

type Common = Pick<ControlsAsk, 'own' | 'at'>

function commonOf({ own, at }: Common, { signal }: WorkContext): ControlsOptions {
  return { signal, ...(own.length > 0 && { internal: own }), ...(at !== null && { at_us: timeOf(at) }) }
}

function timeOf(text: string): number {
  const us = parseTime(text.trim(), false)
  if (us !== null) return Number(us)
  throw new UserError(`not a time: ${text}`, {
    hint: 'write 2023-09-28T19:00, in UTC',
    status: exitStatus.usage,
  })
}

function commonWords(c: Case, { own, at }: Common): string[] {
  return [...own.flatMap(prefix => ['--internal', prefix]), ...(at === null ? [] : ['--at', at]), '--case', c.dir]
}

function pageOf(c: Case, found: ControlsAnswer, words: string[]): ControlsPageAnswer {
  const verdict = controlsVerdict(found)
  const warning = ownSubjectText(found)
  const titles = titlesOf(found)
  const placeOf = placing(c)
  return {
    asked: { sentence: plainText(verdict), command: commandOf('controls', words), sql: '' },
    ...{ head: c.head, subject: found.subject, verdict: verdict },
    warning,
    about: controlsAbout(found),
    controls: found.controls.map(one => controlOf(one, titles, placeOf)),
    set: { code: found.set.code, trial: trialOf(found.set.trial, 'they', placeOf) },
    missing: found.missing,
    undecided: controlsDoubts(found),
    tried: found.tried === null ? null : triedOf(found.tried, found, placeOf),
    triage:
      found.triage === null
        ? null
        : {
            total: found.triage.total,
            explained: found.triage.explained.map(one => ({
              words: explainedText(one),
              records: one.records,
            })),
          },
  }
}

/** What the ids that controls answer stand for. */
function titlesOf({ findings, services }: ControlsAnswer): ReadonlyMap<string, string> {
  return new Map([
    ...findings.map(({ id, title }) => [id, title] as const),
    ...services.map(one => [one.id, `${one.client} to ${one.server} ${triedServiceText(one)}`] as const),
  ])
}

function controlOf(one: Control, titles: ReadonlyMap<string, string>, placeOf: PlaceOf): ControlAnswer {
  const { id, kind, title, why, cost, confirm, code, quotas } = one
  return {
    ...{ id, kind, title, why, cost, confirm, code, quotas },
    answers: one.answers.map(answered => ({ id: answered, title: titles.get(answered) ?? '' })),
    addresses: one.applies_to.addresses,
    rules: one.rules.map(rule => {
      const { number, direction, action, remote, description } = rule
      return { number, direction, action, traffic: plainText(ruleTraffic(rule, null)), remote, description }
    }),
    pattern: one.alarm?.pattern ?? null,
    trial: trialOf(one.trial, 'it', placeOf),
  }
}

function trialOf(trial: Trial | null, who: Who, placeOf: PlaceOf): TrialAnswer | null {
  if (trial === null) return null
  const { attack, innocent, fired, fired_total, baseline } = trial
  return {
    attack_words: stoppedText(trial, who),
    rest_words: brokenText(trial, who),
    attack: {
      ...sumOf(attack.connections, attack.bytes, attack.bytes_out),
      stopped: sumOf(attack.stopped_connections, attack.stopped_bytes, attack.stopped_bytes_out),
      ...{ undecided: attack.undecided_connections, first_stopped: attack.first_stopped },
      last_stopped: attack.last_stopped,
    },
    rest: {
      ...sumOf(innocent.connections, innocent.bytes, innocent.bytes_out),
      broken: sumOf(innocent.broken_connections, innocent.broken_bytes, innocent.broken_bytes_out),
      ...{
        undecided: innocent.undecided_connections,
        probes: innocent.probes.connections,
        peers: innocent.peers_total,
      },
    },
    at_least: trial.at_least,
    stopped: listed(attack.stopped, attack.stopped_total, placeOf),
    let_through: listed(attack.let_through, attack.let_through_total, placeOf),
    broken: listed(innocent.broken, innocent.broken_total, placeOf),
    not_decidable: trial.not_decidable.map((one, at) => undecidedText(one, `${at}`)),
    alarm:
      baseline === null && fired_total === 0
        ? null
        : { words: firedText(trial), fired, fired_total, false_alarms: baseline?.fired ?? null },
  }
}

type Bytes = TrialService['bytes']

/** Integers beyond 2^53 become text on their way to the page. */
function sumOf(connections: number, bytes: Bytes, out: Bytes): TriedSums {
  return { connections, bytes: bytes as Count, bytes_out: out as Count }
}

function listed(services: readonly TrialService[], total: number, placeOf: PlaceOf): Listed {
  return { rows: services.slice(0, listedMax).map(one => serviceOf(one, placeOf)), total }
}

function serviceOf(one: TrialService, placeOf: PlaceOf): TriedService {
  const { client, server, connections, first_start, last_end } = one
  return {
    ...{ client, server, service: triedServiceText(one), connections, first_start, last_end },
    bytes: one.bytes as Count,
    places: one.basis.slice(0, placesMax).map(placeOf),
  }
}

function triedOf(
  tried: TriedRules,
  { triage }: ControlsAnswer,
  placeOf: PlaceOf,
): NonNullable<ControlsPageAnswer['tried']> {
  const conclusion = conclusionOf(tried, triage)
  return {
    files: tried.files.map(({ path, holds }) => ({ path, holds })),
    ...{ problems: tried.problems, judged: tried.judged, no_interface: tried.no_interface },
    conclusion,
    trial: trialOf(tried.trial, 'they', placeOf),
    accepted_denied: {
      ...listed(tried.accepted_denied, tried.accepted_denied_total, placeOf),
      connections: tried.accepted_denied_connections,
    },
    rejected_allowed: {
      ...listed(tried.rejected_allowed, tried.rejected_allowed_total, placeOf),
      connections: tried.rejected_allowed_connections,
    },
  }
}

export const controlsWork: Readonly<Record<string, Answerer<Case>>> = {
  controls: controlsAnswer,
  'try-rules': tryAnswer,
}
