/** What a control does to a recorded connection. */
import type { CaseConnections } from '../conversations/connections.ts'

export const passes = 0
export const stopped = 1
/** Its answers are stopped; what the client sends arrives all the same. */
export const answersStopped = 2
/** From it on, a reason why it cannot be decided: `reasons[verdict - undecided]`. */
export const undecided = 3

export interface Judge {
  /** Why some cannot be decided; grows while connections are judged. */
  readonly reasons: readonly string[]
  /** @param all a piece, in whose order connections are judged. @returns `passes`, `stopped`, `answersStopped`, or `undecided` and more. */
  of(all: CaseConnections, i: number): number
}

/** Several at once: what one of them stops is stopped; what all let through passes. */
export class JudgeOfAll implements Judge {
  readonly reasons: string[] = []
  private readonly judges: readonly Judge[]

  constructor(judges: readonly Judge[]) {
    this.judges = judges
  }

  of(all: CaseConnections, i: number): number {
    let verdict = passes
    // Each must see every connection: those of rates count them.
    for (const judge of this.judges) {
      const one = judge.of(all, i)
      if (one === stopped || verdict === passes)
        verdict = one < undecided ? one : this.numberOf(judge.reasons[one - undecided]!)
      else if (one === answersStopped && verdict !== stopped) verdict = answersStopped
    }
    return verdict
  }

  private numberOf(reason: string): number {
    const known = this.reasons.indexOf(reason)
    return undecided + (known >= 0 ? known : this.reasons.push(reason) - 1)
  }
}
