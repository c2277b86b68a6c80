import type { Page } from './layout.ts'
import { displayWidth } from './text.ts'

/** `path:12`, `path packet 7`, `path record 7`. */
export function placeText(place: { path: string; line?: number; packet?: number; record?: number }): string {
  const { path, line, packet, record } = place
  if (line !== undefined) return `${path}:${line}`
  if (packet !== undefined) return `${path} packet ${packet}`
  return record === undefined ? path : `${path} record ${record}`
}

// Before a place in the evidence lines, and after it for the line's number.
const margin = 26

/**
 * The beginning that all paths share, up to a separator, when the page is too narrow for the paths in full:
 * AWS names files so that only their ends differ.
 */
export function sharedPrefix(paths: string[], page: Page): string {
  const longest = paths.reduce((most, path) => Math.max(most, displayWidth(path)), 0)
  const [first] = paths
  if (first === undefined || longest <= page.width - margin) return ''
  let length = first.length
  for (const path of paths) while (!path.startsWith(first.slice(0, length))) length--
  const shared = first.slice(0, Math.min(length, first.length - 1))
  const cut = Math.max(shared.lastIndexOf('/'), shared.lastIndexOf('_')) + 1
  return cut < 12 ? '' : shared.slice(0, cut)
}

export function withoutPrefix(path: string, prefix: string): string {
  return prefix !== '' && path.startsWith(prefix) ? `…${path.slice(prefix.length)}` : path
}
