import type { Dossier } from '../investigate/dossier.ts'
import { type Block, gap, paragraph } from './block.ts'
import { correlationBlocks } from './correlation.ts'
import { bySeverity, findingsBlocks } from './findings.ts'
import { headlineBlocks } from './headline.ts'
import { howSureBlocks } from './how-sure.ts'
import { evidenceBlocks, limitsBlocks, workBlocks } from './limits.ts'
import { rejectsBlocks } from './rejects.ts'
import { servicesBlocks, shortServicesBlocks } from './services.ts'
import { storyBlocks } from './story.ts'
import { coverageBlocks, surfaceBlocks, vantagesBlocks } from './surface.ts'
import { timelineBlocks } from './timeline.ts'
import { whoBlocks } from './who.ts'
import { portsBlocks, totalsBlocks, windowBlocks } from './window.ts'

export interface DossierOptions {
  /** Whether each figure is followed, at the end, by the SQL and the shell command that give it. */
  showWork: boolean
  /** Everything that is known, instead of what is read first. */
  full: boolean
}

/** The dossier as a page: what happened, how sure that is, what the rules found, through which services; then the rest. */
export function dossierPage(d: Dossier, { showWork, full }: DossierOptions): Block[] {
  const hasRecords = d.records.subject > 0
  return [
    ...headlineBlocks(d),
    ...whoBlocks(d, full),
    ...(hasRecords ? storyBlocks(d) : []),
    ...howSureBlocks(d, full),
    ...(full ? wholeBlocks(d, hasRecords) : shortBlocks(d, hasRecords)),
    ...(showWork ? workBlocks(d.work) : []),
  ]
}

function shortBlocks(d: Dossier, hasRecords: boolean): Block[] {
  if (!hasRecords) return coverageBlocks(d)
  return [...findingsBlocks(d, false), ...shortServicesBlocks(d), gap, paragraph(moreText(d))]
}

function moreText({ source, findings }: Dossier): string {
  const [worst] = source === 'logs' ? bySeverity(findings) : []
  const lines = worst === undefined ? '' : `; --lines ${worst.id} prints the log lines of ${worst.id}`
  return `--full has all, with window, coverage and ports${lines}.`
}

function wholeBlocks(d: Dossier, hasRecords: boolean): Block[] {
  const about = hasRecords
    ? [
        ...findingsBlocks(d, true),
        ...servicesBlocks(d),
        ...timelineBlocks(d),
        ...windowBlocks(d),
        ...totalsBlocks(d),
        ...surfaceBlocks(d),
        ...rejectsBlocks(d),
        ...correlationBlocks(d),
      ]
    : []
  return [
    ...about,
    ...coverageBlocks(d),
    ...(hasRecords ? [...vantagesBlocks(d), ...portsBlocks(d)] : []),
    ...evidenceBlocks(d),
    ...limitsBlocks(d),
  ]
}
