/** The connections that controls are recommended from and tried on: those of the protected hosts, and which of them are the attack. */
import { type CaseConnections, type ConnectionColumn, connectionColumns } from '../conversations/connections.ts'
import type { RecordDictionaries } from '../record-index/block.ts'

/** A service of an internal subject, in a time that a finding speaks of, microseconds: the attack of a host that was taken over. */
export interface AttackService {
  client: number
  server: number
  /** As the columns have them: `noPort`, `noProtocol` where there is none. */
  port: number
  protocol: number
  from_us: number
  to_us: number
}

/** What tells the attack from the rest. Marks are by host, as `marksOf`. */
export interface AttackMarks {
  subject: Uint8Array
  internal: Uint8Array
  services: readonly AttackService[]
}

/** Connections in columns (`trafficColumns`, the others have no rows), those of a client in one piece and in their order. */
export interface Piece {
  connections: CaseConnections
  /** 1: of the attack; 0: of a protected host besides; `others`: of hosts that are not protected. */
  attack: Uint8Array
}

export const others = 2

/** By a connection's mark in `Piece.attack`. */
export function isOfAttack(mark: number): boolean {
  return mark === 1
}

export interface Traffic {
  hosts: RecordDictionaries['hosts']
  /** By host: 1 where it is protected. */
  protected: Uint8Array
  /** By host: 1 where its connections were asked for besides. */
  others: Uint8Array
  marks: AttackMarks
  /** Connections of protected hosts, and of others that were asked for: those that were let through, if not all were asked for. */
  pieces: Piece[]
  /** Connections of the subject with internal hosts all of whose records were rejected: they moved no data. */
  rejected: number
}

/** By host: 1 where it is on the inner side of a connection with that mark in `Piece.attack`: a protected host, or of others' connections one of them. */
export function innerHosts({ protected: isProtected, others: isOther }: Traffic, mark: number): Uint8Array {
  return mark === others ? isOther : isProtected
}

/** What is read of them. */
export const trafficColumns: readonly ConnectionColumn[] = connectionColumns.filter(name => name !== 'confidence')

/** Whether a connection is of the attack: the subject's, or of an internal subject one that a finding rests on. */
export class Attack {
  private readonly marks: AttackMarks
  private readonly byEnds = new Map<number, AttackService[]>()

  constructor(marks: AttackMarks) {
    this.marks = marks
    for (const one of marks.services) {
      const key = this.keyOf(one.client, one.server)
      const some = this.byEnds.get(key)
      if (some === undefined) this.byEnds.set(key, [one])
      else some.push(one)
    }
  }

  /** @param all with the columns of ends; those of service and time where a subject is internal. */
  has(all: CaseConnections, i: number): boolean {
    const { subject, internal } = this.marks
    const [client, server] = [all.client[i]!, all.server[i]!]
    const [isClient, isServer] = [subject[client] === 1, subject[server] === 1]
    if (!isClient && !isServer) return false
    if ((isClient && internal[client] === 0) || (isServer && internal[server] === 0)) return true
    const services = this.byEnds.get(this.keyOf(client, server))
    if (services === undefined) return false
    return services.some(
      one =>
        one.port === all.port[i]! &&
        one.protocol === all.protocol[i]! &&
        all.start_us[i]! <= one.to_us &&
        all.end_us[i]! >= one.from_us,
    )
  }

  private keyOf(client: number, server: number): number {
    return client * this.marks.subject.length + server
  }
}

/** The hosts that are marked, in order. */
export function markedHosts(marks: Uint8Array): number[] {
  const hosts: number[] = []
  for (let host = marks.indexOf(1); host >= 0; host = marks.indexOf(1, host + 1)) hosts.push(host)
  return hosts
}
