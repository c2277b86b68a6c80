/** Generated cases as a labelled set: their logs, what is true of each, and what `detect` says, for a scorer of such sets. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addEvidence, toJson } from '../../src/index.ts'
import { type MadeCase, makeCase, type Played, scenarios, textOf } from './generator.ts'
import { detectIn, saidOf } from './run.ts'
import type { Scenario, View } from './stage.ts'

/** A case of a truth file; its docstring says what each entry means. */
export interface LabelledCase {
  id: string
  /** Absolute paths. */
  files: string[]
  internal: string[]
  [more: string]: unknown
}

const ordinary = scenarios.at(-1)!
const words = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
const utc = (seconds: number): string => `${new Date(1000 * seconds).toISOString().slice(0, 19)}Z`

const idOf = (name: string, { interval, format }: View, seed: number): string =>
  `${words(name)}-${interval}-${words(format)}-${seed}`

/**
 * Writes a case with one scenario in ordinary traffic, and what `detect` says of it. Null where nothing can be asked of a twin.
 *
 * @param dir has a folder `logs`, and `results` for the documents.
 */
export async function writeLabelled(
  dir: string,
  scenario: Scenario,
  view: View,
  seed: number,
): Promise<LabelledCase | null> {
  const hidden = scenario.hidden?.(view) ?? null
  if (hidden !== null && scenario.twinOf !== undefined) return null
  const made = makeCase([...new Set([scenario, ordinary])], { seed, interval: view.interval, hasNoData: true })
  const id = idOf(scenario.name, view, seed)
  const file = join(dir, 'logs', `${id}.log`)
  writeFileSync(file, textOf(view.format, made.lines(view.format)))
  await writeResult(dir, id, [file], saidOf(made))
  return truthOf(id, file, made, view, hidden, seed)
}

/** Writes what `detect` says of some files. */
export async function writeResult(
  dir: string,
  id: string,
  paths: readonly string[],
  said: { internal?: string[]; scanners?: string[] },
): Promise<void> {
  mkdirSync(join(dir, 'results'), { recursive: true })
  const folder = join(dir, 'case')
  await addEvidence({ case: folder, paths: [...paths], workers: 1 })
  writeFileSync(join(dir, 'results', `${id}.json`), toJson(await detectIn(folder, said)))
  rmSync(folder, { recursive: true })
}

function truthOf(
  id: string,
  file: string,
  { played }: MadeCase,
  view: View,
  hidden: string | null,
  seed: number,
): LabelledCase {
  const [one] = played as readonly [Played]
  const { scenario, attack, scanners = [], benign, isExplained = false } = one
  const declared = isExplained ? benign.slice(0, 1) : scanners
  return {
    ...{ id, files: [file], internal: [...(one.internal ?? [])], declared: { scanners: declared } },
    attacks: attack === undefined ? [] : [attackOf(id, one, hidden)],
    benign_hosts: played
      .flatMap(each => each.benign)
      .map(address => ({ address, strength: 'generated', basis: scenario.name })),
    ...{ victims: [...(attack?.victims ?? [])], benign_rest: false, traps: [], note: '' },
    ...(scenario.twinOf !== undefined && { twin_of: idOf(scenario.twinOf, view, seed) }),
    ...(isExplained && { twin_policy: 'explain' }),
  }
}

function attackOf(id: string, { attack, scenario, first, last }: Played, hidden: string | null): object {
  const { rules, actors, targets, flows, minSeverity = 'low', difficulty = 'plain' } = attack!
  return {
    ...{ id: `${id}-1`, class: words(scenario.name), rules, actors, targets, ports: [] },
    ...{ first_start: utc(first), last_end: utc(last), connections: flows.length, distinct_targets: targets.length },
    ...{ difficulty: hidden === null ? difficulty : 'stretch', strength: 'generated', min_severity: minSeverity },
    ...(hidden !== null && { expect_not_decidable: scenario.rule }),
    basis: hidden ?? scenario.name,
  }
}
