/** What would have stopped an incident: controls, tried on the recorded flows. */

import { internalHosts } from '../conversations/hosts.ts'
import { type KeptConnections, withConnections } from '../conversations/kept-connections.ts'
import { usualLimits } from '../conversations/whole.ts'
import { basisOf, type Detections, type DetectOptions, detect, ownNetworks } from '../detect/detect.ts'
import { linesAt } from '../detect/lines.ts'
import { caseEnrichment } from '../filter/case-enrichment.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { evidenceCounts, recordsOfCase } from '../investigate/investigate.ts'
import { defaultApprovedPorts } from '../investigate/services.ts'
import { parseAddress } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { type KnownInterface, readRules, readRulesOf } from '../network-rules/read-network.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { severities } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { answeredFinding, answeredServices } from './answered.ts'
import type { ControlsAnswer, ControlsSelection, TriedRules } from './control.ts'
import { interfacesIn } from './interfaces.ts'
import { protectedHosts } from './protected-hosts.ts'
import { protectedTraffic } from './protected-traffic.ts'
import { recommend } from './recommend.ts'
import { hasSizes, type Inquiry, type Investigated, inquire, internalSubjects, situationOf } from './situation.ts'
import type { Traffic } from './traffic.ts'
import { triageUnderRules } from './triage.ts'
import { placesIn, servicesWithLines, triedControls, withLines } from './tried.ts'
import { requireRules, tryRules } from './try-rules.ts'

/** A file of rules that was read already; `path` names it in messages. */
export interface RulesText {
  path: string
  bytes: Uint8Array
}

export interface ControlsOptions extends Pick<DetectOptions, 'internal' | 'enrichment' | 'limits' | 'signal'> {
  /** Ports whose use the analyst approves of; by default 22, 53, 80, 123, 443. */
  approvedPorts?: number[]
  /** Share of the innocent connections, and of their bytes, that the list of what may leave must cover; 0.99 by default. */
  share?: number
  /** Ids of the controls that make the set: all by default. */
  only?: string[]
  /** When the rules come into force, microseconds since the epoch; before everything by default. */
  at_us?: number
  /** Files with rules of the user's own (docs/reference/network-rules.md), which are tried in place of recommendations; subjects are not needed then. */
  tryFiles?: string[]
  /** In the place of such files: their texts. */
  tryTexts?: readonly RulesText[]
  /** Whether AWS was asked for those texts just now. */
  live?: boolean
  /** What the caller has found out already, of the same subjects with the same options and all records: it is not worked out again. */
  known?: { investigated?: Investigated; detections?: Detections }
}

export const shareDefault = 0.99

function triesOwn({ tryFiles, tryTexts }: ControlsOptions): boolean {
  return tryFiles !== undefined || tryTexts !== undefined
}

/**
 * Recommends controls against a subject, and tries them on the connections of the hosts that it reached. May be asked at the same time as other
 * questions of the case.
 *
 * @param subjects addresses or prefixes; none: the hosts outside that `detect` finds to act.
 * @throws UserError (status 2) for what is no address or prefix, and for a control that there is not; where there is too little memory for the
 * conversations.
 */
export async function controls(
  c: Case,
  subjects: readonly string[],
  options: ControlsOptions = {},
): Promise<ControlsAnswer> {
  const isOfFindings = subjects.length === 0 && !triesOwn(options)
  const { known } = options
  const detected = isOfFindings ? (known?.detections ?? (await detect(c, detectOptions(options)))) : null
  const { own, files } = await ownNetworks(c, options)
  const named = detected === null ? subjects : actorsOf(detected, own)
  const inquiry =
    named.length === 0 ? null : await inquire(c, named, own, investigateOptions(options), known?.investigated)
  return question(c, options.signal, asked =>
    withRecordIndex(asked, asked.source, index =>
      withConnections(asked, index, { evidence: asked.source, own, limits: options.limits }, async kept => {
        const { span, count } = kept.seen
        const about = {
          selection: selectionIn(options, isOfFindings),
          window: count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
          records: { total: recordsOfCase(asked), subject: inquiry?.dossier.records.subject ?? null },
          connections: count,
          ...{ ...files, problems: asked.problems, evidence: evidenceCounts(asked), source: asked.source },
        }
        const { threads } = options.limits ?? usualLimits(index.rows)
        const given: Given = { c: asked, index, kept, own, inquiry, detected, threads, options }
        return { ...about, ...nothing, ...toldOf(inquiry?.dossier ?? null, detected), ...(await answerOf(given)) }
      }),
    ),
  )
}

