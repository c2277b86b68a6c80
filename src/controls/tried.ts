/** Controls with their ids, their code and what became of the recorded flows under each, and under all of them. */
import { type Artefact, codeFormats } from '../as-code/artefact.ts'
import { type CodeContext, type CodeItem, codeOf } from '../as-code/code.ts'
import { basisOf } from '../detect/detect.ts'
import { linesAt } from '../detect/lines.ts'
import { exitStatus, UserError } from '../errors.ts'
import { withoutStandIns } from '../network-rules/attached.ts'
import { networkQuotas } from '../network-rules/quotas.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Basis } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { codeContext } from './code-context.ts'
import { codeItemOf } from './code-item.ts'
import type { Control, ControlSet, Trial, TrialService } from './control.ts'
import { letsAllPass } from './judge.ts'
import { judgeOf, networkOf } from './judges.ts'
import type { ProtectedTraffic } from './protected.ts'
import type { RecommendedControl } from './recommend.ts'
import type { Situation } from './situation.ts'
import { toldRules } from './told-rules.ts'
import { listedMost, type ServiceDraft, type TrialDraft, tryOn } from './trial.ts'

/** Places that a trial names of its own. */
const basisMost = 10
/** Services that the trials of single controls list of each kind, all together: many hosts have many controls. */
const listedTogether = 20_000
/** And of one control at least. */
const listedLeast = 20

export interface TryOptions {
  only?: readonly string[]
  at_us?: number
}

/** @throws UserError (status 2) for a control that there is not. */
export async function triedControls(
  c: Case,
  index: RecordIndex,
  { traffic, hasSizes, interfaces }: Situation,
  { recommended, read }: { recommended: readonly RecommendedControl[]; read: ProtectedTraffic },
  { only = [], at_us }: TryOptions,
): Promise<{ controls: Control[]; set: ControlSet }> {
  const named = recommended.map((one, i) => ({ id: `C${i + 1}`, one }))
  const chosen = chosenOf(named, only)
  const settings = { traffic: read, hosts: traffic.hosts, interfaces, at_us: at_us ?? null, rates: new Map() }
  const draftOf = (some: readonly RecommendedControl[], most: number): TrialDraft | null => {
    const artefacts = some.map(({ artefact }) => artefact)
    const judge = judgeOf(artefacts, settings)
    if (judge === null) return null
    return tryOn(traffic, judge, { hasSizes, withOthers: artefacts.some(({ what }) => what === 'network-acl'), most })
  }
  const most = Math.max(listedLeast, Math.min(listedMost, Math.floor(listedTogether / chosen.length)))
  const all = chosen.map(({ one }) => one)
  const drafts = [...all.map(one => draftOf([one], most)), draftOf(all, listedMost)]
  const lines = await linesAt(index, drafts.flatMap(placesIn), basisOf(c))
  const trials = drafts.map(draft => (draft === null ? null : withLines(draft, lines)))
  const ofAlarm = alarmTrial(tryOn(traffic, letsAllPass, { hasSizes, withOthers: false, most: 0 }))
  const told = chosen.map(({ one: { fired } }, i) => (fired === null ? trials[i]! : { ...ofAlarm, ...fired }))
  const items = chosen.map(({ id, one }, i) => codeItemOf(id, one, told[i]!))
  const context = codeContext(c, read, traffic)
  return {
    controls: chosen.map(({ id, one: { artefact, fired, ...rest } }, i) => ({
      ...{
        id,
        ...rest,
        applies_to: appliesTo(artefact),
        rules: toldRules(artefact),
        alarm: artefact.what === 'metric-alarm' ? artefact : null,
      },
      ...{ code: codesOf([items[i]!], context), trial: told[i]! },
      quotas: quotasOf([artefact]),
    })),
    set: {
      controls: chosen.map(({ id }) => id),
      code: codesOf(items, context),
      trial: trials.at(-1)!,
      quotas: quotasOf(chosen.map(({ one }) => one.artefact)),
    },
  }
}

function appliesTo(artefact: Artefact): Control['applies_to'] {
  const { what } = artefact
  return {
    addresses:
      what === 'security-group' || what === 'network-acl'
        ? artefact.addresses
        : what === 'rate-rule'
          ? artefact.servers
          : [],
    interfaces: what === 'security-group' ? artefact.interfaces : [],
    subnets: what === 'network-acl' ? artefact.subnets : [],
  }
}

/** An alarm stops nothing, and lets all through: what that is, the trials of other controls list. */
function alarmTrial(draft: TrialDraft): Trial {
  const { attack, innocent, ...rest } = withLines(draft, new Map())
  return { attack: { ...attack, let_through: [] }, innocent, ...rest }
}

/** What groups and network ACLs use of AWS's quotas; nothing for what is neither. */
function quotasOf(artefacts: readonly Artefact[]): Control['quotas'] {
  return networkQuotas(withoutStandIns(networkOf(artefacts, [])))
    .map(({ quota, used, limit, fits }) => ({ quota, used, limit, fits }))
    .filter(({ used }) => used > 0)
}

/** In every format. */
function codesOf(items: readonly CodeItem[], context: CodeContext): Control['code'] {
  const codes = codeFormats.map(format => [format, codeOf(items, context, format)])
  return Object.fromEntries(codes) as Control['code']
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

export function servicesWithLines(
  services: readonly ServiceDraft[],
  lines: ReadonlyMap<number, Basis>,
): TrialService[] {
  return services.map(({ places, ...one }) => ({ ...one, basis: places.map(place => lines.get(place)!) }))
}

export function placesIn(draft: TrialDraft | null): number[] {
  if (draft === null) return []
  const { attack, innocent } = draft
  return [...attack.stopped, ...attack.let_through, ...innocent.broken].flatMap(({ places }) => places)
}

/** With lines in place of places of the index. */
export function withLines(draft: TrialDraft, lines: ReadonlyMap<number, Basis>): Trial {
  const { attack, innocent, ...rest } = draft
  const told = (some: readonly ServiceDraft[]): TrialService[] => servicesWithLines(some, lines)
  const [stopped, broken] = [told(attack.stopped), told(innocent.broken)]
  return {
    attack: { ...attack, stopped, let_through: told(attack.let_through) },
    innocent: { ...innocent, broken },
    ...rest,
    basis: [...stopped, ...broken].flatMap(one => one.basis).slice(0, basisMost),
  }
}
