import type { EvidenceEntry } from './ledger.ts'

/** Files of evidence without those of which nothing was read at first, but the same content under the same path since. */
export function withLastWords(files: readonly EvidenceEntry[]): EvidenceEntry[] {
  if (files.every(file => file.id !== null)) return [...files]
  const later = new Set<string>()
  const kept: EvidenceEntry[] = []
  for (const file of [...files].reverse()) {
    const name = file.path_bytes ?? `/${file.path}`
    const content = `${name}\0${file.sha256}`
    if (file.id !== null || !later.has(file.sha256 === null ? name : content)) kept.push(file)
    later.add(name).add(content)
  }
  return kept.reverse()
}
