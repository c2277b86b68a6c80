/** What a control does to recorded connections. */
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
  /** Writes a verdict for each connection of a piece: `passes`, `stopped`, `answersStopped`, or `undecided` and more. */
  judge(all: CaseConnections, into: Uint32Array): void
}

/** Several at once: what one of them stops is stopped; what all let through passes. */
export class JudgeOfAll implements Judge {
  readonly reasons: string[] = []
  private readonly judges: readonly Judge[]

  constructor(judges: readonly Judge[]) {
    this.judges = judges
  }

  judge(all: CaseConnections, into: Uint32Array): void {
    into.fill(passes)
    const verdicts = new Uint32Array(all.count)
    for (const one of this.judges) {
      one.judge(all, verdicts)
      for (let i = 0; i < all.count; i++) {
        const verdict = verdicts[i]!
        if (verdict === passes || into[i] === stopped) continue
        if (verdict < undecided) into[i] = verdict
        else if (into[i] === passes) into[i] = this.numberOf(one.reasons[verdict - undecided]!)
      }
    }
  }

  private numberOf(reason: string): number {
    const known = this.reasons.indexOf(reason)
    return undecided + (known >= 0 ? known : this.reasons.push(reason) - 1)
  }
}

/** What stops nothing, as an alarm. */
export const letsAllPass: Judge = { reasons: [], judge: (_, into) => void into.fill(passes) }
