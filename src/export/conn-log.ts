/** Connections as Zeek's conn.log. */
import { type ConnLogRow, connLogHead, connLogLine, connLogUid } from '../convert/conn-log.ts'
import { TCP } from '../net/protocols.ts'
import { communityOf } from './community.ts'
import type { ExportedConnection, Printer } from './items.ts'

export function connLogPrinter(): Printer {
  let rows = 0
  return {
    begin: () => connLogHead,
    connection: connection => connLogLine(rowOf(connection, ++rows)),
  }
}

function rowOf(c: ExportedConnection, row: number): ConnLogRow {
  // Packets that were rejected are in no sum, and Zeek would have seen them: what a side sent is unknown then.
  const isUnknown = c.rejected > 0 && c.outcome === 'rejected'
  const sent = (value: number | null): number | null => (isUnknown ? null : value)
  return {
    ...{ first: c.start_us, uid: connLogUid(row, 0), orig: c.client, resp: c.server },
    ...{ origPort: c.client_port, respPort: c.port, protocol: c.protocol },
    duration: c.end_us > c.start_us ? c.end_us - c.start_us : null,
    ...{ origBytes: null, respBytes: null, state: stateOf(c), history: null, tunnel: null },
    ...{ localOrig: c.client_internal, localResp: c.server_internal, communityId: communityOf(c) },
    ...{ origPackets: sent(c.packets_to_server), origIpBytes: sent(c.bytes_to_server) },
    ...{ respPackets: c.packets_to_client, respIpBytes: c.bytes_to_client },
  }
}

/** What the records show for certain: a FIN is not told from a RST, nor its side. */
function stateOf({ protocol, outcome, opened, accepted, closed }: ExportedConnection): string | null {
  if (protocol !== TCP || !opened) return null
  if (outcome === 'unanswered' || outcome === 'rejected') return 'S0'
  if (outcome === 'refused') return 'REJ'
  return accepted && !closed ? 'S1' : null
}
