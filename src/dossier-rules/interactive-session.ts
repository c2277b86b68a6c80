import { durationWords, utcSeconds } from '../net/time.ts'
import { rawSql, sql } from '../query/sql.ts'
import { number } from '../rules/words.ts'
import {
  type Draft,
  type Evidence,
  type Found,
  type FoundService,
  findingsMax,
  type Rule,
  roleConfidenceMin,
} from './rule.ts'
import { lowered, serverText } from './words.ts'

const thresholds = {
  /** Ports whose purpose is to work on another machine. */
  remoteWorkPorts: [22, 23, 513, 514, 3389, 5900, 5901, 5985, 5986] as readonly number[],
  /** A session there is interactive from so long on: a command that is run from afar is done before. */
  remoteWorkSeconds: 120,
  /** Elsewhere. */
  anySeconds: 15 * 60,
  /** Client packets a minute, the pace of a person. */
  paceMin: 1,
  paceMax: 60,
  /** Bytes of a packet on average: keystrokes one way, a screen's changes the other; more is a transfer. */
  clientBytesMax: 200,
  serverBytesMax: 400,
  roleConfidenceMin,
}
type Limits = typeof thresholds

/** Sessions at the pace of a person. */
export const interactiveSession: Rule<Limits> = { name: 'interactive-session', thresholds, find }

async function find(evidence: Evidence, limits: Limits): Promise<Found> {
  const rows = await sessionRows(evidence, limits)
  const drafts = rows.map(row => {
    const index = Number(row['service'])
    return draft(evidence, { index, service: evidence.service(index)! }, sessionsOf(row), limits)
  })
  return { drafts, left: Number(rows[0]?.['found'] ?? 0) - rows.length }
}

interface Sessions {
  count: number
  from_us: number
  to_us: number
  longest: {
    start_us: number
    seconds: number
    /** Null where no record says how many. */
    client_packets: number | null
    client_bytes: number | null
    server_packets: number | null
    server_bytes: number | null
  }
}

/** The longest session of each service that has some, with what they are together; the longest of all if there are too many. */
async function sessionRows(evidence: Evidence, limits: Limits): Promise<Record<string, unknown>[]> {
  const { remoteWorkPorts, paceMin, paceMax, clientBytesMax, serverBytesMax } = limits
  const [remote_us, any_us] = [limits.remoteWorkSeconds * 1_000_000, limits.anySeconds * 1_000_000]
  const remoteWork = rawSql(`coalesce(list_contains([${remoteWorkPorts.join(', ')}]::INTEGER[], service_port), false)`)
  const candidates = await evidence.numbersOf(
    sql`protocol = 6 AND outcome = 'answered' AND longest_us >= CASE WHEN ${remoteWork} THEN ${remote_us} ELSE ${any_us} END`,
  )
  if (candidates.length === 0) return []
  await evidence.connectionsOf(candidates)
  return evidence.run(sql`WITH session AS (
      SELECT judged.*, end_us - start_us AS long_us FROM judged JOIN (SELECT service, ${remoteWork} AS remote FROM service) USING (service)
      WHERE client_accepted > 0 AND server_accepted > 0 AND CASE WHEN remote THEN end_us - start_us >= ${remote_us}
        ELSE end_us - start_us >= ${any_us}
          AND client_packets * 60000000.0 / (end_us - start_us) BETWEEN ${paceMin} AND ${paceMax}
          AND client_bytes <= ${clientBytesMax} * client_packets AND server_bytes <= ${serverBytesMax} * server_packets END),
    longest AS (
      SELECT *, count(*) OVER all_of AS n, min(start_us) OVER all_of AS from_us, max(end_us) OVER all_of AS to_us
      FROM session WINDOW all_of AS (PARTITION BY service)
      QUALIFY row_number() OVER (PARTITION BY service ORDER BY long_us DESC, start_us) = 1)
    SELECT * FROM (SELECT *, count(*) OVER () AS found FROM longest ORDER BY long_us DESC, service LIMIT ${findingsMax}) ORDER BY service`)
}

function sessionsOf(row: Record<string, unknown>): Sessions {
  const at = (name: string): number => Number(row[name])
  const sum = (name: string): number | null => (row[name] === null ? null : at(name))
  return {
    count: at('n'),
    from_us: at('from_us'),
    to_us: at('to_us'),
    longest: {
      start_us: at('start_us'),
      seconds: (at('end_us') - at('start_us')) / 1e6,
      client_packets: sum('client_packets'),
      client_bytes: sum('client_bytes'),
      server_packets: sum('server_packets'),
      server_bytes: sum('server_bytes'),
    },
  }
}

function draft(evidence: Evidence, { index, service }: FoundService, sessions: Sessions, limits: Limits): Draft {
  const remoteWork = limits.remoteWorkPorts.includes(service.port ?? 0)
  const { from_us: from, to_us: to, longest } = sessions
  const name = service.name ? `${service.name.toUpperCase()} ` : ''
  return {
    rule: interactiveSession.name,
    title: `Interactive ${remoteWork ? name : ''}session on ${serverText(service)}`,
    severity: remoteWork ? 'high' : 'medium',
    confidence: lowered(remoteWork ? 'high' : 'medium', service, limits.roleConfidenceMin),
    ...techniqueOf(service.port, remoteWork),
    summary: `${service.client} held ${number(sessions.count)} ${sessions.count === 1 ? 'session' : 'sessions'} with ${serverText(service)}; the longest ran ${durationWords(longest.seconds)} from ${utcSeconds(longest.start_us)}, with ${number(longest.client_packets)} packets (${number(longest.client_bytes)} bytes) from the client and ${number(longest.server_packets)} (${number(longest.server_bytes)} bytes) from the server.`,
    counter_hypotheses: [
      'an administrator or a jump host',
      'an idle connection that a keep-alive holds open',
      'a file transfer over the same protocol',
    ],
    first_start: utcSeconds(from),
    last_end: utcSeconds(to),
    ...evidence.basis(index, sessions),
    sql: evidence.sql(service, sessions),
    services: [index],
  }
}

/** Elsewhere than on a port for remote work nobody knows what the session is. */
function techniqueOf(port: number | null, remoteWork: boolean): Pick<Draft, 'technique' | 'technique_name'> {
  if (!remoteWork) return { technique: null, technique_name: null }
  if (port === 22) return { technique: 'T1021.004', technique_name: 'Remote Services: SSH' }
  if (port === 3389) return { technique: 'T1021.001', technique_name: 'Remote Services: Remote Desktop Protocol' }
  return { technique: 'T1021', technique_name: 'Remote Services' }
}
