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
  const { title, tool } = r.report
  const page = reportPage(r)
  if (format === 'html') return htmlPage(page, { title, generator: `${tool.name} ${tool.version}` })
  const made = `Made with ${tool.name} ${tool.version}.`
  return markdownPageText([...page, paragraph(made)])
}
