/** What would have stopped an incident: controls, tried on the recorded flows. */
import { withConnections } from '../conversations/kept-connections.ts'
import { usualLimits } from '../conversations/whole.ts'
import { type Detections, type DetectOptions, detect, ownNetworks } from '../detect/detect.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { evidenceCounts, investigate, recordsOfCase } from '../investigate/investigate.ts'
import { defaultApprovedPorts } from '../investigate/services.ts'
import { parseAddress } from '../net/address.ts'
import { isInternal } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { severities } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import type { AnsweredFinding, AnsweredService, ControlsAnswer, ControlsSelection } from './control.ts'
import { protectedHosts } from './protected-hosts.ts'
import { recommend } from './recommend.ts'
import { type Situation, situationOf } from './situation.ts'
import { addressOf } from './trial.ts'
import { triedControls } from './tried.ts'

export interface ControlsOptions extends Pick<DetectOptions, 'internal' | 'enrichment' | 'limits' | 'signal'> {
  /** Ports whose use the analyst approves of; by default 22, 53, 80, 123, 443. */
  approvedPorts?: number[]
  /** Share of the innocent connections, and of their bytes, that the list of what may leave must cover; 0.99 by default. */
  share?: number
  /** Ids of the controls that make the set: all by default. */
  only?: string[]
  /** When the rules come into force, microseconds since the epoch; before everything by default. */
  at_us?: number
}

export const shareDefault = 0.99

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
  const detected = subjects.length === 0 ? await detect(c, detectOptions(options)) : null
  const { own, files } = await ownNetworks(c, options)
  const named = detected === null ? subjects : actorsOf(detected, own)
  const dossier = named.length === 0 ? null : await investigate(c, [...named], investigateOptions(options))
  return question(c, options.signal, asked =>
    withRecordIndex(asked, asked.source, index =>
      withConnections(asked, index, { evidence: asked.source, own, limits: options.limits }, async kept => {
        const { threads } = options.limits ?? usualLimits(index.rows)
        const { span, count } = kept.seen
        const about = {
          selection: selectionIn(options, detected !== null),
          window: count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
          records: { total: recordsOfCase(asked) },
          connections: count,
          ...{ tried: null, triage: null },
          ...{ ...files, problems: asked.problems, evidence: evidenceCounts(asked), source: asked.source },
        }
        if (dossier === null) return { ...about, ...nothing }
        const situation = await situationOf(asked, index, kept, { dossier, own, threads })
        return { ...about, ...(await answerOf(asked, index, situation, detected, options)) }
      }),
    ),
  )
}

type About =
  | 'selection'
  | 'window'
  | 'records'
  | 'connections'
  | 'tried'
  | 'triage'
  | 'enrichment'
  | 'enrichment_problems'
  | 'problems'
  | 'evidence'
  | 'source'

/** Nobody acts, so there is nothing to stop. */
const nothing: Omit<ControlsAnswer, About> = {
  ...{ subject: [], internal_subject: [], protected: [], protected_total: 0, rejected_connections: 0 },
  ...{ findings: [], services: [], controls: [], missing: [], not_decidable: [] },
  set: { controls: [], code: { terraform: null, cloudformation: null, aws_cli: null }, trial: null, quotas: [] },
}

async function answerOf(
  c: Case,
  index: RecordIndex,
  situation: Situation,
  detected: Detections | null,
  options: ControlsOptions,
): Promise<Omit<ControlsAnswer, About>> {
  const { dossier, traffic, internalSubjects } = situation
  const { share = shareDefault, approvedPorts = defaultApprovedPorts } = options
  const { recommended, missing, not_decidable } = await recommend(c, situation, { share, approvedPorts })
  const { controls, set } = await triedControls(c, index, situation, recommended, options)
  return {
    subject: dossier.subject,
    internal_subject: internalSubjects.map(host => addressOf(traffic, host)),
    ...protectedHosts(situation),
    rejected_connections: traffic.rejected,
    findings: dossier.findings.map(one => answeredFinding(one, detected)),
    services: answeredServices(dossier),
    ...{ controls, set, missing, not_decidable },
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

function answeredFinding(
  { id, rule, title, severity, confidence, first_start, last_end }: Dossier['findings'][number],
  detected: Detections | null,
): AnsweredFinding {
  const same = detected?.findings.find(
    one => one.rule === rule && one.first_start === first_start && one.last_end === last_end,
  )
  return { id, rule, title, severity, confidence, first_start, last_end, detect_id: same?.id ?? null }
}

/** Those that a finding speaks of: what the others are, the dossier tells. */
function answeredServices({ services }: Dossier): AnsweredService[] {
  return services.flatMap(({ client, server, port, protocol, outcome, connections, findings }, i) =>
    findings.length === 0 ? [] : [{ id: `S${i + 1}`, client, server, port, protocol, outcome, connections, findings }],
  )
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
