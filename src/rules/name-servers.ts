/** What the rules for name servers ask alike. */
import type { Run } from './connections.ts'
import { type CaseEvidence, isAtLeast } from './evidence.ts'

/** The thresholds by which an internal resolver is told, each with its reason. */
export const resolverLimits = {
  dnsClientsMin: [2, 'hosts whose queries it answered, from which on a host is taken for a resolver itself'],
  dnsServersMin: [50, 'name servers outside that it asks, from which on it is taken for one, too'],
} as const

/** Whether a client answers queries of others, or goes from server to server as only resolvers do. */
export function isResolver(
  { connections, isInternal, dnsClients }: CaseEvidence,
  { from, to }: Run,
  limits: { dnsClientsMin: number; dnsServersMin: number },
): boolean {
  const { client, server, port } = connections
  if (isAtLeast(dnsClients(client[from]!), limits.dnsClientsMin)) return true
  const asked = new Set<number>()
  for (let i = from; i < to && asked.size < limits.dnsServersMin; i++)
    if (port[i] === 53 && !isInternal(server[i]!)) asked.add(server[i]!)
  return asked.size >= limits.dnsServersMin
}
