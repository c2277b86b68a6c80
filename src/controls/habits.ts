/** What protected hosts did without the attack: the services that they give, and who administers them. */
import { type CaseConnections, type ConnectionColumn, outcome } from '../conversations/connections.ts'
import { isHeld } from '../conversations/host-facts.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import { sessions } from '../rules/d08-long-session.ts'
import { roleConfidenceMin } from '../rules/rule.ts'

/** By host: 1 where it is one, else 0. */
export interface Marks {
  isProtected: Uint8Array
  isSubject: Uint8Array
  isInternal: Uint8Array
}

export interface Habits {
  /** Ports on which they answered others than the subject, those with the most connections first. */
  served: number[]
  /** Ports of administration on which they answered anyone, in order. */
  administered: number[]
  /** Who held sessions on those, the subject aside, those with the most first. */
  administrators: { host: number; connections: number }[]
  /** Most packets that a client sent there in a connection that was let through and is no session: probes of scanners. */
  probePackets: number
  /** Numbers of the internal hosts that they called. */
  called: number[]
}

const columns: readonly ConnectionColumn[] = [
  ...(['client', 'server', 'port', 'protocol', 'start_us', 'outcome', 'confidence'] as const),
  ...(['packetsUp', 'packetsDown', 'bytesUp', 'bytesDown'] as const),
]

/** Ports whose purpose is to work on another machine. */
export const administrationPorts: readonly number[] = sessions.thresholds.remoteWorkPorts
const isAdministrative = new Set(administrationPorts)

/** Fewer connections may be a guess of who began them. */
const servedMin = 3

/** The connections of protected hosts, block by block. */
export class HabitNotes {
  readonly columns = columns
  private readonly marks: Marks
  private readonly before_us: number
  private readonly served = new Map<number, number>()
  private readonly administered = new Set<number>()
  private readonly administrators = new Map<number, number>()
  private readonly called = new Set<number>()
  private probePackets = 0

  /**
   * @param before_us administrators are those of connections that begin before it: the begin of the incident, or infinite where nothing is
   * recorded of the time before.
   */
  constructor(marks: Marks, before_us: number) {
    this.marks = marks
    this.before_us = before_us
  }

  /** Whether a block has connections of the hosts. Of connections only `client` and `server` are read. */
  concerns({ count, client, server }: Pick<CaseConnections, 'count' | 'client' | 'server'>): boolean {
    const { isProtected } = this.marks
    for (let i = 0; i < count; i++) if (isProtected[server[i]!] === 1 || isProtected[client[i]!] === 1) return true
    return false
  }

  note(all: CaseConnections): void {
    const { isProtected, isSubject, isInternal } = this.marks
    const { count, client: clients, server: servers } = all
    for (let i = 0; i < count; i++) {
      const [client, server] = [clients[i]!, servers[i]!]
      if (isProtected[client] === 1 && isInternal[server] === 1 && isSubject[server] === 0) this.called.add(server)
      if (isProtected[server] === 1) this.noteServed(all, i, isSubject[client] === 1)
    }
  }

  private noteServed(all: CaseConnections, i: number, isAttack: boolean): void {
    const port = all.port[i]!
    const isSession = isHeld(all, i)
    if (isSession && isAdministrative.has(port)) this.administered.add(port)
    if (isAttack) return
    if (all.outcome[i] === outcome.answered && all.confidence[i]! >= 100 * roleConfidenceMin) add(this.served, port)
    if (!isAdministrative.has(port) || all.start_us[i]! >= this.before_us) return
    if (isSession) add(this.administrators, all.client[i]!)
    else this.probePackets = Math.max(this.probePackets, all.packetsUp[i]!)
  }

  habits(): Habits {
    return {
      served: most(this.served)
        .filter(([port, connections]) => connections >= servedMin && port <= 65_535)
        .map(([port]) => port),
      administered: [...this.administered].sort((a, b) => a - b),
      administrators: most(this.administrators).map(([host, connections]) => ({ host, connections })),
      probePackets: this.probePackets,
      called: [...this.called].sort((a, b) => a - b),
    }
  }
}

/** What the hosts did, by the connections that the case has kept. @param before_us see `HabitNotes`. */
export function habitsOf(kept: KeptConnections, marks: Marks, before_us: number): Habits {
  const notes = new HabitNotes(marks, before_us)
  for (let block = 0; block < kept.blocks; block++)
    if (notes.concerns(kept.read(block, ['client', 'server']))) notes.note(kept.read(block, notes.columns))
  return notes.habits()
}

function most(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
