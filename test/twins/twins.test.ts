// Attacks and their benign twins, as AWS would log them: what is found in each kind of log, and who is accused by mistake.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setting } from '../robustness/support.ts'
import { type KnownGap, knownGaps } from './gaps.ts'
import { type MadeCase, makeCase, type Played, scenarios } from './generator.ts'
import { falseAlarms, isFound, reasonsOf, type Told } from './judge.ts'
import { addLines, detectIn, inFolder, saidOf } from './run.ts'
import { formats } from './sensor.ts'
import type { Scenario, View } from './stage.ts'

const seeds = Array.from({ length: setting('TWIN_SEEDS', 2) }, (_, i) => i + 1)
const views = ([60, 600] as const).flatMap(interval =>
  formats.filter(format => format !== 'rejects').map((format): View => ({ interval, format })),
)

interface Answer {
  seed: number
  view: View
  played: Played
  told: Told
}
const answers: Answer[] = []

const textOf = ({ interval, format }: View): string => `${interval} s, ${format}`

async function ask(made: MadeCase, format: View['format']): Promise<Told> {
  return inFolder(async folder => {
    const { findings, not_decidable } = await detectIn(
      await addLines(`${folder}/logs`, format, [made.lines(format)]),
      saidOf(made),
    )
    return { findings, not_decidable }
  })
}

/** Of a log of rejected traffic alone. */
const ofRejects: Answer[] = []

before(async () => {
  for (const seed of seeds) {
    for (const interval of [60, 600] as const) {
      const made = makeCase(scenarios, { seed, interval })
      const add = async (view: View, to: Answer[]): Promise<void> => {
        const told = await ask(made, view.format)
        for (const played of made.played) to.push({ seed, view, played, told })
      }
      for (const view of views.filter(one => one.interval === interval)) await add(view, answers)
      if (seed === seeds[0]) await add({ interval, format: 'rejects' }, ofRejects)
    }
  }
})
after(() => answers.splice(0))

/** What is wrong with an answer; null where it is right. */
function mistakeIn(scenario: Scenario, { view, played, told }: Answer): string | null {
  const hidden = scenario.hidden?.(view) ?? null
  if (scenario.twinOf === undefined && !isFound(played, told)) {
    if (hidden === null) return 'not found'
    if (reasonsOf(played, told).length === 0) return `not found, and no reason given (${hidden})`
  }
  if (scenario.twinOf !== undefined && hidden !== null) return null
  const alarms = falseAlarms(played, told).map(({ rule, severity, summary }) => `${rule}, ${severity}: ${summary}`)
  return alarms.length === 0 ? null : `false alarm: ${alarms[0]}`
}

const gapsOf = (scenario: Scenario): KnownGap[] => knownGaps.filter(gap => gap.scenario === scenario.name)

for (const scenario of scenarios) {
  const { name, rule, twinOf } = scenario
  test(`${rule}: ${twinOf === undefined ? 'finds' : 'passes over'} ${name}`, () => {
    const own = answers.filter(({ played }) => played.scenario === scenario)
    const isKnown = ({ view }: Answer): boolean => gapsOf(scenario).some(({ at }) => at?.(view) ?? true)
    const mistakes = new Map<string, string[]>()
    for (const answer of own.filter(one => !isKnown(one))) {
      const mistake = mistakeIn(scenario, answer)
      if (mistake === null) continue
      const where = `seed ${answer.seed}, ${textOf(answer.view)}`
      mistakes.set(mistake, [...(mistakes.get(mistake) ?? []), where])
    }
    const told = [...mistakes].map(([mistake, where]) => `${mistake} [${where.join('; ')}]`)
    assert.deepEqual(told, [])
  })
}

for (const gap of knownGaps) {
  test(`the known gap of ${gap.scenario} is there still`, () => {
    const scenario = scenarios.find(({ name }) => name === gap.scenario)
    assert.ok(scenario !== undefined, 'no such scenario')
    const own = answers.filter(({ played, view }) => played.scenario === scenario && (gap.at?.(view) ?? true))
    assert.ok(
      own.some(answer => mistakeIn(scenario, answer) !== null),
      `it is closed: remove its entry from gaps.ts (${gap.reason})`,
    )
  })
}

/** Rules that need something that was let through. */
const ofAccepted = [
  'D02',
  'D03',
  'D04',
  'D05',
  'D07',
  'D08',
  'D09',
  'D10',
  'D11',
  'D12',
  'D13',
  'D14',
  'D15',
  'D16',
  'D17',
  'D18',
]

test('a log of rejected traffic alone: scans that were stopped are found, and every other rule says that it cannot decide', async () => {
  for (const { played, told } of ofRejects) {
    const { attack } = played
    const isStopped = attack?.rules[0] === 'D01' && attack.flows.every(({ state }) => state === 'rejected')
    // Whether something answered, which makes it graver, is not in such a log.
    if (isStopped)
      assert.ok(isFound({ ...played, attack: { ...attack, minSeverity: 'info' } }, told), played.scenario.name)
    const alarms = falseAlarms(played, told).map(({ summary }) => summary)
    assert.deepEqual(alarms, [], played.scenario.name)
    const silent = ofAccepted.filter(rule => !told.not_decidable.some(one => one.rule.startsWith(rule)))
    assert.deepEqual(silent, [])
  }
})
