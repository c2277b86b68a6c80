import { createHash } from 'node:crypto'

/** A text of evidence that is too long for the ledger: its beginning, its length, and a digest by which different ones stay different. */
export function clipped(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `${text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, '')}… (${text.length} characters, SHA-256 ${digest}…)`
}
