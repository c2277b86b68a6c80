/** D17: an unusual use of the metadata service of a cloud, which hands out credentials. Only packets show it. */
import { parseAddress } from '../net/address.ts'
import { parsePrefix, prefixContains } from '../net/prefix.ts'
import { TCP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast } from './evidence.ts'
import { heaviestWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  burstMin: [20, 'connections to it within the window: programs that renew credentials ask a few times an hour'],
  burstSeconds: [60, 'the window'],
  contactSeconds: [60, 'a host outside that is first spoken to so soon after it'],
  bootSeconds: [300, "after a host's first packet: a machine that starts asks for all that there is"],
  signsMin: [2, 'signs of three: many questions at once, a new host outside right after, a container that asks'],
  ...warmUp,
})
type Limits = typeof thresholds

/** Of AWS, and alike of Azure, Google and others; and that of AWS by IPv6. */
const services = ['169.254.169.254', 'fd00:ec2::254']

/** Networks that container engines give to containers: Docker, Podman, k3s, flannel. */
const containers = ['172.17.0.0/16', '10.88.0.0/16', '10.42.0.0/16', '10.244.0.0/16'].map(text => parsePrefix(text)!)

export const metadata: CaseRule<Limits> = {
  name: 'D17-metadata',
  title: 'an unusual use of the metadata service, which hands out credentials',
  needs: { packets: 'must', answers: 'must' },
  thresholds,
  reasons,
  attack: techniques('T1552.005'),
  guardDuty: ['UnauthorizedAccess:EC2/MetadataDNSRebind'],
  scope: 'client',
  limitsOf: () => ['a single question for credentials looks like those of every program that renews its own'],
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, address } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      const { from } = service
      const [server, port] = [connections.server[from]!, connections.port[from]!]
      if (port !== 80 || connections.protocol[from] !== TCP || !isInternal(server)) continue
      if (!services.includes(address(server))) continue
      const found = foundIn(evidence, client, service, limits)
      if (found !== null) drafts.push(found)
    }
  }
  return drafts
}

function foundIn(evidence: CaseEvidence, client: Run, { from, to }: Run, limits: Limits): CaseDraft | null {
  const { connections, firstSeen_us, address } = evidence
  const { start_us } = connections
  const host = connections.client[from]!
  const asked: number[] = []
  for (let i = from; i < to; i++) {
    const seen_us = firstSeen_us(host)
    const isBoot = seen_us !== null && start_us[i]! - seen_us < limits.bootSeconds * 1e6
    if (connections.outcome[i] === outcome.answered && !isBoot) asked.push(i)
  }
  if (asked.length === 0) return null
  const ones = asked.map(() => 1)
  const times = asked.map(i => start_us[i]!)
  const burst = heaviestWithin(times, ones, limits.burstSeconds * 1e6)
  const contacts = contactsAfter(evidence, client, times, limits)
  const isContainer = isOfContainers(address(host))
  const isBurst = burst.most >= limits.burstMin
  const signs = [isBurst, contacts.length > 0, isContainer].filter(Boolean).length
  if (signs < limits.signsMin) return null
  const some = distinct([...asked, ...contacts])
  const peers = distinct(some.map(i => connections.server[i]!))
  const outside = distinct(contacts.map(i => connections.server[i]!)).map(address)
  return {
    title: `${address(host)} asks the metadata service as programs do not`,
    severity: evidence.isScanner(host) ? 'info' : signs > limits.signsMin ? 'high' : 'medium',
    confidence: sureness('medium', evidence, some),
    ...{ tactic: 'credential-access', ...technique('T1552.005') },
    summary: `${address(host)}${isContainer ? ', an address as of a container,' : ''} asked ${address(connections.server[from]!)} ${number(asked.length)} times, up to ${number(burst.most)} times within ${limits.burstSeconds} s. ${outside.length === 0 ? 'No new host outside followed.' : `Within ${limits.contactSeconds} s of that it first spoke to ${namesText(outside)}.`}`,
    scores: [
      { name: 'signs', value: signs, threshold: `>= ${limits.signsMin}` },
      {
        name: `questions within ${limits.burstSeconds} s`,
        value: burst.most,
        threshold: `>= ${limits.burstMin}: a sign`,
      },
      { name: 'new hosts outside right after', value: outside.length, threshold: '>= 1: a sign' },
      { name: 'address of a container', value: isContainer ? 1 : 0, threshold: '>= 1: a sign' },
    ],
    would_change: 'fewer questions at once, hosts outside that were known before, or a machine that has just started',
    counter_hypotheses: [
      'a program that was started again: what it asks for is not in flow records',
      'an agent of the cloud, or configuration management',
      'containers that share the address of their host: with a hop limit of 1 and IMDSv2 they get nothing',
    ],
    ...{ subject: [host], peers, connections: some },
  }
}

/** The first connections with hosts outside that nobody spoke to before, soon after a question. @param times of the questions, in order. */
function contactsAfter(evidence: CaseEvidence, { from, to }: Run, times: readonly number[], limits: Limits): number[] {
  const { connections, firstSeen_us, isInternal } = evidence
  const { server, start_us } = connections
  const new_us = warm_us(evidence, limits)
  const some: number[] = []
  for (let i = from; i < to; i++) {
    const start = start_us[i]!
    if (isInternal(server[i]!) || !isAtLeast(firstSeen_us(server[i]!), start) || start < new_us) continue
    const isSoon = times.some(time => start >= time && start - time <= limits.contactSeconds * 1e6)
    if (isSoon && connections.outcome[i] === outcome.answered) some.push(i)
  }
  return some
}

function isOfContainers(text: string): boolean {
  const address = parseAddress(text)
  return address !== null && containers.some(prefix => prefixContains(prefix, address))
}
