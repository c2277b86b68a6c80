/** Answers: what detect finds. */
import { noPort, noProtocol } from '../../conversations/services.ts'
import { type CaseFinding, type Detections, detect } from '../../detect/detect.ts'
import { isOfVictims } from '../../detect/ranking.ts'
import { serviceFilter } from '../../investigate/service-filter.ts'
import { list, paragraph } from '../../report/block.ts'
import { caseKey } from '../../report/case-report/keys.ts'
import { findingEntry, undecidedItems, verdict } from '../../report/detections.ts'
import { severities } from '../../rules/finding.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { detectCommand } from '../command-line.ts'
import type { ServiceOfPackets } from '../contract/files.ts'
import type { FindingBrief, FindingsAnswer, FindingsAsk, FoundInCase, SuspectInCase } from '../contract/findings.ts'
import type { PageBlock } from '../contract/host.ts'
import type { WithLists } from '../list-jobs.ts'
import { writeLists } from '../page-file.ts'
import { placing } from './placing.ts'

/** Addresses that a finding, or a host, names on the page. */
const addressesMax = 50

async function findingsAnswer(
  c: Case,
  { own, path }: FindingsAsk & { path: string },
  { signal, progress }: WorkContext,
): Promise<WithLists<Omit<FindingsAnswer, 'id'>>> {
  progress({ doing: 'running the rules', done: null, of: null })
  let services = new Map<string, ServiceOfPackets[] | null>()
  const found = await detect(c, {
    ...{ internal: own, numbered: true, signal },
    inspect: told => {
      services = servicesIn(told)
    },
  })
  const { findings, hosts, findings_other } = found
  const placed = placing(c)
  // The sort is stable: of the same severity, in order of time.
  const sorted = [...findings].sort((a, b) => weight(b) - weight(a))
  const lists = writeLists(path, {
    findings: sorted.map(finding => rowOf(finding, services.get(finding.id) ?? null, placed)),
    brief: sorted.map(briefOf),
    hosts: hosts.map(({ said: _, ...host }): SuspectInCase => ({ ...host, peers: host.peers.slice(0, addressesMax) })),
  })
  const counts = severities.map(severity => [severity, findings.filter(one => one.severity === severity).length])
  const short = {
    head: c.head,
    asked: askedOf(c, own, found),
    verdict: [paragraph(verdict(found))] as PageBlock[],
    undecided: [list(undecidedItems(found))] as PageBlock[],
    captures: c.evidence.some(file => file.capture !== null),
    complete: found.coverage.complete,
    connections: found.connections,
    findings_total: findings.length,
    hosts_total: found.hosts_total,
    findings_other,
    severities: Object.fromEntries(counts) as FindingsAnswer['severities'],
  }
  return { short, lists }
}

function weight({ severity }: CaseFinding): number {
  return severities.indexOf(severity)
}

function briefOf(finding: CaseFinding): FindingBrief {
  const { id, rule, severity, confidence, title, first_start, last_end, subject, peers } = finding
  const hosts = [...new Set([...subject, ...peers])].sort().slice(0, addressesMax)
  return { id, rule, severity, confidence, title, first_start, last_end, hosts }
}

function rowOf(
  finding: CaseFinding,
  services: ServiceOfPackets[] | null,
  placed: ReturnType<typeof placing>,
): FoundInCase {
  const { counter_hypotheses: _, would_change: __, scores: ___, next: ____, subject, peers, basis, ...rest } = finding
  const entry = findingEntry(finding, null)
  return {
    ...rest,
    key: caseKey(finding).key,
    basis: basis.map(placed),
    subject: subject.slice(0, addressesMax),
    peers: peers.slice(0, addressesMax),
    details: (entry.block === 'entry' ? entry.body : []) as PageBlock[],
    inward: isOfVictims(finding.rule),
    services,
    filter: services && serviceFilter(services),
  }
}

type Told = Parameters<NonNullable<NonNullable<Parameters<typeof detect>[1]>['inspect']>>[0]

/** The services of each finding, by its id. */
function servicesIn({ listed, evidence }: Told): Map<string, ServiceOfPackets[] | null> {
  return new Map(listed.map(({ services }, i) => [`F${i + 1}`, services && namedServices(services, evidence.address)]))
}

function namedServices(quads: Uint32Array, address: (host: number) => string): ServiceOfPackets[] {
  return Array.from({ length: quads.length / 4 }, (_, i) => {
    const [client, server, port, protocol] = quads.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ]
    return {
      ...{ client: address(client), server: address(server) },
      ...{ port: port === noPort ? null : port, protocol: protocol === noProtocol ? null : protocol },
    }
  })
}

function askedOf(c: Case, own: readonly string[], { findings }: Detections): FindingsAnswer['asked'] {
  return {
    sentence: 'what every rule finds in the whole case',
    command: detectCommand(c, own),
    sql: findings
      .map(({ id, title, sql }) => `-- ${id}: ${title}\n${sql.trim()};`)
      .join('\n\n')
      .slice(0, 200_000),
  }
}

export const findingsWork: Readonly<Record<string, Answerer<Case>>> = { findings: findingsAnswer }
