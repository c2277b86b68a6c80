import { line, path, type Text } from './block.ts'

/** `path:12`, `path packet 7`, `path record 7`. */
export function placeText(place: { path: string; line?: number; packet?: number; record?: number }): Text {
  const file = path(place.path)
  if (place.line !== undefined) return line`${file}:${String(place.line)}`
  if (place.packet !== undefined) return line`${file} packet ${String(place.packet)}`
  return place.record === undefined ? file : line`${file} record ${String(place.record)}`
}
