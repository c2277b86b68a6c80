/** Times of a page whose records are all of one day, which then stands on it once. */
import type { Dossier } from '../investigate/dossier.ts'
import { spanText } from './numbers.ts'

/** `2023-09-28` when the whole window lies in it, else null. */
export function onlyDay({ window }: Pick<Dossier, 'window'>): string | null {
  const day = dayOf(window.first_start)
  return day !== null && day === dayOf(window.last_end) ? day : null
}

/** A span; without its day when that is `day`. */
export function spanOn(day: string | null, from: string | null, to: string | null): string {
  const text = spanText(from, to)
  return day !== null && text.startsWith(`${day} `) ? text.slice(day.length + 1) : text
}

function dayOf(time: string | null): string | null {
  return /^\d{4,}-\d\d-\d\d(?=T)/.exec(time ?? '')?.[0] ?? null
}
