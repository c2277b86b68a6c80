/** D02: many short connections of nearly equal size to one service, and the longer session that followed. */
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import {
  alikeOnes,
  counterHypotheses,
  type Guessing,
  guessLimits,
  isAlike,
  loginPorts,
  measured,
  mostWithin,
  shortOnes,
} from './guessing.ts'
import { densities, inFullWindows, spreadOf } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, less, sureness } from './rule.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  connectionsMin: [30, 'guesses at their densest within the window: people mistype fewer times'],
  windowSeconds: [15 * 60, 'the window in which they are counted, wherever on the clock it lies; its end is not in it'],
  ...guessLimits,
  crowdShare: [
    0.3,
    'guesses are at least that share of all short connections of their time: any crowd has some that are alike',
  ],
  densityShare: [
    0.25,
    'guesses are where they are at least so dense, by their peak: browsing after them is not guessing',
  ],
  successAfterSeconds: [30 * 60, 'how long after the last guess a session may be its fruit'],
  successSeconds: [60, 'how long such a session lasts at least, if it has not the bytes'],
  successBytesTimes: [3, 'or how many times the median bytes of a guess it has'],
  successPacketsMore: [5, 'how many more client packets than a guess it has (SSHCure)'],
  successDeviations: [3, 'or how many deviations more, where guesses differ'],
  slowMin: [20, 'slow pass, on log-in ports alone: guesses in a day'],
  slowSeconds: [24 * 3600, 'slow pass: the window'],
  loginPorts: [loginPorts, 'ports where people log in'],
  leadPorts: [
    [25, 53, 80, 110, 143, 443, 465, 587, 853, 993, 995, 3128, 8000, 8080, 8443],
    'ports where ordinary programs ask the same again and again: there it is a lead only, and needs more',
  ],
  leadMin: [100, 'guesses that a lead needs'],
  leadSpreadMax: [0.05, 'spread of client bytes that a lead has at most'],
  clockMax: [
    0.1,
    'spread of the intervals by their median, below which a clock asks: no lead is made, and inside no slow guesses',
  ],
})
type Limits = typeof thresholds

/** Of a subject a lead is told as what it is, and so are log-ins of fewer packets. */
const ofSubject = decided({
  medianPacketsMin: [4, 'median packets of the client: a handshake, and something said'],
  leadMin: [30, 'guesses of a lead: as many as elsewhere'],
  leadSpreadMax: [0.15, 'spread of client bytes that a lead has at most: as elsewhere'],
})

