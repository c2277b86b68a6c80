import type { Command } from 'commander'
import type { DetectOptions } from '../detect/detect.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { InvestigateOptions } from '../investigate/investigate.ts'
import type { CaseReport } from '../report/case-report/document.ts'
import type { Notes } from '../report/case-report/notes.ts'
import type { ReportFormat } from '../report/case-report/page.ts'
import { sizeText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { version } from '../version.ts'
import { addReadingOptions } from './add.ts'
import { noteWriter } from './added.ts'
import { splitAny } from './arguments.ts'
import { Option } from './commander.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { interruptible } from './interrupt.ts'
import { countAfterDashes, readAll, reportUnreadOf } from './investigate.ts'
import { checkOutput, forceOption, type OutputOptions, unlessReaderGone } from './named-output.ts'
import { collectPrefix, collectText, parsePorts, type ReadingOptions } from './options.ts'
import { note } from './output.ts'
import { startWaiting } from './progress.ts'
import type { SelectionCliOptions } from './selection.ts'
import { commandLine, quoted } from './shell-words.ts'

interface Options extends OutputOptions, ReadingOptions, SelectionCliOptions, EnrichmentCliOptions {
  out?: string
  as?: ReportFormat
  notes?: string
  newNotes?: string
  controls: boolean
  approvedPorts?: number[]
  internal?: string[]
}

/** Defines `tidemark report`. */
export function reportCommand(program: Command): void {
  const command = withOptions(program)
  addReadingOptions(addEnrichmentOptions(command))
    .addHelpText('after', reportHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { subjects, lists, paths } = await splitAny(args, countAfterDashes(process.argv.slice(2)))
      if (lists.length > 0)
        throw usage(
          'a list of addresses is not reported on',
          'tidemark investigate @LIST judges each; then report on one',
        )
      const work = await prepared(subjects, paths, options)
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      await unlessReaderGone(() =>
        interruptible(async signal => {
          const run = async (caseDir: string): Promise<void> => {
            if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
            await report(caseDir, work, options, signal)
          }
          if (!isThrowAway) return run(options.case)
          const { withThrowAwayCase } = await import('./throw-away-case.ts')
          return withThrowAwayCase(run)
        }),
      )
    })
}

function withOptions(program: Command): Command {
  return program
    .command('report')
    .description('Write the whole investigation into one file: HTML to read and print, Markdown, or JSON.')
    .usage('[options] [ADDRESS…] [PATH…]')
    .argument(
      '[address...]',
      'addresses or networks, which make one report; without any, the whole case by detect; then, if any, files and folders to read',
    )
    .option('-o, --out <file>', 'file to write: .html, .md or .json; - is standard output')
    .addOption(
      new Option('--as <format>', 'what to write where the name does not say it').choices(['html', 'md', 'json']),
    )
    .option('--notes <file>', 'your own words: title, case number, examiner, summary, notes on findings (JSON)')
    .option(
      '--new-notes <file>',
      'write a file of notes to fill in, with a place for every finding; never over another',
    )
    .option('--no-controls', 'leave out what would have stopped it, tried on the recorded flows: for speed')
    .option(...forceOption)
    .addOption(
      new Option('--approved-ports <list>', 'ports on which a service counts as standard').argParser(parsePorts),
    )
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option('--from <time>', 'only records that end at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--to <time>', 'only records that start before it; before the end of it, where it is a day')
    .addOption(
      new Option('--sensor <name>', 'only records of a sensor, e.g. an interface (repeatable)').argParser(collectText),
    )
}

const reportHelp = `
The HTML is one file that needs no network, and can be read without scripts. Every value in it names its place in the JSON.
With PATHs and without --case, they are read into a case that is thrown away afterwards. With --case, they are added to it first.

Examples:
  tidemark report 203.0.113.7 -o report.html
  tidemark report -o whole-case.html
  tidemark report 203.0.113.7 --no-controls -o report.html
  tidemark report 203.0.113.7 --new-notes notes.json
  tidemark report 203.0.113.7 --notes notes.json -o report.html --force`

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}

/** What is asked for, checked as far as that goes before anything is read. */
interface Work {
  subjects: string[]
  format: ReportFormat | null
  notes: Notes
  investigate: InvestigateOptions
  detect: DetectOptions
}

