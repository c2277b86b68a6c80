import { dirname } from 'node:path'
import type { EvidenceEntry } from './ledger.ts'

/**
 * Files of packets by the place that they were taken at. Those of one folder that follow one another in time are one capture, cut into
 * pieces; so are nfcapd's files of one folder and name of sensor, though a flow goes into the piece in which it ended.
 */
export function tracksOf(files: readonly EvidenceEntry[]): Map<number, number> {
  const tracks: { folder: string; ident: string | null; end: string }[] = []
  const found = new Map<number, number>()
  const inOrder = [...files].sort((a, b) => ((a.first_start ?? '') < (b.first_start ?? '') ? -1 : 1))
  for (const file of inOrder) {
    const folder = dirname(file.path)
    const ident = file.nfcapd?.ident ?? null
    let at = tracks.findIndex(
      one => one.folder === folder && one.ident === ident && (ident !== null || one.end <= (file.first_start ?? '')),
    )
    if (at < 0) at = tracks.push({ folder, ident, end: '' }) - 1
    tracks[at]!.end = file.last_end ?? ''
    found.set(file.id!, at)
  }
  return found
}