interface Given {
  c: Case
  index: RecordIndex
  kept: KeptConnections
  own: readonly Prefix[]
  inquiry: Inquiry | null
  detected: Detections | null
  threads: number
  options: ControlsOptions
}

type About =
  | 'selection'
  | 'window'
  | 'records'
  | 'connections'
  | 'enrichment'
  | 'enrichment_problems'
  | 'problems'
  | 'evidence'
  | 'source'

/** Nobody acts, so there is nothing to stop. */
const nothing: Omit<ControlsAnswer, About> = {
  ...{ subject: [], internal_subject: [], protected: [], protected_total: 0, rejected_connections: 0 },
  ...{ findings: [], services: [], controls: [], missing: [], not_decidable: [] },
  ...{ tried: null, triage: null },
  set: { controls: [], code: { terraform: null, cloudformation: null, aws_cli: null }, trial: null, quotas: [] },
}

/** What the dossier says of the subject. */
function toldOf(
  dossier: Dossier | null,
  detected: Detections | null,
): Pick<ControlsAnswer, 'subject' | 'findings' | 'services'> {
  if (dossier === null) return { subject: [], findings: [], services: [] }
  return {
    subject: dossier.subject,
    findings: dossier.findings.map(one => answeredFinding(one, dossier.services, detected)),
    services: answeredServices(dossier),
  }
}

async function answerOf(given: Given): Promise<Partial<ControlsAnswer>> {
  const { inquiry, options } = given
  if (triesOwn(options)) return triedOf(given, options.tryFiles ?? [], options.tryTexts)
  if (inquiry === null) return {}
  // Who is in no record has no controls.
  const { dossier } = inquiry
  return dossier.records.subject === 0 ? { not_decidable: undecidedOf(dossier) } : recommendedOf({ ...given, inquiry })
}

async function recommendedOf({
  c,
  index,
  kept,
  own,
  inquiry,
  threads,
  options,
}: Given & { inquiry: Inquiry }): Promise<Partial<ControlsAnswer>> {
  const { share = shareDefault, approvedPorts = defaultApprovedPorts } = options
  const { dossier } = inquiry
  const situation = await situationOf(c, index, kept, { inquiry, own, threads })
  const files = await caseEnrichment(c, options.enrichment, options.signal, new Set(['aws-ranges']))
  const read = protectedTraffic(c.source, index, situation, files, approvedPorts)
  const { recommended, missing } = await recommend(c, index, read, dossier, {
    ...{ share, approvedPorts, own, threads },
    at_us: options.at_us ?? null,
  })
  const { controls, set } = await triedControls(c, index, situation, { recommended, read }, options)
  return {
    ...reached(situation.traffic, situation.hasSizes),
    controls,
    set,
    missing,
    not_decidable: undecidedOf(dossier),
  }
}

