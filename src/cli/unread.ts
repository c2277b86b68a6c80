import { exitStatus } from '../errors.ts'
import type { Block } from '../report/block.ts'
import { integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { type EvidenceReport, isUnread } from '../store/reports.ts'
import type { CommonOptions } from './options.ts'
import { note, print, printPage } from './output.ts'

/** A place in the evidence that could not be read. */
export interface UnreadPlace {
  path: string
  line?: number
  line_to?: number
  offset?: number
  problem: string
}

const namedAtMost = 20

/**
 * Names the places that could not be read on standard error, and returns the exit status that goes with them.
 *
 * `rest` tells where to find those beyond the twentieth.
 */
export async function reportUnread(places: UnreadPlace[], isPartial: boolean, rest: string): Promise<number> {
  if (!isPartial) return exitStatus.done
  const named = places.slice(0, namedAtMost).map(place => `  ${placeText(place)}: ${visible(place.problem)}`)
  const more = places.length - named.length
  if (more > 0) named.push(`  … and ${integerText(more)} more: ${rest}`)
  await note(['tidemark: some evidence could not be read', ...named].join('\n'))
  return exitStatus.partly_read
}

/** Prints a report on evidence, and sets the exit status that goes with it. */
export async function printReport(
  report: EvidenceReport,
  page: (report: EvidenceReport) => Block[],
  options: CommonOptions,
): Promise<void> {
  const { places, isPartial } = unreadPlaces(report)
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(report))
    process.exitCode ||= await reportUnread(places, isPartial, 'see "problems" in the JSON document')
  } else {
    // The page names the places itself.
    await printPage(page(report), options.color)
    process.exitCode ||= isPartial ? exitStatus.partly_read : exitStatus.done
  }
}

/** Places of a report that could not be read, files before lines. */
export function unreadPlaces(report: EvidenceReport): { places: UnreadPlace[]; isPartial: boolean } {
  const broken = report.files.filter(isBroken)
  const named = new Set(report.problems.map(problem => problem.path))
  const unnamed = broken.filter(file => !named.has(file.path))
  const places = unnamed.map(({ path, problem, status }) => ({ path, problem: problem ?? status }))
  const malformed = report.totals.malformed > 0 || report.files.some(file => file.malformed > 0)
  return { places: [...places, ...report.problems], isPartial: broken.length > 0 || malformed }
}

/** Whether a file's figures lack something. */
export function isBroken(file: EvidenceReport['files'][number]): boolean {
  return file.status === 'partly-read' || isUnread(file)
}

function placeText(place: UnreadPlace): string {
  const path = visible(place.path)
  if (place.line !== undefined) {
    return place.line_to === undefined ? `${path}:${place.line}` : `${path}:${place.line}-${place.line_to}`
  }
  return place.offset === undefined ? path : `${path} at byte ${place.offset}`
}
