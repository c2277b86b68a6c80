/** `tidemark detect --engine`: the rules over everybody whose records a table of an engine holds. */
import type { DetectOptions } from '../detect/detect.ts'
import { exitStatus, UserError } from '../errors.ts'
import { countText, integerText } from '../report/numbers.ts'
import type { EngineSieved } from '../sieve/engine-detection.ts'
import { visible } from '../visible.ts'
import { restText } from './detect-modes.ts'
import { askEngine } from './engine-asking.ts'
import type { EngineCliOptions } from './engine-options.ts'
import type { EnrichmentCliOptions } from './enrichment-options.ts'
import { failOn, type Threshold } from './fail-on.ts'
import { reportUnreadOf } from './investigate.ts'
import type { CommonOptions, ReadingOptions } from './options.ts'
import { print, printPage } from './output.ts'
import { commandLine, quoted } from './shell-words.ts'

export type DetectEngineOptions = CommonOptions &
  EngineCliOptions &
  ReadingOptions &
  EnrichmentCliOptions & {
    all?: true
    rules?: string
    failOn?: Threshold
    fromHost?: string
    baseline?: string | true
  }

/** @param dir where the case of what is pulled is made; null: it is thrown away. */
export async function detectOfEngine(
  { asked, paths, dir }: { asked: DetectOptions; paths: readonly string[]; dir: string | null },
  options: DetectEngineOptions,
  signal: AbortSignal,
): Promise<void> {
  refuse(options, paths)
  if (dir !== null || options.dryRun) return ask(dir ?? options.case, asked, options, dir !== null, signal)
  const { withThrowAwayCase } = await import('./throw-away-case.ts')
  await withThrowAwayCase(made => ask(made, asked, options, false, signal))
}

/** Options that say how files are read. */
const ofFiles = {
  ...{ format: '--format', formatUnknown: '--format-unknown', maxExpand: '--max-expand' },
  ...{ maxExpanded: '--max-expanded', workers: '--workers', keepCopies: '--keep-copies' },
}
/** Files of one's own, which stay here. */
const ofOwn = {
  ...{ list: '--list', geoip: '--geoip', asn: '--asn', awsRanges: '--aws-ranges', networks: '--networks' },
}

function refuse(options: DetectEngineOptions, paths: readonly string[]): void {
  const fail = (what: string, hint: string): never => {
    throw new UserError(`${what} and --engine`, { status: exitStatus.usage, hint })
  }
  const given = (names: Readonly<Record<string, string>>): string | undefined =>
    Object.entries(names).find(([name]) => name in options)?.[1]
  if (paths.length > 0) fail(`the path ${visible(paths[0]!)}`, 'files are read without an engine')
  const mode = given({ fromHost: '--from-host', at: '--at', hops: '--hops', hub: '--hub', baseline: '--baseline' })
  if (mode !== undefined) fail(mode, 'it needs all connections: bring the records into a case, and ask there')
  if (options.rules !== undefined) fail('--rules', 'rules of your own do not say which sums their findings need')
  const own = given(ofOwn)
  if (own !== undefined)
    fail(own, 'files of your own are read beside a case; --internal and --scanner name networks for an engine too')
  const reading = given(ofFiles)
  if (reading !== undefined) fail(reading, 'it says how files are read')
}

async function ask(
  dir: string,
  asked: DetectOptions,
  options: DetectEngineOptions,
  isKept: boolean,
  signal: AbortSignal,
): Promise<void> {
  // Files of one's own were refused.
  const { enrichment: _, ...chosen } = asked
  const found = await askEngine(options, async (engine, onProgress) => {
    const { engineDetection } = await import('../sieve/engine-detection.ts')
    const made = await engineDetection(engine, {
      ...chosen,
      ...{ case: dir, signal, onProgress, command: commandLine() },
      ...(options.dryRun && { plan: true }),
    })
    const { passes, statements, skipped } = made
    const sentence = `Who behaves like an attacker in ${engine.place}: the hosts that may be in a finding; their records, and those of endpoints that they leave open, are asked for by statements that follow from the answer.${skippedText(skipped)}`
    const titles = ['Which hosts may be in a finding', 'Sums over everything']
    return { sentence, passes, statements, titles, estimate: () => made.estimate(), ask: () => made.run() }
  })
  if (found === null) return
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    const { engine, ...rest } = found
    await print(toJson({ ...rest, engine: { ...engine, case: isKept ? dir : null } }))
  } else await showPage(found, { dir: isKept ? dir : null }, options)
  await reportUnreadOf(found, restText(options.json === true, !isKept))
  failOn(
    options.failOn ?? 'none',
    found.findings.map(({ severity }) => severity),
  )
}

function timeText({ from, to }: EngineSieved): string {
  return `${from === null ? '' : ` from ${from}`}${to === null ? '' : ` until ${to}`}`
}

function skippedText(skipped: EngineSieved['skipped']): string {
  return skipped.length === 0 ? '' : ` Not run: ${skipped.map(({ rule }) => rule).join(', ')}.`
}

type Found = Awaited<ReturnType<import('../sieve/engine-detection.ts').EngineDetection['run']>>

async function showPage(found: Found, { dir }: { dir: string | null }, options: DetectEngineOptions): Promise<void> {
  const [{ detectionsPage }, { heading, list, paragraph }] = await Promise.all([
    import('../report/detections.ts'),
    import('../report/block.ts'),
  ])
  const { engine } = found
  const commandOf = (host: string): string =>
    dir === null
      ? `tidemark pull ${host} --engine ${quoted(options.engine!)} --case NEW`
      : `tidemark investigate ${host} --case ${quoted(dir)}`
  const { table, hosts, records, records_of_table, rules, skipped } = engine
  const page = [
    ...detectionsPage(found, commandOf, options.all === true),
    heading('What was asked of the engine'),
    paragraph(
      `Of ${table}${timeText(engine)}: ${countText(hosts, 'host')} may be in a finding, by sums over ${countText(records_of_table, 'record')}; the findings rest on ${integerText(records)} of these, which were pulled and are counted as in any case. Which connections are new goes by the time of all records. Hosts are ranked by the rules that ran.`,
    ),
    list(rules.map(({ rule, hosts: passed }) => `${rule}: ${countText(passed, 'host')} passed its sieve.`)),
    ...(skipped.length === 0
      ? []
      : [heading('Rules that did not run'), list(skipped.map(({ rule, reason }) => `${rule}: ${reason}.`))]),
    ...(dir === null ? [] : [paragraph(`The case with these records is ${dir}.`)]),
  ]
  await printPage(page, options.color)
}
