/** When findings were, beside what is brushed. No DOM here. */

/** Whether nothing of it lies within a window; what has no time lies in every one. */
export function isOutside(
  { first_start, last_end }: { first_start: string | null; last_end: string | null },
  { from, to }: { from: number | null; to: number | null },
): boolean {
  if (first_start === null || last_end === null) return false
  return (from !== null && Date.parse(last_end) < from * 1000) || (to !== null && Date.parse(first_start) >= to * 1000)
}

/** The window that has all of it, whole seconds; null where it has no time. */
export function windowAround({
  first_start,
  last_end,
}: {
  first_start: string | null
  last_end: string | null
}): { from: number; to: number } | null {
  if (first_start === null || last_end === null) return null
  return { from: Math.floor(Date.parse(first_start) / 1000), to: Math.floor(Date.parse(last_end) / 1000) + 1 }
}
