/** D02: many short connections of nearly equal size to one service, and the longer session that followed. */
import { bruteForce as ofDossier } from '../detect/brute-force.ts'
import { number } from '../detect/words.ts'
import { utcSeconds } from '../net/time.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { densities, spreadOf } from './numbers.ts'
import { type CaseDraft, type CaseRule, distinct, less, sureness } from './rule.ts'
import { endText } from './words.ts'

const shared = ofDossier.thresholds

const thresholds = {
  /** As the dossier's rule has them: guesses and their window, sizes alike, the session that follows. */
  connectionsMin: shared.connectionsMin,
  windowSeconds: shared.windowSeconds,
  packetsMin: shared.packetsMin,
  packetsMax: shared.packetsMax,
  spreadMax: shared.spreadMax,
  shortSeconds: shared.shortSeconds,
  alikeShare: shared.alikeShare,
  densityShare: shared.densityShare,
  successAfterSeconds: shared.successAfterSeconds,
  successSeconds: shared.successSeconds,
  successBytesTimes: shared.successBytesTimes,
  successPacketsMore: shared.successPacketsMore,
  successDeviations: shared.successDeviations,
  /** Median packets of the client: fewer are no log-in (nmap's guesses have 10 to 14). */
  medianPacketsMin: 8,
  /** Slow pass, on log-in ports alone: guesses in a day. */
  slowMin: 20,
  slowSeconds: 24 * 3600,
  /** Many sources at one service, each with a few connections that are alike: on log-in ports, or peer-to-peer networks would be found. */
  sourcesMin: 10,
  ofSourceMin: 3,
  loginPorts: [21, 22, 23, 902, 1433, 2222, 3306, 3389, 5432, 5900, 5985, 5986] as readonly number[],
  /** Ports where ordinary programs ask the same again and again: web, mail, proxies, DNS. There it is a lead only, and needs more. */
  leadPorts: [25, 53, 80, 110, 143, 443, 465, 587, 853, 993, 995, 3128, 8000, 8080, 8443] as readonly number[],
  leadMin: 100,
  leadSpreadMax: 0.05,
  /** Median absolute deviation of the intervals, by their median: below, a clock asks. */
  clockMax: 0.1,
}
type Limits = typeof thresholds

export const guesses: CaseRule<Limits> = { name: 'D02-brute-force', thresholds, limitsOf, find }

function limitsOf({ has }: CaseEvidence): string[] {
  if (!has.accepted) return ['every record is rejected: what was let through, guesses among it, is not recorded']
  if (!has.answers)
    return ['no connection has both directions: whether guesses are alike in what is answered cannot be told']
  return []
}

/** Connections that look like guesses. */
interface Guessing {
  client: Run
  some: number[]
  isSlow: boolean
  most: number
  packets: { median: number; deviation: number }
  bytes: { median: number; deviation: number }
  answers: { median: number; deviation: number }
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const drafts: CaseDraft[] = []
  /** By service: what each source did that may be a part of a spray. */
  const sprays = new Map<number, Guessing[]>()
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      if (connections.protocol[service.from] !== 6 || service.to - service.from < limits.ofSourceMin) continue
      const short = shortOnes(evidence, service, limits)
      const found = guessing(evidence, client, short, limits)
      if (found !== null) drafts.push(draft(evidence, found, limits))
      else noteSpray(evidence, client, short, sprays, limits)
    }
  }
  return [...drafts, ...sprayed(evidence, sprays, limits)]
}

/** Short answered connections of a service, in order of time. */
function shortOnes({ connections }: CaseEvidence, { from, to }: Run, limits: Limits): number[] {
  const short: number[] = []
  for (let i = from; i < to; i++) {
    const isShort = connections.end_us[i]! - connections.start_us[i]! <= limits.shortSeconds * 1e6
    if (connections.outcome[i] === outcome.answered && isShort && connections.packetsUp[i]! >= limits.packetsMin)
      short.push(i)
  }
  return short
}

/**
 * Those among short connections that are alike and crowded: browsing between guesses must not hide them, and browsing after them must not
 * count as guesses.
 */
function guessing(evidence: CaseEvidence, client: Run, short: readonly number[], limits: Limits): Guessing | null {
  if (short.length < Math.min(limits.slowMin, limits.connectionsMin)) return null
  const { connections } = evidence
  const port = connections.port[short[0]!]!
  const isLead = limits.leadPorts.includes(port)
  const isLogin = limits.loginPorts.includes(port)
  const alike = alikeOnes(connections.bytesUp, short, limits)
  const near = crowded(evidence, alike, limits)
  const quick = near === null ? null : measured(evidence, client, near.some, near.most, false)
  const least = isLead ? limits.leadMin : limits.connectionsMin
  if (quick !== null && quick.most >= least && isAlike(quick, isLead, limits))
    return isLead && isClock(evidence, quick.some, limits) ? null : quick
  if (!isLogin) return null
  const slow = mostWithin(evidence, alike, limits.slowSeconds * 1e6)
  const found = measured(evidence, client, slow, slow.length, true)
  return slow.length >= limits.slowMin && isAlike(found, false, limits) ? found : null
}

