/** The totals of all records of a case: of its cache, else made from the time index and kept there. */
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { CacheFile } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { isMadeAgain, type KeptSections, withKeptSections } from '../store/kept-sections.ts'
import { openSame } from '../store/section-file.ts'
import type { Going } from './going.ts'
import { openTimeIndex } from './kept.ts'
import { makeView } from './make-view.ts'
import { RowReader } from './rows.ts'
import { TotalsFile, writeTotals } from './totals-file.ts'

/** Changes with what is kept, and with the format: what an older one left is not read. */
const rule = 2

function keptTotals(c: Case, reader: RowReader | null, evidence: EvidenceKind, going: Going): KeptSections {
  return {
    what: `timeline-totals-${evidence}-${rule}`,
    says: 'the totals of all records over time',
    make: async path => {
      const used = reader ?? new RowReader(await openTimeIndex(c, evidence))
      try {
        writeTotals(path, used.index.file.digest(''), await makeView(c, used, {}, going))
      } finally {
        if (reader === null) used.index.close()
      }
    },
  }
}

/** The totals of an open index: whoever asks for them closes them. @throws DamagedSections of the index; the signal's reason. */
export async function openTotals(c: Case, reader: RowReader, going: Going = {}): Promise<TotalsFile> {
  const { about, file: index } = reader.index
  return withKeptSections(c, keptTotals(c, reader, about.evidence, going), async file => {
    const own = openSame(file.path, file.digest(''))
    try {
      return new TotalsFile(own, index.digest(''))
    } catch (error) {
      own.close()
      throw error
    }
  })
}

/** Whether a file of the cache has the totals that the segments give; null for a file of another kind. */
export async function areTotalsOf(c: Case, file: CacheFile): Promise<boolean | null> {
  const kinds = (['logs', 'packets'] as const).map(one => keptTotals(c, null, one, {}))
  const kept = kinds.find(({ what }) => what === file.what)
  return kept === undefined ? null : isMadeAgain(c, file, kept)
}
