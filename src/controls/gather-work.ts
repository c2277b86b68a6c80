/** The steps of gathering the connections that controls are tried on, each for a thread of its own or for the only one: a block at a time. */
import { type CaseConnections, makeConnections, outcome, taken } from '../conversations/connections.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import type { Does } from '../store/crew.ts'
import { Attack, type AttackMarks, others, type Piece, trafficColumns } from './traffic.ts'

/** What all threads know: what is long in common memory. */
export interface GatherSettings {
  marks: AttackMarks
  /** By host: 1 where it is protected. Filled by `protect`; whole when that is done. */
  protected: Uint8Array
  /** By host: 1 where it is no protected one, but its connections are wanted too. Filled between the steps. */
  others: Uint8Array
  /** Whether those that were rejected are taken too. */
  withRejected: boolean
}

export interface TakenBlock extends Piece {
  rejected: number
}

export interface GatherSteps {
  /** Marks the hosts that the attack reached. @returns how many connections of the attack the block has. */
  protect: { given: number; done: number }
  /** Takes the connections of protected hosts. Null: there are none. */
  take: { given: number; done: TakenBlock | null }
}

export class GatherWork implements Does<GatherSteps> {
  private readonly settings: GatherSettings
  private readonly kept: KeptConnections
  private readonly attack: Attack

  constructor(settings: GatherSettings, kept: KeptConnections) {
    this.settings = settings
    this.kept = kept
    this.attack = new Attack(settings.marks)
  }

  async does<Step extends keyof GatherSteps>(
    step: Step,
    given: GatherSteps[Step]['given'],
  ): Promise<GatherSteps[Step]['done']> {
    const steps: { [One in keyof GatherSteps]: (block: number) => GatherSteps[One]['done'] } = {
      protect: block => this.protect(block),
      take: block => this.take(block),
    }
    return steps[step](given)
  }

  private protect(block: number): number {
    const { marks, protected: isProtected } = this.settings
    const mine = this.rowsWith(block, marks.subject)
    if (mine.length === 0) return 0
    const all = taken(this.read(block), mine)
    let found = 0
    for (let i = 0; i < all.count; i++) {
      if (all.outcome[i] === outcome.rejected || !this.attack.has(all, i)) continue
      found++
      for (const host of [all.client[i]!, all.server[i]!]) if (marks.internal[host] === 1) isProtected[host] = 1
    }
    return found
  }

  private take(block: number): TakenBlock | null {
    const { marks, protected: isProtected, others: isOther, withRejected } = this.settings
    const some = this.rowsWith(block, isProtected, marks.subject, isOther)
    if (some.length === 0) return null
    const all = taken(this.read(block), some)
    const attack = new Uint8Array(all.count)
    const chosen = new Uint32Array(all.count)
    let [count, rejected] = [0, 0]
    for (let i = 0; i < all.count; i++) {
      const isAttack = this.attack.has(all, i)
      const [client, server] = [all.client[i]!, all.server[i]!]
      if (all.outcome[i] === outcome.rejected) {
        if (isAttack && (marks.internal[client] === 1 || marks.internal[server] === 1)) rejected++
        if (!withRejected) continue
      }
      const isMine = isProtected[client] === 1 || isProtected[server] === 1
      if (!isMine && isOther[client] === 0 && isOther[server] === 0) continue
      attack[count] = isMine ? Number(isAttack) : others
      chosen[count++] = i
    }
    return { connections: taken(all, chosen.subarray(0, count)), attack: attack.slice(0, count), rejected }
  }

  /** The rows of a block one of whose ends has one of some marks. */
  private rowsWith(block: number, ...marks: Uint8Array[]): Uint32Array {
    const { count, client, server } = this.kept.read(block, ['client', 'server'])
    const rows = new Uint32Array(count)
    let length = 0
    const isMarked = (host: number): boolean => {
      for (const some of marks) if (some[host] === 1) return true
      return false
    }
    for (let i = 0; i < count; i++) if (isMarked(client[i]!) || isMarked(server[i]!)) rows[length++] = i
    return rows.subarray(0, length)
  }

  private read(block: number): CaseConnections {
    return this.kept.rowsOf(block) === 0 ? makeConnections(0) : this.kept.read(block, trafficColumns)
  }
}
