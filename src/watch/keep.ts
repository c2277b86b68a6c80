/** Removes days that are older than is to be kept: only cases that this watch made. */
import { rename } from 'node:fs/promises'
import { removeNode } from '../disk/writing.ts'
import { errorText } from '../errors.ts'
import { writerOf } from '../store/lock.ts'
import { type Day, dayAt, daysAfter, type HeldDay } from './days.ts'
import { caseOfDay, leavingCase } from './layout.ts'
import type { Outbox } from './outbox.ts'
import type { Seen } from './seen.ts'
import type { LookedDays } from './state.ts'

/** A clock that was set by more than this has jumped, milliseconds. */
const jumpMilliseconds = 3_600_000
const restAfterJump = 24 * 3_600_000

export class Keeping {
  private readonly days: number | null
  private readonly now: () => number
  private readonly onNote: (text: string) => void
  /** Clock less the time that this process has run. */
  private offset: number
  private restsUntil = 0

  /** @param days to keep, the newest one included; null: all. */
  constructor(days: number | null, now: () => number, onNote: (text: string) => void) {
    this.days = days
    this.now = now
    this.onNote = onNote
    this.offset = now() - performance.now()
  }

  /** The first day that is kept; null: all are. By the clock or by the newest day that there is, whichever is earlier. */
  oldest(days: Iterable<Day>): Day | null {
    if (this.days === null) return null
    const newest = [...days].reduce((most, day) => (day > most ? day : most), '')
    const today = dayAt(this.now())
    return daysAfter(newest !== '' && newest < today ? newest : today, 1 - this.days)
  }

  /** A clock that jumps must not remove anything. */
  private isClockSound(): boolean {
    const offset = this.now() - performance.now()
    if (Math.abs(offset - this.offset) > jumpMilliseconds) {
      this.offset = offset
      this.restsUntil = performance.now() + restAfterJump
      this.onNote('the clock has jumped: nothing is removed for 24 hours')
    }
    return performance.now() >= this.restsUntil
  }

  async run(
    dir: string,
    held: Map<Day, HeldDay>,
    { looked, seen, outbox }: { looked: LookedDays; seen: Seen; outbox: Outbox },
  ): Promise<void> {
    const oldest = this.oldest(held.keys())
    if (oldest === null || !this.isClockSound()) return
    for (const day of [...held.keys()].filter(one => one < oldest)) {
      // What somebody else put there is not ours to remove.
      if (!looked.has(day)) continue
      const path = caseOfDay(dir, day)
      try {
        if ((await writerOf(path)) !== null) continue
        await rename(path, leavingCase(dir, day))
        await looked.drop(day)
        held.delete(day)
        seen.forget(day)
        await removeNode(leavingCase(dir, day))
        this.onNote(`removed the case of ${day}, which is older than is kept`)
      } catch (error) {
        this.onNote(`cannot remove the case of ${day}: ${errorText(error)}`)
      }
    }
    const lost = await outbox.forget(oldest)
    if (lost > 0) this.onNote(`removed ${lost} alerts of days before ${oldest} that no receiver had taken`)
  }
}
