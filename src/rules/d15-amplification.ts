/** D15: short requests whose long answers go to somebody else: an internal server that is abused for it, or an internal host that gets them. */
import { UDP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { grouped, heaviestWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { endText, megabytes, nameText, number } from './words.ts'

const { thresholds, reasons } = decided({
  packetsMin: [1000, 'requests to a server, or answers that nobody asked for, within the window (NEMEA)'],
  windowSeconds: [15 * 60, 'the window'],
  ratioMin: [5, 'bytes of the answers by those of the requests (NEMEA)'],
  answerBytesMin: [1000, 'bytes that come back for a packet of the client (NEMEA)'],
  requestBytesMax: [300, 'bytes of a packet of the client (NEMEA)'],
  serversMin: [10, 'servers outside that answer an internal host which did not ask them'],
  reflectorPorts: [
    [17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3702, 5353, 10_001, 11_211],
    'services of UDP that are abused for it (CISA TA14-017A)',
  ],
})
type Limits = typeof thresholds

export const amplification: CaseRule<Limits> = {
  name: 'D15-amplification',
  title: 'short requests whose long answers go to somebody else',
  needs: { accepted: 'must', answers: 'must', sizes: 'must' },
  thresholds,
  reasons,
  attack: techniques('T1498.002'),
  guardDuty: ['Backdoor:EC2/DenialOfService.Dns', 'Backdoor:EC2/DenialOfService.Udp'],
  scope: 'case',
  selects: (evidence, service, limits) => partOf(evidence, service, limits) !== null,
  find,
}

/** What a service may be a part of. */
type Part = 'abused' | 'unasked' | null

function partOf({ connections, isInternal }: CaseEvidence, { from, to }: Run, limits: Limits): Part {
  const { client, server, port, protocol, clientPort, packetsUp, packetsDown } = connections
  const [isOurClient, isOurServer] = [isInternal(client[from]!), isInternal(server[from]!)]
  if (protocol[from] !== UDP || isOurClient === isOurServer) return null
  const isReflector = limits.reflectorPorts.includes(port[from]!)
  let [up, down, isFromReflector] = [0, 0, true]
  for (let i = from; i < to; i++) {
    up += packetsUp[i]!
    down += packetsDown[i]!
    if (!limits.reflectorPorts.includes(clientPort[i]!)) isFromReflector = false
  }
  // Where many send to one port of the victim, that is taken for the service.
  if (isOurServer && isFromReflector && down === 0 && up > 0) return 'unasked'
  if (isOurClient && isReflector && up === 0 && down > 0) return 'unasked'
  return isOurServer && isReflector && up >= limits.packetsMin ? 'abused' : null
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const drafts: (CaseDraft | null)[] = []
  const unasked: number[] = []
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      const part = partOf(evidence, service, limits)
      if (part === 'abused') drafts.push(abusedOf(evidence, service, limits))
      if (part === 'unasked') for (let i = service.from; i < service.to; i++) unasked.push(i)
    }
  }
  const victimOf = (i: number): number =>
    isInternal(connections.client[i]!) ? connections.client[i]! : connections.server[i]!
  for (const [victim, some] of grouped(unasked, victimOf)) drafts.push(receivedOf(evidence, victim, some, limits))
  return drafts.filter(one => one !== null)
}

/** The window with the most packets of one side. */
function crowdedOf(
  { connections }: CaseEvidence,
  some: readonly number[],
  packetsOf: (i: number) => number,
  limits: Limits,
) {
  const inTime = [...some].sort((a, b) => connections.start_us[a]! - connections.start_us[b]! || a - b)
  const times = inTime.map(i => connections.start_us[i]!)
  const { most, from, to } = heaviestWithin(times, inTime.map(packetsOf), limits.windowSeconds * 1e6)
  return { most, some: inTime.slice(from, to) }
}

const sum = (column: Float64Array, some: readonly number[]): number => some.reduce((all, i) => all + column[i]!, 0)

const impact: Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> = {
  tactic: 'impact',
  ...technique('T1498.002'),
}

