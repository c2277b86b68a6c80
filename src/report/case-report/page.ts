/** A report as blocks: the same for every printer. Each value in it says where in the document it stands. */
import { type Block, paragraph } from '../block.ts'
import { htmlPage } from '../html-page.ts'
import { toJson } from '../json.ts'
import { markdownPageText } from '../markdown-printer.ts'
import { codeAnnex, controlsBlocks } from './controls.ts'
import type { CaseReport } from './document.ts'
import { coverageBlocks, evidenceBlocks, filesAnnex, limitsBlocks, workBlocks } from './evidence.ts'
import { findingsBlocks } from './findings.ts'
import { glossaryBlocks } from './glossary.ts'
import { headBlocks, summaryBlocks } from './head.ts'
import { hostsBlocks } from './hosts.ts'
import { lostNotesBlocks, sectionBlocks } from './own-words.ts'
import { trafficBlocks } from './traffic.ts'

export function reportPage(r: CaseReport): Block[] {
  return [
    ...headBlocks(r),
    ...summaryBlocks(r),
    ...sectionBlocks(r),
    ...(r.dossier === null ? [] : trafficBlocks(r.dossier, r.findings, r.own_servers)),
    ...(r.detections === null ? [] : hostsBlocks(r.detections, r.findings)),
    ...findingsBlocks(r),
    ...lostNotesBlocks(r),
    ...controlsBlocks(r),
    ...coverageBlocks(r),
    ...limitsBlocks(r),
    ...evidenceBlocks(r),
    ...workBlocks(r),
    ...glossaryBlocks(),
    ...filesAnnex(r),
    ...codeAnnex(r),
  ]
}

export const reportFormats = ['html', 'md', 'json'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** The report as characters of a file. */
export function reportText(r: CaseReport, format: ReportFormat): string {
  if (format === 'json') return `${toJson(r)}\n`
  if (format === 'html') return htmlText(r, true)
  const { tool } = r.report
  const page = reportPage(r)
  const made = `Made with ${tool.name} ${tool.version}.`
  return markdownPageText([...page, paragraph(made)])
}

/** The HTML as a page may show it within another: without scripts. */
export function reportPreview(r: CaseReport): string {
  return htmlText(r, false)
}

function htmlText(r: CaseReport, scripts: boolean): string {
  const { title, tool } = r.report
  return htmlPage(reportPage(r), { title, generator: `${tool.name} ${tool.version}`, scripts })
}
