/** What a case can be asked next, with its own values. */
import type { CaseOverview } from './overview.ts'

export interface NextStep {
  /** Arguments after `tidemark`, without the case. */
  args: string[]
  why: string
}

/** Of a longer list the first: each is in the case with all its records. */
const subjectsMost = 4

export function nextSteps(o: CaseOverview): NextStep[] {
  const steps: NextStep[] = []
  const [peer] = o.peers
  const service = o.services.find(one => one.at !== null && /^\d+\//.test(one.at))
  const [unread] = o.gaps.unread_files
  if (unread !== undefined) {
    steps.push({ args: ['evidence'], why: 'what was not read, and what to do about it' })
    steps.push({ args: ['remove', unread], why: 'takes a file out that is not evidence after all' })
  }
  if (o.pulled !== null && o.pulled.subject.length > 0)
    steps.push({
      args: ['investigate', ...o.pulled.subject.slice(0, subjectsMost)],
      why: 'the dossier of what was pulled, as it would be of all the logs',
    })
  if (o.records.total === 0) return steps
  // Of a part of the records nobody's dossier is whole but those that were pulled.
  if (o.pulled === null)
    steps.push({ args: ['detect'], why: 'who behaves like an attacker, without an address to begin with' })
  if (peer !== undefined) {
    if (o.pulled === null)
      steps.push({ args: ['investigate', peer.address], why: 'the dossier of the address outside that moved most' })
    steps.push({ args: ['flows', '-b', `ip ${peer.address}`], why: 'its connections, one by one' })
  }
  if (service !== undefined) {
    const [port = '', protocol = ''] = service.at!.split('/')
    const filter = `proto ${protocol} and port ${port}`
    steps.push({ args: ['flows', '-s', 'ip/bytes', filter], why: `who took part in ${service.name ?? service.at}` })
  }
  if (o.services_basis === 'port-number')
    steps.push({ args: ['flows', '-s', 'service/bytes'], why: 'services by who connected to whom, not by port number' })
  if (o.records.rejected > 0)
    steps.push({ args: ['flows', '-s', 'srcip/records', 'action REJECT'], why: 'who was turned away most' })
  if (peer !== undefined && o.kinds.some(one => one.kind === 'pcap' || one.kind === 'pcapng'))
    steps.push({ args: ['carve', `ip ${peer.address}`, '-o', 'peer.pcapng'], why: 'its packets' })
  return steps
}