/** An internal service that answers far more than it is asked. */
function abusedOf(evidence: CaseEvidence, { from, to }: Run, limits: Limits): CaseDraft | null {
  const { connections, address } = evidence
  const all = Array.from({ length: to - from }, (_, i) => from + i)
  const { most, some } = crowdedOf(evidence, all, i => connections.packetsUp[i]!, limits)
  if (most < limits.packetsMin) return null
  const [up, down] = [sum(connections.bytesUp, some), sum(connections.bytesDown, some)]
  const [ratio, answer, request] = [down / up, down / most, up / most]
  const isLong = ratio >= limits.ratioMin && answer >= limits.answerBytesMin
  if (!isLong || request > limits.requestBytesMax) return null
  const [client, server, port] = [connections.client[from]!, connections.server[from]!, connections.port[from]!]
  const target = endText(evidence, server, port)
  return {
    title: `${target}${nameText(port, UDP)} is used to amplify packets against ${address(client)}`,
    severity: 'high',
    confidence: sureness('medium', evidence, some),
    ...impact,
    summary: `${target} got ${number(most)} packets of ${Math.round(request)} bytes in the name of ${address(client)} within ${durationWords(limits.windowSeconds)}, and sent it ${megabytes(down)}: ${ratio.toFixed(1)} times as much. Such requests can be forged: ${address(client)} is then the victim.`,
    scores: [
      {
        name: `requests within ${durationWords(limits.windowSeconds)}`,
        value: most,
        threshold: `>= ${limits.packetsMin}`,
      },
      {
        name: 'bytes of answers by those of requests',
        value: Math.round(10 * ratio) / 10,
        threshold: `>= ${limits.ratioMin}`,
      },
      { name: 'bytes of answers for a request', value: Math.round(answer), threshold: `>= ${limits.answerBytesMin}` },
      { name: 'bytes of a request', value: Math.round(request), threshold: `<= ${limits.requestBytesMax}` },
    ],
    would_change: 'shorter answers, or fewer requests',
    counter_hypotheses: [
      'a resolver outside that asks your name server for signed or long answers',
      'a client that transfers files or tables by that service on purpose',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}

/** Answers of many servers to an internal host that asked none of them. */
function receivedOf(
  evidence: CaseEvidence,
  victim: number,
  unasked: readonly number[],
  limits: Limits,
): CaseDraft | null {
  const { connections, address } = evidence
  const isClient = (i: number): boolean => connections.client[i] === victim
  const packetsOf = (i: number): number => connections.packetsUp[i]! + connections.packetsDown[i]!
  const { most, some } = crowdedOf(evidence, unasked, packetsOf, limits)
  const servers = distinct(some.map(i => (isClient(i) ? connections.server[i]! : connections.client[i]!)))
  if (most < limits.packetsMin || servers.length < limits.serversMin) return null
  const bytes = sum(connections.bytesUp, some) + sum(connections.bytesDown, some)
  const ports = distinct(some.map(i => (isClient(i) ? connections.port[i]! : connections.clientPort[i]!)))
  return {
    title: `${address(victim)} gets answers that it did not ask for from ${number(servers.length)} servers`,
    severity: 'medium',
    confidence: sureness('medium', evidence, some),
    ...impact,
    summary: `${number(servers.length)} servers outside sent ${address(victim)} ${number(most)} packets, ${megabytes(bytes)}, from ${ports.length === 1 ? `port ${ports[0]}` : `${number(ports.length)} ports`} within ${durationWords(limits.windowSeconds)}, and no request to them is recorded: somebody asks them in its name.`,
    scores: [
      {
        name: `packets within ${durationWords(limits.windowSeconds)}`,
        value: most,
        threshold: `>= ${limits.packetsMin}`,
      },
      { name: 'servers that were not asked', value: servers.length, threshold: `>= ${limits.serversMin}` },
    ],
    would_change: 'requests of that host to these servers',
    counter_hypotheses: ['requests of that host that no log here records'],
    ...{ subject: [victim], peers: servers, connections: some },
  }
}
