import { durationWords, utcSeconds } from '../net/time.ts'
import { sql } from '../query/sql.ts'
import type { Draft, Evidence } from './rule.ts'
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
    if (service.protocol !== 6 || service.outcome !== 'answered' || service.longest_seconds < remoteWorkSeconds)
      continue
    const remoteWork = remoteWorkPorts.has(service.port ?? 0)
    const sessions = await sessionsOf(evidence, index, remoteWork)
    if (sessions) drafts.push(await draft(evidence, index, sessions, remoteWork))
  }
  return drafts
}

interface Sessions {
  count: number
  from_us: number
  to_us: number
  longest: {
    start_us: number
    seconds: number
    client_packets: number
    client_bytes: number
    server_packets: number
    server_bytes: number
  }
}

async function sessionsOf(evidence: Evidence, index: number, remoteWork: boolean): Promise<Sessions | null> {
  const seconds = remoteWork ? remoteWorkSeconds : anySeconds
  const pace = remoteWork
    ? sql`true`
    : sql`client_packets * 60000000.0 / (end_us - start_us) BETWEEN ${packetsPerMinute[0]} AND ${packetsPerMinute[1]}
        AND client_bytes <= 200 * client_packets AND server_bytes <= 400 * server_packets`
  const [row] =
    await evidence.run(sql`SELECT *, count(*) OVER () AS n, min(start_us) OVER () AS from_us, max(end_us) OVER () AS to_us FROM judged
    WHERE service = ${index} AND client_accepted > 0 AND server_accepted > 0 AND end_us - start_us >= ${seconds * 1_000_000} AND ${pace}
    ORDER BY end_us - start_us DESC, start_us LIMIT 1`)
  if (!row) return null
  const at = (name: string): number => Number(row[name])
  return {
    count: at('n'),
    from_us: at('from_us'),
    to_us: at('to_us'),
    longest: {
      start_us: at('start_us'),
      seconds: (at('end_us') - at('start_us')) / 1e6,
      client_packets: at('client_packets'),
      client_bytes: at('client_bytes'),
      server_packets: at('server_packets'),
      server_bytes: at('server_bytes'),
    },
  }
}

async function draft(evidence: Evidence, index: number, sessions: Sessions, remoteWork: boolean): Promise<Draft> {
  const service = evidence.services[index]!
  const { from_us: from, to_us: to, longest } = sessions
  const name = service.name ? `${service.name.toUpperCase()} ` : ''
  return {
    rule: 'interactive-session',
    title: `Interactive ${remoteWork ? name : ''}session on ${serverText(service)}`,
    severity: remoteWork ? 'high' : 'medium',
    confidence: lowered(remoteWork ? 'high' : 'medium', service),
    technique: service.port === 22 ? 'T1021.004' : service.port === 3389 ? 'T1021.001' : 'T1021',
    technique_name:
      service.port === 22
        ? 'Remote Services: SSH'
        : service.port === 3389
          ? 'Remote Services: Remote Desktop Protocol'
          : 'Remote Services',
    summary: `${service.client} held ${number(sessions.count)} ${sessions.count === 1 ? 'session' : 'sessions'} with ${serverText(service)}; the longest ran ${durationWords(longest.seconds)} from ${utcSeconds(longest.start_us)}, with ${number(longest.client_packets)} packets (${number(longest.client_bytes)} bytes) from the client and ${number(longest.server_packets)} (${number(longest.server_bytes)} bytes) from the server.`,
    counter_hypotheses: [
      'an administrator or a jump host',
      'an idle connection that a keep-alive holds open',
      'a file transfer over the same protocol',
    ],
    first_start: utcSeconds(from),
    last_end: utcSeconds(to),
    ...(await evidence.basis(index, from, to)),
    sql: evidence.sql(index, from, to),
    services: [index],
  }
}
