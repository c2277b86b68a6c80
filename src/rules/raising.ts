/** What one finding says of another. */
import type { CaseConnections } from './connections.ts'
import { bruteForce } from './d02-brute-force.ts'
import { spray } from './d02-spray.ts'
import { sessions } from './d08-long-session.ts'
import { exposed } from './d18-exposed-service.ts'
import type { CaseDraft } from './rule.ts'

/** Who guessed at a service of whom. */
export interface Guess {
  actors: readonly number[]
  victim: number
  port: number
}

/** Whether a rule tells of guesses. */
export function isOfGuesses(rule: string): boolean {
  return rule === bruteForce.name || rule === spray.name
}

/** What a finding says of guesses; null where it says nothing. */
export function guessIn(
  { draft, rule, severity }: { draft: CaseDraft; rule: string; severity: CaseDraft['severity'] },
  { port }: CaseConnections,
): Guess | null {
  if (!isOfGuesses(rule) || severity === 'info') return null
  return { actors: draft.subject, victim: draft.peers[0]!, port: port[draft.connections[0]!]! }
}

/** A session, or an open service, that somebody guessed at is graver: from the same client, or at the same service. */
export class Guesses {
  private readonly pairs = new Set<string>()
  private readonly services = new Set<string>()

  constructor(some: Iterable<Guess>) {
    for (const { actors, victim, port } of some) {
      for (const actor of actors) this.pairs.add(`${actor} ${victim}`)
      this.services.add(`${victim} ${port}`)
    }
  }

  makeGraver(
    { rule, subject, peers, port }: { rule: string; port: number } & Pick<CaseDraft, 'subject' | 'peers'>,
    isScanner: (host: number) => boolean,
  ): boolean {
    const isOfPair = (actor: number, victim: number): boolean => this.pairs.has(`${actor} ${victim}`)
    if (rule === sessions.name) return !isScanner(subject[0]!) && isOfPair(subject[0]!, peers[0]!)
    if (rule !== exposed.name) return false
    return this.services.has(`${subject[0]} ${port}`) || peers.some(peer => isOfPair(peer, subject[0]!))
  }
}
