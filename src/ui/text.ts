/** Texts of the page: of evidence without what could mislead, numbers and times as people read them. No DOM here. */
import { sizeText } from '../net/counts.ts'
import type { Count } from '../server/contract/common.ts'
import { visible } from '../visible.ts'

/** Everything that comes from evidence goes through this. */
export { visible } from '../visible.ts'

/** `visible` of a text of several lines. */
export function visibleLines(text: string): string {
  return text
    .split(/\r\n|\n|\r/)
    .map(visible)
    .join('\n')
}

/** 1,234,567; a dash where it is not known. */
export function countText(count: Count): string {
  if (count === null) return '–'
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `12 of 1,234 that the logs count`, where they count more than was captured; else `12`. */
export function capturedText(captured: Count, logged: Count): string {
  const isPart = logged !== null && BigInt(logged) > BigInt(captured ?? 0)
  return `${countText(captured)}${isPart ? ` of ${countText(logged)} that the logs count` : ''}`
}

/** `252.9 MiB`, as commands write it; a dash where it is not known. */
export function bytesText(count: Count): string {
  if (count === null) return '–'
  return sizeText(typeof count === 'string' ? BigInt(count) : count)
}

/** 2023-09-28 19:32:36, UTC. */
export function timeText(second: number | null): string {
  if (second === null) return '–'
  return new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

/** 2023-09-28 19:32:36 – 19:45:00 UTC: the day once where both ends are of one. */
export function windowText({ from, to }: { from: number | null; to: number | null }): string {
  if (from === null || to === null)
    return from !== null ? `from ${timeText(from)} UTC` : to !== null ? `before ${timeText(to)} UTC` : 'all times'
  const [first, last] = [timeText(from), timeText(to)]
  return `${first} – ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last} UTC`
}
