/** Controls with their ids, their code and what became of the recorded flows under each, and under all of them. */
import { codeFormats } from '../as-code/artefact.ts'
import { basisOf } from '../detect/detect.ts'
import { linesAt } from '../detect/lines.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Basis } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import type { Control, ControlSet, Recommended, Trial, TrialService } from './control.ts'
import { judgeOf } from './judges.ts'
import type { Situation } from './situation.ts'
import { toldRules } from './told-rules.ts'
import { type ServiceDraft, type TrialDraft, tryOn } from './trial.ts'

/** Places that a trial names of its own. */
const basisMost = 10

export interface TryOptions {
  only?: readonly string[]
  at_us?: number
}

/** @throws UserError (status 2) for a control that there is not. */
export async function triedControls(
  c: Case,
  index: RecordIndex,
  { traffic, hasSizes }: Situation,
  recommended: readonly Recommended[],
  { only = [], at_us }: TryOptions,
): Promise<{ controls: Control[]; set: ControlSet }> {
  const named = recommended.map((one, i) => ({ id: `C${i + 1}`, one }))
  const chosen = chosenOf(named, only)
  const draftOf = (some: readonly Recommended[]): TrialDraft | null => {
    const judge = judgeOf(
      some.map(({ artefact }) => artefact),
      traffic,
      at_us ?? null,
    )
    return judge === null ? null : tryOn(traffic, judge, hasSizes)
  }
  const drafts = [...chosen.map(({ one }) => draftOf([one])), draftOf(chosen.map(({ one }) => one))]
  const lines = await linesAt(index, drafts.flatMap(placesIn), basisOf(c))
  const trials = drafts.map(draft => (draft === null ? null : withLines(draft, lines)))
  return {
    controls: chosen.map(({ id, one: { artefact, ...rest } }, i) => ({
      ...{ id, ...rest, rules: toldRules(artefact), alarm: artefact.what === 'metric-alarm' ? artefact : null },
      ...{ code: codeOf([artefact]), trial: trials[i]!, quotas: [] },
    })),
    set: {
      controls: chosen.map(({ id }) => id),
      code: codeOf(chosen.map(({ one }) => one.artefact)),
      trial: trials.at(-1)!,
      quotas: [],
    },
  }
}

function codeOf(artefacts: readonly Recommended['artefact'][]): Control['code'] {
  void artefacts
  return Object.fromEntries(codeFormats.map(format => [format, null])) as Control['code']
}

function chosenOf<T extends { id: string }>(named: readonly T[], only: readonly string[]): readonly T[] {
  if (only.length === 0) return named
  const wanted = only.map(id => id.toUpperCase())
  const unknown = wanted.find(id => !named.some(one => one.id === id))
  if (unknown !== undefined)
    throw new UserError(`no such control: ${unknown}`, {
      status: exitStatus.usage,
      hint: named.length === 0 ? 'there are none' : `there are ${named[0]!.id} to ${named.at(-1)!.id}`,
    })
  return named.filter(({ id }) => wanted.includes(id))
}

function placesIn(draft: TrialDraft | null): number[] {
  if (draft === null) return []
  const { attack, innocent } = draft
  return [...attack.stopped, ...attack.let_through, ...innocent.broken].flatMap(({ places }) => places)
}

function withLines(draft: TrialDraft, lines: ReadonlyMap<number, Basis>): Trial {
  const { attack, innocent, ...rest } = draft
  const told = (some: readonly ServiceDraft[]): TrialService[] =>
    some.map(({ places, ...one }) => ({ ...one, basis: places.map(place => lines.get(place)!) }))
  const [stopped, broken] = [told(attack.stopped), told(innocent.broken)]
  return {
    attack: { ...attack, stopped, let_through: told(attack.let_through) },
    innocent: { ...innocent, broken },
    ...rest,
    basis: [...stopped, ...broken].flatMap(one => one.basis).slice(0, basisMost),
  }
}
