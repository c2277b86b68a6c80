/** What protected hosts did without the attack: the services that they give, and who administers them. */
import { sessions } from '../rules/d08-long-session.ts'
import type { AlarmRequest } from './alarm-request.ts'
import { isOfAttack } from './traffic.ts'
import type { Use } from './uses.ts'

export interface Habits {
  /** Ports on which they answered others than the attack, those with the most connections first. */
  served: number[]
  /** Ports of administration on which somebody worked, in order. */
  administered: number[]
  /** Whether administrators are only those who worked before the incident. */
  isBefore: boolean
  /** Numbers of those who worked there, the attack aside, those with the most sessions first. */
  administrators: number[]
  /** Most packets that a client sent there in a connection that is no session: probes, and guesses. */
  probePackets: number
  /** Numbers of the internal hosts that they called. */
  called: number[]
}

/** Ports whose purpose is to work on another machine. */
export const administrationPorts: readonly number[] = sessions.thresholds.remoteWorkPorts
const isAdministrative = new Set<number | null>(administrationPorts)

/** Of fewer connections it may be a guess who began them. */
const servedMin = 3

/** @param isBefore whether administrators are only those who worked before the incident: enough is recorded of the time before. */
export function habitsOf({ traffic, uses }: Pick<AlarmRequest, 'traffic' | 'uses'>, isBefore: boolean): Habits {
  const [served, administrators] = [new Map<number, number>(), new Map<number, number>()]
  const administered = new Set<number>()
  const called = new Set<number>()
  for (const { client, server, port, isAttack, isUnclear, ...use } of uses) {
    if (isUnclear) continue
    if (!isAttack && traffic.isProtected(client) && traffic.isInternal(server)) called.add(server)
    if (port === null || !traffic.isProtected(server)) continue
    if (isAdministrative.has(port) && use.sessions > 0) administered.add(port)
    if (isAttack) continue
    if (use.served > 0) add(served, port, use.served)
    const worked = workedIn(use, isBefore)
    if (isAdministrative.has(port) && worked > 0) add(administrators, client, worked)
  }
  return {
    isBefore,
    served: most(served).flatMap(([port, connections]) => (connections < servedMin ? [] : [port])),
    administered: [...administered].sort((a, b) => a - b),
    administrators: most(administrators).map(([host]) => host),
    probePackets: probesIn(traffic, isBefore, administrators),
    called: [...called].sort((a, b) => a - b),
  }
}

function workedIn(
  { sessions: all, sessionsBefore }: Pick<Use, 'sessions' | 'sessionsBefore'>,
  isBefore: boolean,
): number {
  return isBefore ? sessionsBefore : all
}

/** Of connections of those who never worked. */
function probesIn(
  { pieces, isProtected, incident }: AlarmRequest['traffic'],
  isBefore: boolean,
  administrators: ReadonlyMap<number, number>,
): number {
  const before_us = isBefore && incident !== null ? incident.from_us : Number.POSITIVE_INFINITY
  let most = 0
  for (const { connections, attack } of pieces) {
    const { count, client, server, port, start_us, packetsUp } = connections
    for (let i = 0; i < count; i++) {
      if (
        isOfAttack(attack[i]!) ||
        packetsUp[i]! <= most ||
        !isAdministrative.has(port[i]!) ||
        !isProtected(server[i]!)
      )
        continue
      if (start_us[i]! < before_us && !administrators.has(client[i]!)) most = packetsUp[i]!
    }
  }
  return most
}

function most(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
}

function add(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}
