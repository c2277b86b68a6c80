/** The role and the service of every record, from the connections of the whole case. */
import { hasPorts } from '../net/protocols.ts'
import { noConnection } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { ruleOf } from './ladder.ts'
import { link } from './parts.ts'

/** By place in the index, for threads to fill. */
export interface RecordAnswers {
  /** Bytes: `recordRole`. */
  roles: SharedArrayBuffer
  /** Numbers of 32 bits: port, and above it the protocol; `noService` where it is not known. */
  services: SharedArrayBuffer
}

/** Whether the source of a record is its connection's client. */
export const recordRole = { server: 0, client: 1, unknown: 2, noConnection: 3 } as const
export const noService = 0xffff_ffff

const unknownRule = ruleOf('unknown')
const firstSeenRule = ruleOf('first-seen')

/** @param places of the records in the index. */
export function answerRecords(
  judged: Judged,
  legs: Judged,
  links: Uint32Array,
  places: Uint32Array,
  answers: RecordAnswers,
): void {
  const roles = new Uint8Array(answers.roles)
  const services = new Uint32Array(answers.services)
  const { count } = judged.table
  for (let row = 0; row < links.length; row++) {
    const one = links[row]!
    const place = places[row]!
    if (one === noConnection) {
      roles[place] = recordRole.noConnection
      continue
    }
    const number = one & link.connection
    const [of, connection] = number < count ? [judged, number] : [legs, number - count]
    roles[place] = roleOf(of, connection, one)
    services[place] = serviceOfConnection(of, connection)
  }
}

function roleOf({ roles }: Judged, connection: number, one: number): number {
  const rule = roles.rule[connection]!
  // Of ICMP in packets the type says who asks, where the ladder has no more than who was seen first.
  if (rule >= firstSeenRule && (one & link.isIcmp) !== 0) return Number((one & link.icmpAsks) !== 0)
  if (rule === unknownRule) return recordRole.unknown
  return Number(roles.client[connection] === (one >= link.forward ? 0 : 1))
}

/** A service is that of the server's port. Where nobody knows which end that is, both may have the same port. */
function serviceOfConnection({ table, roles }: Judged, connection: number): number {
  const protocol = table.protocol(connection)
  if (protocol === null) return noService
  if (!hasPorts(protocol)) return protocol * 65536
  const ports = [table.port(connection, 0), table.port(connection, 1)] as const
  const port =
    roles.rule[connection] !== unknownRule
      ? ports[roles.client[connection] === 0 ? 1 : 0]
      : ports[0] === ports[1]
        ? ports[0]
        : null
  return port === null ? noService : protocol * 65536 + port
}
