/** What the protected hosts did, in the attack and besides. */
import { outcome } from '../conversations/connections.ts'
import type { ControlsAnswer, ProtectedHost } from './control.ts'
import { markedHosts, others, type Traffic } from './traffic.ts'
import { addressOf, isLowerBound, Sum, shownSum } from './trial.ts'

/** Hosts that are listed. */
const listedMost = 1000

/** In the order of their addresses. A connection of two of them counts for each. */
export function protectedHosts(
  traffic: Traffic,
  hasSizes: boolean,
): Pick<ControlsAnswer, 'protected' | 'protected_total'> {
  const { protected: isProtected, marks, pieces } = traffic
  const listed = markedHosts(isProtected)
  const sums = new Map(listed.slice(0, listedMost).map(host => [host, [new Sum(), new Sum()] as const]))
  const lowerBounds = new Set<number>()
  for (const { connections, attack } of pieces) {
    const { client, server, count } = connections
    for (let i = 0; i < count; i++) {
      if (attack[i] === others || connections.outcome[i] === outcome.rejected) continue
      const which = attack[i] as 0 | 1
      if (isLowerBound(connections, i)) for (const host of [client[i]!, server[i]!]) lowerBounds.add(host)
      sums.get(client[i]!)?.[which].add(connections, i, true)
      if (server[i] !== client[i]) sums.get(server[i]!)?.[which].add(connections, i, false)
    }
  }
  const hosts = [...sums].map(
    ([host, [innocent, attack]]): ProtectedHost => ({
      address: addressOf(traffic, host),
      is_subject: marks.subject[host] === 1,
      attack: shownSum(attack, hasSizes),
      innocent: shownSum(innocent, hasSizes),
      at_least: lowerBounds.has(host),
    }),
  )
  return { protected: hosts, protected_total: listed.length }
}