export const bruteForce: CaseRule<Limits> = {
  name: 'D02-brute-force',
  title: 'many short connections of nearly equal size to one service, and the longer session that followed',
  needs: { accepted: 'must', answers: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1110'),
  guardDuty: [
    'UnauthorizedAccess:EC2/SSHBruteForce',
    'UnauthorizedAccess:EC2/RDPBruteForce',
    'Impact:EC2/WinRMBruteForce',
  ],
  scope: 'client',
  ofSubject: { name: 'brute-force', ...ofSubject },
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const drafts: CaseDraft[] = []
  const least = Math.min(limits.slowMin, limits.connectionsMin)
  for (const client of clientsOf(connections)) {
    if (client.to - client.from < least) continue
    for (const service of servicesIn(connections, client)) {
      if (connections.protocol[service.from] !== TCP || service.to - service.from < least) continue
      const short = shortOnes(evidence, service, limits)
      const found = guessing(evidence, client, short, limits)
      if (found !== null) drafts.push(draft(evidence, found, limits))
    }
  }
  return drafts
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
  const near = crowded(evidence, short, alike, limits)
  const quick = near === null ? null : measured(evidence, client, near.some, near.most, false)
  const least = isLead ? limits.leadMin : limits.connectionsMin
  if (quick !== null && quick.most >= least && isAlike(quick, limits, isLead ? limits.leadSpreadMax : undefined))
    return isLead && isClock(evidence, quick.some, limits) ? null : quick
  if (!isLogin) return null
  const slow = mostWithin(evidence, alike, limits.slowSeconds * 1e6)
  if (slow.length < limits.slowMin || !isCrowd(evidence, short, slow, limits)) return null
  const isInside =
    evidence.isInternal(connections.client[short[0]!]!) && evidence.isInternal(connections.server[short[0]!]!)
  const found = measured(evidence, client, slow, slow.length, true)
  return isAlike(found, limits) && !(isInside && isClock(evidence, slow, limits)) ? found : null
}

/** Whether they are enough of all short connections of their time. */
function isCrowd(
  { connections }: CaseEvidence,
  short: readonly number[],
  some: readonly number[],
  { crowdShare }: Limits,
): boolean {
  const { start_us } = connections
  const [from, to] = [start_us[some[0]!]!, start_us[some.at(-1)!]!]
  const all = short.reduce((sum, i) => (start_us[i]! >= from && start_us[i]! <= to ? sum + 1 : sum), 0)
  return some.length >= crowdShare * all
}

/** Those that are in a window with enough of them, where they are at least a part as dense as at their peak. */
function crowded(
  evidence: CaseEvidence,
  short: readonly number[],
  alike: readonly number[],
  limits: Limits,
): { some: number[]; most: number } | null {
  const { windowSeconds, connectionsMin, densityShare } = limits
  const times = alike.map(i => evidence.connections.start_us[i]!)
  const { most, events } = inFullWindows(times, windowSeconds * 1e6, connectionsMin)
  if (events.length === 0) return null
  const within = densities(times, (windowSeconds * 1e6) / 2)
  const peak = events.reduce((highest, at) => Math.max(highest, within[at]!), 0)
  const some = events.filter(at => within[at]! >= peak * densityShare).map(at => alike[at]!)
  return some.length >= connectionsMin && isCrowd(evidence, short, some, limits) ? { some, most } : null
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
    if (server[i] !== host || connections.protocol[i] !== TCP || connections.outcome[i] !== outcome.answered) continue
    if (start_us[i]! <= from || start_us[i]! > until || packetsUp[i]! < packetsMore) continue
    const isLong = end_us[i]! - start_us[i]! >= limits.successSeconds * 1e6
    if (!isLong && bytesUp[i]! < limits.successBytesTimes * bytes.median) continue
    const isSame = (one: number): boolean => connections.port[one] === connections.port[some[0]!]
    const isBetter = first === null || (isSame(i) === isSame(first) ? start_us[i]! < start_us[first]! : isSame(first))
    if (isBetter) first = i
  }
  return first
}

/** Guesses at one service are no measure of a session with another: that it follows them is all there is. */
function successText(isSameService: boolean): string {
  return isSameService
    ? 'larger than any guess: a sign that one succeeded.'
    : 'another service of the same host: a sign that one succeeded, or of another way in.'
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
  const window = durationWords(isSlow ? limits.slowSeconds : limits.windowSeconds)
  const confidence = sureness(success === null ? 'medium' : 'high', evidence, some)
  const then =
    success === null
      ? ` No longer session followed within ${durationWords(limits.successAfterSeconds)}.`
      : ` A session of ${number(Math.round((connections.end_us[success]! - connections.start_us[success]!) / 1e6))} s with ${endText(evidence, server, connections.port[success]!)} followed at ${utcSeconds(connections.start_us[success]!)}, ${successText(connections.port[success] === port)}`
  return {
    title: `${isLead ? 'Web log-in' : 'Log-in'} brute force against ${target}${success === null ? '' : ', with probable success'}`,
    severity: evidence.isScanner(client)
      ? 'info'
      : success !== null
        ? 'high'
        : isLead
          ? // One of our hosts that asks the internet the same again and again is a program as a rule.
            isOurs && !evidence.isInternal(server)
            ? 'info'
            : 'low'
          : isOurs
            ? 'high'
            : 'medium',
    confidence: isLead ? less(confidence) : confidence,
    tactic: 'credential-access',
    ...technique('T1110'),
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
    timed: some,
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
