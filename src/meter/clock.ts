/**
 * The time of a capture: the latest that any of its packets had so far, in microseconds.
 *
 * Packets may be a little out of order; the clock then stands still. Where a packet lies more than `tolerance` before
 * the clock, the capture has another beginning in it (files put together the wrong way round, a stamp that was years
 * ahead): the clock is set back to that packet, and whoever keeps time by it closes what is open.
 */
export class Clock {
  now = Number.NEGATIVE_INFINITY
  /** How often it was set back. */
  resets = 0
  private readonly tolerance: number

  constructor(tolerance: number) {
    this.tolerance = tolerance
  }

  /** Whether a packet of this time sets the clock back. Asked before `advance`, so that the old time can still be read. */
  stepsBack(time: number): boolean {
    return time < this.now - this.tolerance
  }

  advance(time: number): void {
    if (time > this.now) this.now = time
    else if (this.stepsBack(time)) {
      this.now = time
      this.resets++
    }
  }
}