function alikeOnes(bytes: Float64Array, short: readonly number[], limits: Limits): number[] {
  const typical = spreadOf(short.map(i => bytes[i]!)).median
  return short.filter(i => Math.abs(bytes[i]! - typical) <= typical * limits.alikeShare)
}

/** Those where they are at least a part as dense as at their peak. */
function crowded(
  { connections }: CaseEvidence,
  alike: readonly number[],
  { windowSeconds, connectionsMin, densityShare }: Limits,
): { some: number[]; most: number } | null {
  const within = densities(
    alike.map(i => connections.start_us[i]!),
    (windowSeconds * 1e6) / 2,
  )
  const most = within.reduce((peak, one) => Math.max(peak, one), 0)
  const some = alike.filter((_, at) => within[at]! >= Math.max(connectionsMin, most * densityShare))
  return some.length >= connectionsMin ? { some, most } : null
}

/** The most of them that lie within a window. */
function mostWithin({ connections }: CaseEvidence, some: readonly number[], window_us: number): number[] {
  let [first, best, length] = [0, 0, 0]
  for (let last = 0; last < some.length; last++) {
    while (connections.start_us[some[last]!]! - connections.start_us[some[first]!]! > window_us) first++
    if (last - first + 1 > length) [best, length] = [first, last - first + 1]
  }
  return some.slice(best, best + length)
}

function measured({ connections }: CaseEvidence, client: Run, some: number[], most: number, isSlow: boolean): Guessing {
  const of = (column: Float64Array) => spreadOf(some.map(i => column[i]!))
  return {
    ...{ client, some, isSlow, most, packets: of(connections.packetsUp) },
    ...{ bytes: of(connections.bytesUp), answers: of(connections.bytesDown) },
  }
}

function isAlike({ packets, bytes, answers }: Guessing, isLead: boolean, limits: Limits): boolean {
  const spread = bytes.deviation / bytes.median
  if (packets.median < limits.medianPacketsMin || packets.median > limits.packetsMax) return false
  if (isLead) return spread <= limits.leadSpreadMax
  return spread <= limits.spreadMax && answers.deviation / answers.median <= limits.spreadMax
}

function isClock({ connections }: CaseEvidence, some: readonly number[], { clockMax }: Limits): boolean {
  const gaps = some.slice(1).map((i, at) => connections.start_us[i]! - connections.start_us[some[at]!]!)
  const { median, deviation } = spreadOf(gaps)
  return median > 0 && deviation / median <= clockMax
}

/**
 * The first session of the same two hosts that is clearly more than a guess (SSHCure's deviation, made robust); one with another service
 * says more than one among the guesses.
 */
