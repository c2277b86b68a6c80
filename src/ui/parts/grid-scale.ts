/** Rows of equal height in a room that may be higher than a browser can scroll. No DOM here. */

export const rowHeight = 24
/** Browsers lose pixels above 16 million or so. */
const roomMax = 8_000_000

export interface GridScale {
  /** Height of what is scrolled, in pixels. */
  room: number
  /** Whether a pixel of the scroll bar stands for more than one. */
  scaled: boolean
  /** The last position: in pixels of rows at their full height. */
  last: number
  /** Position of a scroll bar, and the scroll bar of a position. */
  positionOf(scroll: number): number
  scrollOf(position: number): number
}

/** `shown`: height of the rows that are seen at once. */
export function gridScale(rows: number, shown: number): GridScale {
  const whole = rows * rowHeight
  const last = Math.max(0, whole - shown)
  const room = Math.min(Math.max(whole, shown), Math.max(roomMax, shown))
  const range = room - shown
  const factor = range > 0 && whole > room ? last / range : 1
  return {
    room,
    last,
    scaled: factor > 1,
    positionOf: scroll => Math.max(0, Math.min(last, scroll * factor)),
    scrollOf: position => position / factor,
  }
}

/** The rows of which something is seen: from the first to before the last. */
export function seenRows(position: number, shown: number, rows: number): { from: number; to: number } {
  const from = Math.floor(position / rowHeight)
  return { from, to: Math.min(rows, Math.ceil((position + shown) / rowHeight)) }
}

/** The position nearest to this one at which a row is wholly seen. */
export function positionFor(row: number, position: number, shown: number): number {
  const top = row * rowHeight
  if (top < position) return top
  return top + rowHeight > position + shown ? top + rowHeight - shown : position
}

/** Where a key moves the current row; null: it moves none. `page`: rows that are seen at once. */
export function movedRow(key: string, row: number, rows: number, page: number): number | null {
  const within = (wanted: number): number => Math.max(0, Math.min(rows - 1, wanted))
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return within(row + 1)
    case 'ArrowUp':
    case 'k':
      return within(row - 1)
    case 'PageDown':
      return within(row + Math.max(1, page - 1))
    case 'PageUp':
      return within(row - Math.max(1, page - 1))
    case 'Home':
      return within(0)
    case 'End':
      return within(rows - 1)
    default:
      return null
  }
}
