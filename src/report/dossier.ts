import type { Dossier } from '../investigate/dossier.ts'
import { renderCorrelation } from './correlation.ts'
import { renderFindings } from './findings.ts'
import { renderAbsence, renderCaveat, renderHeadline } from './headline.ts'
import { newPage, type PageOptions } from './layout.ts'
import { renderEvidenceLine, renderLimits, renderWork } from './limits.ts'
import { renderServices } from './services.ts'
import { renderCoverage, renderSurface, renderVantages } from './surface.ts'
import { visibleAll } from './text.ts'
import { renderTimeline } from './timeline.ts'
import { renderPorts, renderTotals, renderWindow } from './window.ts'

interface DossierOptions extends PageOptions {
  /** Whether each figure is followed, at the end, by the SQL and the shell command that give it. */
  showWork: boolean
}

/**
 * The dossier as a page of text: no line longer than the width but for SQL and shell lines, and no character
 * of the evidence that a terminal would obey.
 */
export function renderDossier(dossier: Dossier, options: DossierOptions): string {
  const page = newPage(options)
  const d = visibleAll(dossier)
  const about =
    d.records.subject === 0
      ? [...renderAbsence(d, page), ...renderCaveat(d, page)]
      : [
          ...renderCaveat(d, page),
          ...renderWindow(d, page),
          ...renderTotals(d, page),
          ...renderServices(d, page),
          ...renderTimeline(d, page),
          ...renderSurface(d, page),
          ...renderCorrelation(d, page),
        ]
  const counted =
    d.records.subject === 0 ? [] : [...renderFindings(d, page), ...renderVantages(d, page), ...renderPorts(d, page)]
  return `${[
    ...renderHeadline(d, page),
    ...about,
    ...renderCoverage(d, page),
    ...counted,
    ...renderEvidenceLine(d, page),
    ...renderLimits(d, page),
    ...(options.showWork ? renderWork(dossier.work, page) : []),
  ].join('\n')}\n`
}
