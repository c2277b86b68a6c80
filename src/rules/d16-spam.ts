/** D16: one of our hosts that sends mail to many servers, and is no mail server. */
import { TCP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run } from './connections.ts'
import { type CaseEvidence, isAtLeast } from './evidence.ts'
import { distinctWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  serversMin: [10, 'distinct mail servers outside within the window: a program that sends mail knows one or two'],
  windowSeconds: [3600, 'the window'],
  failedShareMin: [0.2, 'share of its tries that failed, from which on it is no mail server at work'],
  relayClientsMin: [2, 'hosts that it answered on ports of mail, from which on it is taken for a mail server itself'],
  deliveryPorts: [[25], 'SMTP between servers: a provider takes mail of its clients on other ports, on many addresses'],
  ...warmUp,
})
type Limits = typeof thresholds

export const spam: CaseRule<Limits> = {
  name: 'D16-spam',
  title: 'a host of yours that sends mail to many servers outside, and is no mail server',
  needs: { rejected: 'better', answers: 'better', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1496'),
  guardDuty: ['Backdoor:EC2/Spambot'],
  scope: 'client',
  limitsOf: () => [
    'spam through a mail server of your own, or through one provider, looks like its ordinary mail: only the log of the mail server tells',
  ],
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, mailClients } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host) || isAtLeast(mailClients(host), limits.relayClientsMin)) continue
    const found = sendingOf(evidence, client, limits)
    if (found !== null) drafts.push(draft(evidence, host, found, limits))
  }
  return drafts
}

interface Sending {
  /** The connections of the hours that hold enough servers. */
  some: number[]
  most: number
  failedShare: number
  /** Whether its first mail comes after the warm-up. */
  isNew: boolean
}

function sendingOf(evidence: CaseEvidence, client: Run, limits: Limits): Sending | null {
  const { connections } = evidence
  const { server, start_us } = connections
  const mail = mailOf(evidence, client, limits)
  if (mail.length < limits.serversMin) return null
  const times = mail.map(i => start_us[i]!)
  const crowded = distinctWithin(
    times,
    mail.map(i => server[i]!),
    limits.windowSeconds * 1e6,
    limits.serversMin,
  )
  if (crowded === null) return null
  const some = crowded.events.map(event => mail[event]!)
  const failedShare = some.filter(i => connections.outcome[i] !== outcome.answered).length / some.length
  const isNew = times[0]! >= warm_us(evidence, limits)
  // Who sent mail from the beginning, and is answered, always did.
  if (!isNew && failedShare < limits.failedShareMin) return null
  return { some, most: crowded.most, failedShare, isNew }
}

/** Its tries to send mail to servers outside, in order of time. */
function mailOf({ connections, isInternal }: CaseEvidence, { from, to }: Run, limits: Limits): number[] {
  const { port, protocol, server, start_us, marks } = connections
  const mail: number[] = []
  for (let i = from; i < to; i++) {
    if (protocol[i] !== TCP || !limits.deliveryPorts.includes(port[i]!) || isInternal(server[i]!)) continue
    if ((marks[i]! & (mark.unknownRole | mark.isError | mark.toService)) === 0) mail.push(i)
  }
  return mail.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
}

function draft(
  evidence: CaseEvidence,
  host: number,
  { some, most, failedShare, isNew }: Sending,
  limits: Limits,
): CaseDraft {
  const { connections, address, isScanner, mailClients } = evidence
  const servers = distinct(some.map(i => connections.server[i]!))
  const share = Math.round(failedShare * 100) / 100
  const isFailing = failedShare >= limits.failedShareMin
  return {
    title: `${address(host)} sends mail to ${number(servers.length)} servers outside`,
    severity: isScanner(host) ? 'info' : isFailing ? 'high' : 'medium',
    confidence: sureness('medium', evidence, some),
    ...{ tactic: 'impact', ...technique('T1496') },
    summary: `${address(host)} made ${number(some.length)} connections to ${number(servers.length)} mail servers outside, up to ${number(most)} within ${durationWords(limits.windowSeconds)}; ${Math.round(failedShare * 100)} % of them failed. ${isNew ? 'It sent no mail before, as far as this evidence goes back.' : 'It tried so from the beginning of this evidence.'}`,
    scores: [
      {
        name: `mail servers within ${durationWords(limits.windowSeconds)}`,
        value: most,
        threshold: `>= ${limits.serversMin}`,
      },
      {
        name: 'share of tries that failed',
        value: share,
        threshold: isNew
          ? `not asked of a host that sent no mail before (>= ${limits.failedShareMin} for high)`
          : `>= ${limits.failedShareMin}`,
      },
      {
        name: 'hosts that it takes mail from',
        value: mailClients(host) ?? 0,
        threshold: `< ${limits.relayClientsMin}`,
      },
    ],
    would_change: 'mail through one server of yours or of a provider, or a host that takes mail from others',
    counter_hypotheses: [
      'a mail server that takes its mail in a way that is not recorded here, or a newsletter',
      'a program that sends to the receivers themselves, while port 25 is blocked (as AWS does by default)',
      'a monitor of mail servers',
    ],
    ...{ subject: [host], peers: servers, connections: some },
  }
}
