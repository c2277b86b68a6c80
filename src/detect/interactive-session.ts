import { durationWords, utcSeconds } from '../net/time.ts'
import type { ConnectionView, Draft, Evidence } from './rule.ts'
import { lowered, number, serverText } from './words.ts'

/** Ports whose purpose is to work on another machine: a session there is interactive from two minutes on. */
const remoteWorkPorts = new Set([22, 23, 513, 514, 3389, 5900, 5901, 5985, 5986])
const remoteWorkSeconds = 120
/** Elsewhere: 1 to 60 packets a minute for a quarter of an hour, the pace of a person. */
const anySeconds = 15 * 60
const packetsPerMinute = [1, 60] as const

/** Sessions at the pace of a person. */
export async function interactiveSession(evidence: Evidence): Promise<Draft[]> {
  const drafts: Draft[] = []
  for (const [index, service] of evidence.services.entries()) {
    if (service.protocol !== 6 || service.outcome !== 'answered' || service.longest_seconds < remoteWorkSeconds) continue
    const remoteWork = remoteWorkPorts.has(service.port ?? 0)
    const sessions = (await evidence.connections(index)).filter(one => isSession(one, remoteWork))
    if (sessions.length > 0) drafts.push(await draft(evidence, index, sessions, remoteWork))
  }
  return drafts
}

function isSession(connection: ConnectionView, remoteWork: boolean): boolean {
  const seconds = (connection.end_us - connection.start_us) / 1e6
  if (remoteWork) return seconds >= remoteWorkSeconds
  const pace = connection.client_packets / (seconds / 60)
  const small = connection.client_bytes / Math.max(1, connection.client_packets) <= 200 && connection.server_bytes / Math.max(1, connection.server_packets) <= 400
  return seconds >= anySeconds && pace >= packetsPerMinute[0] && pace <= packetsPerMinute[1] && small
}

async function draft(evidence: Evidence, index: number, sessions: ConnectionView[], remoteWork: boolean): Promise<Draft> {
  const service = evidence.services[index]!
  const from = sessions[0]!.start_us
  const to = sessions.reduce((latest, one) => Math.max(latest, one.end_us), 0)
  const longest = sessions.reduce((a, b) => (a.end_us - a.start_us >= b.end_us - b.start_us ? a : b))
  const seconds = (longest.end_us - longest.start_us) / 1e6
  const name = service.name ? `${service.name.toUpperCase()} ` : ''
  return {
    rule: 'interactive-session',
    title: `Interactive ${remoteWork ? name : ''}session on ${serverText(service)}`,
    severity: remoteWork ? 'high' : 'medium',
    confidence: lowered(remoteWork ? 'high' : 'medium', service),
    technique: service.port === 22 ? 'T1021.004' : service.port === 3389 ? 'T1021.001' : 'T1021',
    technique_name: service.port === 22 ? 'Remote Services: SSH' : service.port === 3389 ? 'Remote Services: Remote Desktop Protocol' : 'Remote Services',
    summary: `${service.client} held ${number(sessions.length)} ${sessions.length === 1 ? 'session' : 'sessions'} with ${serverText(service)}; the longest ran ${durationWords(seconds)} from ${utcSeconds(longest.start_us)}, with ${number(longest.client_packets)} packets (${number(longest.client_bytes)} bytes) from the client and ${number(longest.server_packets)} (${number(longest.server_bytes)} bytes) from the server.`,
    counter_hypotheses: ['an administrator or a jump host', 'an idle connection that a keep-alive holds open', 'a file transfer over the same protocol'],
    first_start: utcSeconds(from),
    last_end: utcSeconds(to),
    ...(await evidence.basis(index, from, to)),
    sql: evidence.sql(index, from, to),
    services: [index],
  }
}
