import type { Count } from '../investigate/dossier.ts'
import { countText, integerText, sizeText } from '../net/counts.ts'

export { countText, integerText, sizeText }

/** The exact figure, and the size in words where that says more: `265,183,813 B (252.9 MiB)`. */
export function bytesText(bytes: Count): string {
  const exact = `${integerText(bytes)} B`
  return bytes < 1024 ? exact : `${exact} (${sizeText(bytes)})`
}

/** `bytesText`, of what may be unknown. */
export function knownBytesText(bytes: Count | null): string {
  return bytes === null ? 'unknown bytes' : bytesText(bytes)
}

/** `integerText`, of what may be unknown. */
export function knownText(count: Count | null): string {
  return count === null ? 'unknown' : integerText(count)
}

/** Marks a figure that is a lower bound. */
export function atLeast(text: string, isLowerBound: boolean): string {
  return isLowerBound ? `at least ${text}` : text
}

/** `19 %`, `0.4 %`; 0 % and 100 % only when it is exactly that. */
export function percentText(part: Count, whole: Count): string {
  if (Number(whole) === 0) return 'none of none'
  if (Number(part) === 0) return '0 %'
  if (String(part) === String(whole)) return '100 %'
  const percent = (Number(part) / Number(whole)) * 100
  if (percent < 0.05) return '<0.1 %'
  if (percent >= 99.5) return '>99 %'
  return `${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

const isoTime = /^(\d{4,}-\d\d-\d\d)T(\S+)$/

/** `2023-09-28 17:22:35Z`. */
export function timeText(iso: string | null): string {
  return iso === null ? 'unknown' : iso.replace(isoTime, '$1 $2')
}

/** `2023-09-28 17:22:35Z – 23:59:59Z`: the day once when it is the same, the time once when that is. */
export function spanText(from: string | null, to: string | null, separator = ' – '): string {
  if (from === to) return timeText(from)
  const [, day] = isoTime.exec(from ?? '') ?? []
  const [, lastDay, lastTime] = isoTime.exec(to ?? '') ?? []
  const end = day !== undefined && day === lastDay && lastTime !== undefined ? lastTime : timeText(to)
  return `${timeText(from)}${separator}${end}`
}
