import type { Dossier } from '../investigate/dossier.ts'
import type { Block } from './block.ts'
import { correlationBlocks } from './correlation.ts'
import { findingsBlocks } from './findings.ts'
import { absenceBlocks, caveatBlocks, headlineBlocks } from './headline.ts'
import { evidenceBlocks, limitsBlocks, workBlocks } from './limits.ts'
import { servicesBlocks } from './services.ts'
import { coverageBlocks, surfaceBlocks, vantagesBlocks } from './surface.ts'
import { timelineBlocks } from './timeline.ts'
import { portsBlocks, totalsBlocks, windowBlocks } from './window.ts'

interface DossierOptions {
  /** Whether each figure is followed, at the end, by the SQL and the shell command that give it. */
  showWork: boolean
}

/** The dossier as a page. */
export function dossierPage(d: Dossier, options: DossierOptions): Block[] {
  const hasRecords = d.records.subject > 0
  const about = hasRecords
    ? [
        ...caveatBlocks(d),
        ...windowBlocks(d),
        ...totalsBlocks(d),
        ...servicesBlocks(d),
        ...timelineBlocks(d),
        ...surfaceBlocks(d),
        ...correlationBlocks(d),
      ]
    : [...absenceBlocks(d), ...caveatBlocks(d)]
  return [
    ...headlineBlocks(d),
    ...about,
    ...coverageBlocks(d),
    ...(hasRecords ? [...findingsBlocks(d), ...vantagesBlocks(d), ...portsBlocks(d)] : []),
    ...evidenceBlocks(d),
    ...limitsBlocks(d),
    ...(options.showWork ? workBlocks(d.work) : []),
  ]
}