async function triedOf(
  { c, index, kept, own, inquiry, threads, options }: Given,
  paths: readonly string[],
  texts: readonly RulesText[] | undefined,
): Promise<Partial<ControlsAnswer>> {
  const at_us = options.at_us ?? null
  const interfaces = await knownInterfaces(c, index, own)
  const { network, files, problems } =
    texts === undefined ? readRules(paths, { interfaces }) : readRulesOf(texts, interfaces)
  requireRules(
    network,
    files.map(({ path }) => path),
  )
  const { trial, judged, no_interface, acceptedDenied, rejectedAllowed, traffic } = await tryRules(
    c,
    index,
    kept,
    network,
    { ...{ inquiry, own, threads, at_us } },
  )
  const places = [...acceptedDenied.listed, ...rejectedAllowed.listed].flatMap(one => one.places)
  const lines = await linesAt(index, [...placesIn(trial), ...places], basisOf(c))
  const tried: TriedRules = {
    ...{ live: options.live ?? false, files, problems, judged, no_interface },
    trial: trial === null ? null : withLines(trial, lines),
    accepted_denied: servicesWithLines(acceptedDenied.listed, lines),
    accepted_denied_total: acceptedDenied.total,
    accepted_denied_connections: acceptedDenied.connections,
    rejected_allowed: servicesWithLines(rejectedAllowed.listed, lines),
    rejected_allowed_total: rejectedAllowed.total,
    rejected_allowed_connections: rejectedAllowed.connections,
  }
  const triage = await triageUnderRules(
    c,
    index,
    network,
    host => traffic.protected[host] === 1 || traffic.others[host] === 1,
  )
  const not_decidable = inquiry === null ? [] : undecidedOf(inquiry.dossier)
  return { ...reached(traffic, hasSizes(c)), tried, triage, not_decidable }
}

/** What the evidence leaves open of every figure. */
function undecidedOf({ attack_surface: { gaps }, not_listed, cannot_tell }: Dossier): string[] {
  const holes = gaps.length + not_listed.gaps
  return [
    ...(holes === 0
      ? []
      : [
          `the evidence has ${countText(holes, 'known gap')} in the time of the attack: what lies in them is in no figure, and every count is a floor`,
        ]),
    ...cannot_tell.map(one => `this evidence cannot tell: ${one}`),
  ]
}

/** Interfaces of the evidence, for controls that name them. */
async function knownInterfaces(c: Case, index: RecordIndex, own: readonly Prefix[]): Promise<KnownInterface[]> {
  const { hosts } = index.dictionaries
  const found = await interfacesIn(c, index, internalHosts(hosts, own))
  return [...found].flatMap(([host, { interface: id, subnet }]) =>
    id === null ? [] : [{ id, address: { hi: hosts.hi[host]!, lo: hosts.lo[host]! }, subnet }],
  )
}

/** What the attack reached. */
function reached(
  traffic: Traffic,
  sized: boolean,
): Pick<ControlsAnswer, 'internal_subject' | 'protected' | 'protected_total' | 'rejected_connections'> {
  return {
    internal_subject: internalSubjects(traffic),
    ...protectedHosts(traffic, sized),
    rejected_connections: traffic.rejected,
  }
}

/** Hosts outside that act, in the order in which they stand out. */
function actorsOf({ hosts }: Detections, own: readonly Prefix[]): string[] {
  const acting = hosts.filter(
    ({ address, role, severity }) =>
      role !== 'target' &&
      severities.indexOf(severity) >= severities.indexOf('low') &&
      !isInternal(parseAddress(address)!, own),
  )
  return acting.map(({ address }) => address)
}

function detectOptions({ internal, enrichment, limits, signal }: ControlsOptions): DetectOptions {
  return {
    ...(internal !== undefined && { internal }),
    ...(enrichment !== undefined && { enrichment }),
    ...(limits !== undefined && { limits }),
    ...(signal !== undefined && { signal }),
  }
}

function investigateOptions({ internal, enrichment, approvedPorts, signal }: ControlsOptions) {
  return {
    ...(internal !== undefined && { internal }),
    ...(enrichment !== undefined && { enrichment }),
    ...(approvedPorts !== undefined && { approvedPorts }),
    ...(signal !== undefined && { signal }),
  }
}

function selectionIn(options: ControlsOptions, from_findings: boolean): ControlsSelection {
  const { approvedPorts = defaultApprovedPorts, share = shareDefault, at_us, only = [], internal = [] } = options
  return {
    ...{ from_findings, approved_ports: [...approvedPorts], share, only, internal },
    at: at_us === undefined ? null : utcSeconds(at_us),
  }
}