function followedBy(
  { connections }: CaseEvidence,
  { client, some, packets, bytes }: Guessing,
  limits: Limits,
): number | null {
  const { server, start_us, end_us, packetsUp, bytesUp } = connections
  const host = server[some[0]!]!
  const packetsMore = packets.median + Math.max(limits.successPacketsMore, limits.successDeviations * packets.deviation)
  const from = start_us[some[0]!]!
  const until = end_us[some.at(-1)!]! + limits.successAfterSeconds * 1e6
  let first: number | null = null
  for (let i = client.from; i < client.to; i++) {
    if (server[i] !== host || connections.protocol[i] !== 6 || connections.outcome[i] !== outcome.answered) continue
    if (start_us[i]! <= from || start_us[i]! > until || packetsUp[i]! < packetsMore) continue
    const isLong = end_us[i]! - start_us[i]! >= limits.successSeconds * 1e6
    if (!isLong && bytesUp[i]! < limits.successBytesTimes * bytes.median) continue
    const isSame = (one: number): boolean => connections.port[one] === connections.port[some[0]!]
    const isBetter = first === null || (isSame(i) === isSame(first) ? start_us[i]! < start_us[first]! : isSame(first))
    if (isBetter) first = i
  }
  return first
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`

function draft(evidence: CaseEvidence, found: Guessing, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const { some, packets, bytes, answers, most, isSlow } = found
  const first = some[0]!
  const [client, server, port] = [connections.client[first]!, connections.server[first]!, connections.port[first]!]
  const isLead = limits.leadPorts.includes(port)
  const success = followedBy(evidence, found, limits)
  const isOurs = evidence.isInternal(client)
  const target = endText(evidence, server, port)
  const window = isSlow ? 'a day' : '15 minutes'
  const confidence = sureness(success === null ? 'medium' : 'high', evidence, some)
  const then =
    success === null
      ? ` No longer session followed within ${number(limits.successAfterSeconds / 60)} minutes.`
      : ` A session of ${number(Math.round((connections.end_us[success]! - connections.start_us[success]!) / 1e6))} s with ${endText(evidence, server, connections.port[success]!)} followed at ${utcSeconds(connections.start_us[success]!)}, larger than any guess: a sign that one succeeded.`
  return {
    title: `${isLead ? 'Web log-in' : 'Log-in'} brute force against ${target}${success === null ? '' : ', with probable success'}`,
    severity: evidence.isScanner(client)
      ? 'info'
      : success !== null
        ? 'high'
        : isLead
          ? 'low'
          : isOurs
            ? 'high'
            : 'medium',
    confidence: isLead ? less(confidence) : confidence,
    ...{ tactic: 'credential-access', technique: 'T1110', technique_name: 'Brute Force' },
    summary: `${address(client)} opened ${number(some.length)} short connections of nearly equal size to ${target} (median ${number(packets.median)} packets and ${number(bytes.median)} bytes from the client, spread ${percent(bytes.deviation / bytes.median)}; up to ${number(most)} within ${window}).${then}`,
    scores: [
      {
        name: `guesses within ${window}`,
        value: most,
        threshold: `>= ${isSlow ? limits.slowMin : isLead ? limits.leadMin : limits.connectionsMin}`,
      },
      {
        name: 'spread of client bytes',
        value: rounded(bytes.deviation / bytes.median),
        threshold: `<= ${isLead ? limits.leadSpreadMax : limits.spreadMax}`,
      },
      {
        name: 'spread of server bytes',
        value: rounded(answers.deviation / answers.median),
        threshold: isLead ? 'not asked' : `<= ${limits.spreadMax}`,
      },
      {
        name: 'median packets of the client',
        value: packets.median,
        threshold: `${limits.medianPacketsMin} to ${limits.packetsMax}`,
      },
    ],
    would_change: 'connections that differ more in size, or fewer of them within the window',
    counter_hypotheses: counterHypotheses(isLead),
    ...{ subject: [client], peers: [server], connections: distinct(success === null ? some : [...some, success]) },
  }
}

function counterHypotheses(isLead: boolean): string[] {
  return [
    'a scanner of your own that tries passwords: name it with --scanner',
    'a health check or poller that asks the same again and again',
    isLead
      ? 'a program that loads many similar pages: flow records do not show the requests'
      : 'automation that logs in often (backup, configuration management)',
    'many users behind one address',
  ]
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** Notes what a source did at a log-in port, if it is alike but too little to be found by itself. */
function noteSpray(
  evidence: CaseEvidence,
  client: Run,
  short: readonly number[],
  sprays: Map<number, Guessing[]>,
  limits: Limits,
): void {
  const { connections } = evidence
  if (short.length < limits.ofSourceMin) return
  const port = connections.port[short[0]!]!
  if (!limits.loginPorts.includes(port)) return
  const alike = mostWithin(evidence, alikeOnes(connections.bytesUp, short, limits), limits.slowSeconds * 1e6)
  const found = measured(evidence, client, alike, alike.length, true)
  if (alike.length < limits.ofSourceMin || !isAlike(found, false, limits)) return
  const service = connections.server[short[0]!]! * 65_536 + port
  const known = sprays.get(service)
  if (known === undefined) sprays.set(service, [found])
  else known.push(found)
}

function sprayed(
  evidence: CaseEvidence,
  sprays: ReadonlyMap<number, readonly Guessing[]>,
  limits: Limits,
): CaseDraft[] {
  const { connections } = evidence
  return [...sprays]
    .sort(([a], [b]) => a - b)
    .flatMap(([, sources]) => {
      const typical = spreadOf(sources.map(one => one.bytes.median))
      const alike = sources.filter(
        one => Math.abs(one.bytes.median - typical.median) <= limits.spreadMax * typical.median,
      )
      const times = alike.map(one => connections.start_us[one.some[0]!]!)
      const span_us =
        times.reduce((most, one) => Math.max(most, one), 0) -
        times.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY)
      if (alike.length < limits.sourcesMin || span_us > limits.slowSeconds * 1e6) return []
      return [sprayDraft(evidence, alike, limits)]
    })
}

function sprayDraft(evidence: CaseEvidence, sources: readonly Guessing[], limits: Limits): CaseDraft {
  const { connections } = evidence
  const on = distinct(sources.flatMap(one => one.some))
  const [server, port] = [connections.server[on[0]!]!, connections.port[on[0]!]!]
  const clients = distinct(sources.map(one => connections.client[one.some[0]!]!))
  const target = endText(evidence, server, port)
  return {
    title: `Log-in guesses from ${number(clients.length)} sources against ${target}`,
    severity: clients.some(evidence.isInternal) ? 'high' : 'medium',
    confidence: sureness('medium', evidence, on),
    ...{ tactic: 'credential-access', technique: 'T1110.003', technique_name: 'Brute Force: Password Spraying' },
    summary: `${number(clients.length)} sources opened ${number(on.length)} short connections of nearly equal size to ${target} within a day, each fewer than a rule of one source asks for.`,
    scores: [{ name: 'sources that are alike', value: clients.length, threshold: `>= ${limits.sourcesMin}` }],
    would_change: `fewer than ${limits.sourcesMin} sources, or sizes that differ more`,
    counter_hypotheses: ['many machines of one automation', ...counterHypotheses(false).slice(1)],
    ...{ subject: clients, peers: [server], connections: on },
  }
}
