/** D02: many sources that guess at one service, each too few times to be found by itself. */
import { TCP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, type Run, servicesIn } from './connections.ts'
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
import { distinctWithin, spreadOf } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  sourcesMin: [10, 'sources that are alike, at one service'],
  ofSourceMin: [3, 'guesses that each source makes at least'],
  ofSourceMax: [19, 'and at most: with more it is found by itself'],
  windowSeconds: [24 * 3600, 'the time in which the sources begin'],
  ...guessLimits,
  loginPorts: [loginPorts, 'ports where people log in: elsewhere peer-to-peer networks and directories look the same'],
})
type Limits = typeof thresholds

export const spray: CaseRule<Limits> = {
  name: 'D02-spray',
  title: 'guesses of many sources at one service, few from each',
  needs: { accepted: 'must', answers: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1110.003'),
  guardDuty: ['UnauthorizedAccess:EC2/SSHBruteForce'],
  scope: 'case',
  selects,
  find,
}

function selects(evidence: CaseEvidence, service: Run, limits: Limits): boolean {
  const { connections } = evidence
  const { from, to } = service
  if (connections.protocol[from] !== TCP || to - from < limits.ofSourceMin) return false
  return (
    limits.loginPorts.includes(connections.port[from]!) &&
    shortOnes(evidence, service, limits).length >= limits.ofSourceMin
  )
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  /** By service: what each source did that may be a part of a spray. */
  const sprays = new Map<number, Guessing[]>()
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) noteSource(evidence, client, service, sprays, limits)
  }
  return sprayed(evidence, sprays, limits)
}

/** Notes what a source did at a log-in port, if it is alike but too little to be found by itself. */
function noteSource(
  evidence: CaseEvidence,
  client: Run,
  service: Run,
  sprays: Map<number, Guessing[]>,
  limits: Limits,
): void {
  const { connections } = evidence
  const port = connections.port[service.from]!
  if (connections.protocol[service.from] !== TCP || !limits.loginPorts.includes(port)) return
  const short = shortOnes(evidence, service, limits)
  if (short.length < limits.ofSourceMin) return
  const alike = mostWithin(evidence, alikeOnes(connections.bytesUp, short, limits), limits.windowSeconds * 1e6)
  if (alike.length < limits.ofSourceMin || alike.length > limits.ofSourceMax) return
  const found = measured(evidence, client, alike, alike.length, true)
  if (!isAlike(found, limits)) return
  const key = connections.server[service.from]! * 65_536 + port
  const known = sprays.get(key)
  if (known === undefined) sprays.set(key, [found])
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
      const startOf = ({ some }: Guessing): number => connections.start_us[some[0]!]!
      alike.sort((a, b) => startOf(a) - startOf(b) || a.client.from - b.client.from)
      const sourcesOf = alike.map(one => one.client.from)
      const window_us = limits.windowSeconds * 1e6
      const crowded = distinctWithin(alike.map(startOf), sourcesOf, window_us, limits.sourcesMin)
      if (crowded === null) return []
      const found = crowded.events.map(event => alike[event]!)
      return [sprayDraft(evidence, found, crowded.most, limits)]
    })
}

function sprayDraft(evidence: CaseEvidence, sources: readonly Guessing[], most: number, limits: Limits): CaseDraft {
  const { connections } = evidence
  const on = distinct(sources.flatMap(one => one.some))
  const [server, port] = [connections.server[on[0]!]!, connections.port[on[0]!]!]
  const clients = distinct(sources.map(one => connections.client[one.some[0]!]!))
  const target = endText(evidence, server, port)
  return {
    title: `Log-in guesses from ${number(clients.length)} sources against ${target}`,
    severity: clients.every(evidence.isScanner) ? 'info' : clients.some(evidence.isInternal) ? 'high' : 'medium',
    confidence: sureness('medium', evidence, on),
    tactic: 'credential-access',
    ...technique('T1110.003'),
    summary: `${number(clients.length)} sources opened ${number(on.length)} short connections of nearly equal size to ${target}, each fewer than a rule of one source asks for; up to ${number(most)} sources began within ${durationWords(limits.windowSeconds)}.`,
    scores: [
      {
        name: `sources that are alike, within ${durationWords(limits.windowSeconds)}`,
        value: most,
        threshold: `>= ${limits.sourcesMin}`,
      },
    ],
    would_change: `fewer than ${limits.sourcesMin} sources, or sizes that differ more`,
    counter_hypotheses: ['many machines of one automation', ...counterHypotheses(false).slice(1)],
    ...{ subject: clients, peers: [server], connections: on },
  }
}
