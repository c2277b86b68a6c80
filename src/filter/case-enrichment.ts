/** The analyst's own files that a question uses: those that it names, and those that are noted in the case. */
import { type Enrichment, type EnrichmentOptions, loadEnrichment } from '../enrich/enrichment.ts'
import type { EnrichmentFile, EnrichmentKind, EnrichmentProblem } from '../enrich/enrichment-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { Case } from '../store/case.ts'
import { type EnrichmentNote, readNotes, writeNotes } from '../store/enrichment-notes.ts'

const allKinds: ReadonlySet<EnrichmentKind> = new Set(['list', 'geoip', 'asn', 'aws-ranges', 'networks'])

/**
 * Loads them. Lists and networks that are named come beside those that are noted; a database that is named stands in the place of one that is.
 *
 * A noted file that is missing, cannot be read, or has changed since is among the problems; what a changed one says now is used.
 *
 * @param needed what the question cannot do without: others but networks are not read. Absent: all that there is.
 * @throws UserError for a file that is named and cannot be used, and for a noted one that is needed.
 */
export async function caseEnrichment(
  { dir }: Pick<Case, 'dir'>,
  given: EnrichmentOptions = {},
  signal?: AbortSignal,
  needed?: ReadonlySet<EnrichmentKind>,
): Promise<Enrichment> {
  // Whatever is asked, networks say what is internal.
  const kinds = needed === undefined ? allKinds : new Set([...needed, 'networks' as const])
  const named = onlyOf(given, kinds)
  const all = given.alone === true ? [] : readNotes(dir)
  const notes = all.filter(note => kinds.has(note.kind) && !isReplaced(note, given))
  const ownPaths = new Set([named.lists, named.networks, named.geoip, named.asn, named.awsRanges].flat())
  const problems: EnrichmentProblem[] = []
  const loaded = await loadEnrichment(joined(optionsOf(notes), named), signal, (path, error) => {
    if (ownPaths.has(path)) throw error
    const problem = `noted in the case, and cannot be used: ${error.message}`
    const { kind } = notes.find(note => note.path === path)!
    if (needed?.has(kind) && notes.filter(note => note.kind === kind).length === 1) {
      const hint = `put the file back, or tidemark enrich --remove ${path}`
      throw new UserError(problem, { hint, status: exitStatus.partly_read, cause: error })
    }
    problems.push({ path, problem })
  })
  for (const { path, sha256 } of notes) {
    const found = loaded.files.find(file => file.path === path)
    if (found === undefined || found.sha256 === sha256) continue
    const problem = `changed since it was noted in the case (SHA-256 was ${sha256}): tidemark enrich notes it again`
    problems.push({ path, problem })
  }
  return { ...loaded, problems: [...problems, ...loaded.problems] }
}

export interface NotedFiles {
  enrichment: (EnrichmentFile & { noted: string })[]
  problems: readonly EnrichmentProblem[]
}

/** What is noted in a case, and what is wrong with it. */
export async function notedFiles(c: Pick<Case, 'dir'>, signal?: AbortSignal): Promise<NotedFiles> {
  const { files, problems } = await caseEnrichment(c, {}, signal)
  const noted = new Map(readNotes(c.dir).map(note => [note.path, note.noted]))
  return { enrichment: files.map(file => ({ ...file, noted: noted.get(file.path)! })), problems }
}

/**
 * Notes files in a case: each once; a database takes the place of the one of its kind.
 *
 * @param given by absolute paths. @param removed paths that are noted no longer.
 * @throws UserError for a file that cannot be used, and for one to be removed that is not noted.
 */
export async function noteFiles(
  { dir }: Pick<Case, 'dir'>,
  given: EnrichmentOptions,
  removed: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const before = readNotes(dir)
  for (const path of removed) {
    if (before.some(note => note.path === path)) continue
    throw new UserError(`not noted in the case: ${path}`, {
      hint: before.length === 0 ? 'nothing is' : `there are: ${before.map(note => note.path).join(', ')}`,
      status: exitStatus.usage,
    })
  }
  const { files } = await loadEnrichment(given, signal)
  const noted = new Date().toISOString()
  const added = files.map(({ path, kind, sha256 }) => ({ path, kind, sha256, noted }))
  const isGone = (note: EnrichmentNote): boolean =>
    removed.includes(note.path) || isReplaced(note, given) || added.some(one => one.path === note.path)
  await writeNotes(dir, [...before.filter(note => !isGone(note)), ...added])
}

/** Some files as options. */
export function optionsOf(notes: readonly Pick<EnrichmentNote, 'path' | 'kind'>[]): EnrichmentOptions {
  const of = (kind: EnrichmentKind): string[] => notes.filter(note => note.kind === kind).map(({ path }) => path)
  const [geoip, asn, awsRanges] = [of('geoip').at(-1), of('asn').at(-1), of('aws-ranges').at(-1)]
  return {
    lists: of('list'),
    networks: of('networks'),
    ...(geoip !== undefined && { geoip }),
    ...(asn !== undefined && { asn }),
    ...(awsRanges !== undefined && { awsRanges }),
  }
}

function isReplaced({ kind }: EnrichmentNote, given: EnrichmentOptions): boolean {
  return (
    (kind === 'geoip' && given.geoip !== undefined) ||
    (kind === 'asn' && given.asn !== undefined) ||
    (kind === 'aws-ranges' && given.awsRanges !== undefined)
  )
}

function joined(noted: EnrichmentOptions, given: EnrichmentOptions): EnrichmentOptions {
  const each = (one: readonly string[] = [], other: readonly string[] = []): string[] => [
    ...new Set([...one, ...other]),
  ]
  return { ...noted, ...given, lists: each(noted.lists, given.lists), networks: each(noted.networks, given.networks) }
}

function onlyOf(given: EnrichmentOptions, kinds: ReadonlySet<EnrichmentKind>): EnrichmentOptions {
  return {
    ...(kinds.has('list') && given.lists !== undefined && { lists: given.lists }),
    ...(kinds.has('geoip') && given.geoip !== undefined && { geoip: given.geoip }),
    ...(kinds.has('asn') && given.asn !== undefined && { asn: given.asn }),
    ...(kinds.has('aws-ranges') && given.awsRanges !== undefined && { awsRanges: given.awsRanges }),
    ...(kinds.has('networks') && given.networks !== undefined && { networks: given.networks }),
  }
}