async function prepared(subjects: string[], paths: string[], options: Options): Promise<Work> {
  const { out, newNotes, notes: notesFile, sensor, approvedPorts, internal } = options
  const { force: _, ...never } = options
  if (out === undefined && newNotes === undefined)
    throw usage('no output', 'name a file: -o report.html; or --new-notes notes.json for your own words')
  if (subjects.length === 0 && (sensor !== undefined || approvedPorts !== undefined))
    throw usage('--sensor and --approved-ports are of a report on addresses', 'name an address, or leave them out')
  const format = out === undefined ? null : formatOf(out, options.as)
  const [{ readNotes, noNotes }, { selectionOf }] = await Promise.all([
    import('../report/case-report/notes.ts'),
    import('./selection.ts'),
  ])
  const notes = notesFile === undefined ? noNotes : readNotes(notesFile)
  const kept = notesFile === undefined || notesFile === '-' ? paths : [...paths, notesFile]
  if (out !== undefined) await checkOutput(out, kept, options, { option: '-o' })
  // What was written by hand is never written over.
  if (newNotes !== undefined)
    await checkOutput(newNotes, paths, never, { option: '--new-notes', instead: keepNotes(newNotes) })
  const selection = await selectionOf(options)
  const { from_us, to_us } = selection
  const common = { ...(internal !== undefined && { internal }), enrichment: enrichmentOf(options) }
  return {
    subjects: [...new Set(subjects)],
    ...{ format, notes },
    investigate: { ...common, ...(approvedPorts !== undefined && { approvedPorts }), selection, servicesMax: 1000 },
    detect: { ...common, ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) },
  }
}

/** How what was written in a file of notes comes into a new one. */
function keepNotes(file: string): string {
  return `take over what is in it: --notes ${quoted(file)} --new-notes new.json`
}

function formatOf(out: string, as: ReportFormat | undefined): ReportFormat {
  if (as !== undefined) return as
  const [, ending] = /\.(html?|md|markdown|json)$/.exec(out.toLowerCase()) ?? []
  if (ending === undefined)
    throw usage(`what to write is not known from the name: ${out}`, 'name it .html, .md or .json, or say it with --as')
  return ending.startsWith('h') ? 'html' : ending.startsWith('m') ? 'md' : 'json'
}

async function report(caseDir: string, work: Work, options: Options, signal: AbortSignal): Promise<void> {
  const made = await gathered(caseDir, work, options, signal)
  if (options.newNotes !== undefined) await writeNotes(made, work, options.newNotes, signal)
  if (work.format !== null) {
    const { reportText } = await import('../report/case-report/page.ts')
    await written(options.out!, '-o', reportText(made, work.format), options.force === true, signal)
  }
  const found = (made.dossier ?? made.detections)!
  await reportUnreadOf(found, 'the report lists them')
  if (made.detections !== null) {
    const { reportFailedRules } = await import('./detect-rules.ts')
    await reportFailedRules(made.detections)
  }
  await reportEnrichment(found.enrichment_problems)
}

async function gathered(caseDir: string, work: Work, options: Options, signal: AbortSignal): Promise<CaseReport> {
  const [{ openCase }, { caseReport }] = await Promise.all([
    import('../store/case.ts'),
    import('../report/case-report/gather.ts'),
  ])
  const opened = await openCase(caseDir)
  const waiting = startWaiting(() =>
    work.subjects.length === 0 ? 'looking at the case' : `investigating ${work.subjects.join(' ')}`,
  )
  try {
    await noteWriter(opened)
    return await caseReport(opened, work.subjects, {
      tool: { name: 'Tidemark', version: version() },
      made: madeAt(),
      command: commandLine(),
      notes: work.notes,
      controls: options.controls,
      investigate: work.investigate,
      detect: work.detect,
      limits: {
        ...(options.maxExpand !== undefined && { ratioMax: options.maxExpand }),
        ...(options.maxExpanded !== undefined && { bytesMax: options.maxExpanded }),
      },
      signal,
    })
  } finally {
    waiting.stop()
    await opened.close()
  }
}

/** Now; or what SOURCE_DATE_EPOCH says, so that the same report can be made twice (https://reproducible-builds.org/specs/source-date-epoch/). */
function madeAt(): string {
  const epoch = process.env.SOURCE_DATE_EPOCH
  const seconds = epoch !== undefined && /^\d{1,11}$/.test(epoch) ? Number(epoch) : Math.floor(Date.now() / 1000)
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

async function writeNotes(made: CaseReport, { notes }: Work, file: string, signal: AbortSignal): Promise<void> {
  const [{ skeleton }, { toJson }] = await Promise.all([
    import('../report/case-report/notes.ts'),
    import('../report/json.ts'),
  ])
  const told = (made.dossier ?? made.detections)!.findings
  const findings = made.findings.map(({ id, key }, i) => {
    const { title, first_start } = told[i]!
    return { id, key, title, first_start }
  })
  await written(file, '--new-notes', `${toJson(skeleton(notes, findings))}\n`, false, signal)
}

async function written(name: string, option: string, text: string, force: boolean, signal: AbortSignal): Promise<void> {
  const [{ outputTarget }, { OutputFile }] = await Promise.all([
    import('../disk/output.ts'),
    import('../disk/output-file.ts'),
  ])
  const output = await OutputFile.begin(outputTarget(name, { option, force }), signal)
  try {
    output.text(text)
    await output.finish()
  } catch (error) {
    output.abandon()
    throw error
  }
  if (name !== '-') await note(`${visible(name)}: ${sizeText(Buffer.byteLength(text))}`)
}
