/** D11: queries of names that carry more than names. */
import { TCP, UDP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { isResolver, resolverLimits } from './name-servers.ts'
import { heaviestWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { endText, megabytes, number } from './words.ts'

const { thresholds, reasons } = decided({
  queriesMin: [600, 'queries to one server within the window'],
  windowSeconds: [600, 'the window'],
  socketQueriesMin: [100, 'queries from one port: a resolver takes a new port for each of them'],
  bytesMin: [5_000_000, 'bytes of queries to one server in a day'],
  daySeconds: [24 * 3600, 'bytes of queries to one server in a day'],
  queryBytesMin: [100, 'bytes of a query, with headers as of IPv4: names that people use fit into 80'],
  innerQueryBytesMin: [
    150,
    'the same to an internal server: names of a cluster, with its search list, come near to 100',
  ],
  sessionSeconds: [60, 'a session by TCP with a name server outside that lasts: an answer takes a moment'],
  ...resolverLimits,
})
type Limits = typeof thresholds

export const tunnel: CaseRule<Limits> = {
  name: 'D11-dns-tunnel',
  title: 'queries of names that carry more than names',
  needs: { accepted: 'must', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1071.004'),
  guardDuty: ['Trojan:EC2/DNSDataExfiltration'],
  scope: 'client',
  limitsOf: ({ source }) =>
    source === 'logs'
      ? [
          'queries to the resolver of a VPC are in no flow log, so that silence says nothing of them: the query log of Route 53 Resolver has them, with the names',
        ]
      : ['names are not read: what the queries carry is told by their number and size alone'],
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host) || isResolver(evidence, client, limits)) continue
    for (const service of servicesIn(connections, client)) {
      if (connections.port[service.from] !== 53) continue
      const found = foundIn(evidence, service, limits)
      if (found !== null) drafts.push(draft(evidence, found, limits))
    }
  }
  return drafts
}

interface Found {
  kind: 'queries' | 'socket' | 'bytes' | 'session'
  value: number
  some: number[]
}

function foundIn(evidence: CaseEvidence, { from, to }: Run, limits: Limits): Found | null {
  const { connections, isInternal } = evidence
  const { server, protocol, start_us, end_us, packetsUp, bytesUp, marks } = connections
  const some: number[] = []
  for (let i = from; i < to; i++) if ((marks[i]! & (mark.unknownRole | mark.isError)) === 0) some.push(i)
  if (protocol[from] === TCP) {
    if (isInternal(server[from]!)) return null
    const isSession = (i: number): boolean =>
      connections.outcome[i] === outcome.answered && end_us[i]! - start_us[i]! >= limits.sessionSeconds * 1e6
    const sessions = some.filter(isSession)
    return sessions.length === 0 ? null : { kind: 'session', value: sessions.length, some: sessions }
  }
  if (protocol[from] !== UDP) return null
  const times = some.map(i => start_us[i]!)
  const crowded = (column: Float64Array, seconds: number): { most: number; some: number[] } => {
    const {
      most,
      from: first,
      to: last,
    } = heaviestWithin(
      times,
      some.map(i => column[i]!),
      seconds * 1e6,
    )
    return { most, some: some.slice(first, last) }
  }
  const isLong = (on: readonly number[]): boolean => isLongQuery(evidence, on, limits)
  const queries = crowded(packetsUp, limits.windowSeconds)
  if (queries.most >= limits.queriesMin && isLong(queries.some))
    return { kind: 'queries', value: queries.most, some: queries.some }
  const sockets = some.filter(i => packetsUp[i]! >= limits.socketQueriesMin && isLong([i]))
  const most = sockets.reduce((value, i) => Math.max(value, packetsUp[i]!), 0)
  if (sockets.length > 0) return { kind: 'socket', value: most, some: sockets }
  const bytes = crowded(bytesUp, limits.daySeconds)
  return bytes.most >= limits.bytesMin && isLong(bytes.some)
    ? { kind: 'bytes', value: bytes.most, some: bytes.some }
    : null
}

/** The mean of queries, with headers as of IPv4. */
function queryBytes({ connections, address }: CaseEvidence, on: readonly number[]): number {
  const sum = (column: Float64Array): number => on.reduce((all, i) => all + column[i]!, 0)
  const isSix = address(connections.server[on[0]!]!).includes(':')
  return sum(connections.bytesUp) / sum(connections.packetsUp) - (isSix ? 20 : 0)
}

function longAt({ connections, isInternal }: CaseEvidence, i: number, limits: Limits): number {
  return isInternal(connections.server[i]!) ? limits.innerQueryBytesMin : limits.queryBytesMin
}

function isLongQuery(evidence: CaseEvidence, on: readonly number[], limits: Limits): boolean {
  return on.length > 0 && queryBytes(evidence, on) >= longAt(evidence, on[0]!, limits)
}

function draft(evidence: CaseEvidence, { kind, value, some }: Found, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const first = some[0]!
  const [client, server] = [connections.client[first]!, connections.server[first]!]
  const target = endText(evidence, server, connections.port[first]!)
  const longest_us = some.reduce((most, i) => Math.max(most, connections.end_us[i]! - connections.start_us[i]!), 0)
  const isSession = kind === 'session'
  const mean = isSession ? 0 : Math.round(queryBytes(evidence, some))
  const of = {
    queries: {
      what: `${number(value)} queries within ${durationWords(limits.windowSeconds)}`,
      name: `queries within ${durationWords(limits.windowSeconds)}`,
      least: limits.queriesMin,
    },
    socket: {
      what: `${number(value)} queries from one port`,
      name: 'queries from one port',
      least: limits.socketQueriesMin,
    },
    bytes: {
      what: `${megabytes(value)} of queries within ${durationWords(limits.daySeconds)}`,
      name: `bytes of queries within ${durationWords(limits.daySeconds)}`,
      least: limits.bytesMin,
    },
    session: {
      what: `${number(value)} ${value === 1 ? 'session' : 'sessions'} by TCP, the longest of ${durationWords(Math.round(longest_us / 1e6))}`,
      name: 'seconds of the longest session',
      least: limits.sessionSeconds,
    },
  }[kind]
  const shown = isSession ? Math.round(longest_us / 1e6) : value
  return {
    title: isSession ? `Long sessions with the name server ${target}` : `Long queries to the name server ${target}`,
    severity: isSession ? 'low' : 'medium',
    confidence: sureness(isSession ? 'low' : 'medium', evidence, some),
    ...{ tactic: 'command-and-control', ...technique('T1071.004') },
    summary: `${address(client)} had ${of.what} with ${target}${isSession ? '' : `, of ${mean} bytes each`}. The names in them are in no flow record.`,
    scores: [
      { name: of.name, value: shown, threshold: `>= ${of.least}` },
      ...(isSession
        ? []
        : [{ name: 'bytes of a query', value: mean, threshold: `>= ${longAt(evidence, first, limits)}` }]),
    ],
    would_change: isSession
      ? 'sessions that end within a moment, or a name server of yours'
      : 'shorter queries, or fewer of them; a host that answers queries itself',
    counter_hypotheses: isSession
      ? ['a transfer of a zone', 'a resolver that keeps its sessions open']
      : [
          'a resolver whose clients are not recorded here',
          'long names, as of lists of spam, of clusters or of tracking',
          'an agent that sends its reports by DNS, such as a virus scanner',
        ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}
