import type { Command } from 'commander'
import type { ExportFormat, ExportKind, ExportOptions, ExportReport } from '../export/formats.ts'
import { countText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { type Severity, severities } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { addReadingOptions } from './add.ts'
import { noteWriter } from './added.ts'
import { Option } from './commander.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { splitFilter } from './flows-arguments.ts'
import { interruptible } from './interrupt.ts'
import { countAfterDashes, readAll } from './investigate.ts'
import { anonymiseOption, checkOutput, forceOption, type OutputOptions, unlessReaderGone } from './named-output.ts'
import { collectPrefix, type ReadingOptions } from './options.ts'
import { note } from './output.ts'
import { startWaiting } from './progress.ts'
import { isBroken, reportUnread } from './unread.ts'

interface Options extends OutputOptions, ReadingOptions, EnrichmentCliOptions {
  to: ExportOptions['to']
  what?: NonNullable<ExportOptions['what']>
  out: string
  from?: string
  until?: string
  of?: string[]
  internal?: string[]
  minSeverity?: Severity
  rawCsv?: true
  anonymise?: string
  notes?: string
}

const formats: Record<ExportFormat, true> = {
  ...{ ocsf: true, ecs: true, stix: true, sigma: true, guardduty: true, csv: true, ndjson: true, 'conn-log': true },
}
const kinds: Record<ExportKind, true> = { records: true, connections: true, findings: true, all: true }

/** Defines `tidemark export`. */
export function exportCommand(program: Command): void {
  const command = addReadingOptions(addEnrichmentOptions(withOptions(program)))
    .addHelpText('after', exportHelp)
    .action(async (args: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { filter, paths } = await splitFilter(args, countAfterDashes(process.argv.slice(2)), {})
      const asked = await askedOf(options, filter)
      const { kindOf } = await import('../export/formats.ts')
      kindOf(asked)
      await checkOutput(options.out, paths, options, { option: '-o' })
      // A case of the environment is not meant to be written by a command that was given files to look at.
      const isThrowAway = paths.length > 0 && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      await unlessReaderGone(() =>
        interruptible(async signal => {
          const work = async (caseDir: string): Promise<void> => {
            if (paths.length > 0) await readAll(caseDir, paths, options, signal, !isThrowAway)
            await write(caseDir, { ...asked, signal })
          }
          if (!isThrowAway) return work(options.case)
          const { withThrowAwayCase } = await import('./throw-away-case.ts')
          return withThrowAwayCase(work)
        }),
      )
    })
}

function withOptions(program: Command): Command {
  return program
    .command('export')
    .description('Write findings, connections or flow records in the format of another tool.')
    .usage('[options] --to FORMAT [FILTER] [PATH…]')
    .argument('[filter...]', 'which records or connections, one argument; then, if any, files and folders to read')
    .addOption(new Option('--to <format>', 'format to write').choices(Object.keys(formats)).makeOptionMandatory())
    .addOption(
      new Option('--what <kind>', 'what to write, by default what the format is mostly used for').choices(
        Object.keys(kinds),
      ),
    )
    .option('-o, --out <file>', 'file to write, - for standard output', '-')
    .option(...forceOption)
    .option('--from <time>', 'only what begins at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--until <time>', 'only what begins before it; before the end of it, where it is a day')
    .addOption(
      new Option('--of <address>', 'findings of the dossier of an address or network (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .addOption(new Option('--min-severity <severity>', 'only findings at least that severe').choices(severities))
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option('--notes <file>', 'your notes on findings, as of tidemark report: without those refuted, with your words')
    .option(...anonymiseOption)
    .option('--raw-csv', 'csv: write texts as they are, also where a spreadsheet takes them for formulas')
}

const exportHelp = `
ocsf, ecs, ndjson and csv hold connections, findings or records; stix findings or connections; sigma and guardduty findings; conn-log connections.
Connections count traffic once; records are as the sensors wrote them.

Examples:
  tidemark export --to ocsf -o connections.ndjson
  tidemark export --to ocsf --what findings
  tidemark export --to csv --what records 'port 22' -o ssh.csv
  tidemark export --to stix --of 203.0.113.7 -o bundle.json
  tidemark export --to conn-log logs/ -o conn.log
  tidemark export --to ecs -o shared.ndjson --anonymise ~/flows.key`

async function askedOf(options: Options, filter: string | undefined): Promise<ExportOptions> {
  const { to, what, out, from, until, of, internal, minSeverity, rawCsv, force, anonymise, notes } = options
  const { selectionOf } = await import('./selection.ts')
  const time = { ...(from !== undefined && { from }), ...(until !== undefined && { to: until }) }
  const { from_us, to_us } = await selectionOf(time)
  return {
    ...{ to, out, force: force === true, enrichment: enrichmentOf(options) },
    ...(what !== undefined && { what }),
    ...(filter !== undefined && { filter }),
    ...(from_us !== undefined && { from_us }),
    ...(to_us !== undefined && { to_us }),
    ...(of !== undefined && { of }),
    ...(internal !== undefined && { internal }),
    ...(minSeverity !== undefined && { minSeverity }),
    ...(rawCsv === true && { rawCsv }),
    ...(notes !== undefined && { notes: (await import('../report/case-report/notes.ts')).readNotes(notes) }),
    ...(anonymise !== undefined && { change: await changeOf(anonymise) }),
    kept: [anonymise, notes].flatMap(file => (file === undefined || file === '-' ? [] : [file])),
  }
}

/** The change of addresses that a key makes. @throws UserError (status 2) for a file without one. */
async function changeOf(keyFile: string): Promise<NonNullable<ExportOptions['change']>> {
  const { keyedChange, warnOfKeyFile } = await import('./anonymise.ts')
  const change = keyedChange(keyFile)
  await warnOfKeyFile(keyFile)
  return change
}

async function write(caseDir: string, asked: ExportOptions): Promise<void> {
  const [{ openCase }, { exportCase }] = await Promise.all([import('../store/case.ts'), import('../export/export.ts')])
  const opened = await openCase(caseDir)
  const waiting = startWaiting(() => `writing ${asked.to}`)
  try {
    await noteWriter(opened)
    const report = await exportCase(opened, asked)
    waiting.stop()
    await tell(report, opened, asked)
  } finally {
    waiting.stop()
    await opened.close()
  }
}

async function tell(report: ExportReport, opened: Case, { rawCsv }: ExportOptions): Promise<void> {
  const { out, format, left_out, notes, enrichment_problems } = report
  const counts = [
    ...(report.findings > 0 ? [countText(report.findings, 'finding')] : []),
    ...(report.connections > 0 ? [`${countText(report.connections, 'connection')} (traffic counted once)`] : []),
    ...(report.records > 0 ? [`${countText(report.records, 'flow record')} (as the sensors wrote them)`] : []),
  ]
  const what = counts.length === 0 ? `no ${report.what === 'all' ? 'items' : report.what}` : counts.join(', ')
  const raw = rawCsv === true ? '; texts are as they are: a spreadsheet may take some for formulas' : ''
  await note(
    [
      `tidemark: ${what} as ${format}${out === '-' ? '' : ` in ${visible(out)}`}${raw}`,
      ...left_out.map(one => `  not in it: ${visible(one)}`),
      ...notes.map(one => `  ${visible(one)}`),
    ].join('\n'),
  )
  const isPartial = opened.evidence.some(isBroken) || opened.problems.length > 0
  process.exitCode ||= await reportUnread(opened.problems, isPartial, 'tidemark evidence --json lists them all')
  await reportEnrichment(enrichment_problems)
}
