import type { Command } from 'commander'
import { isSourceUri } from '../sources/uri.ts'
import type { EvidenceReport } from '../store/reports.ts'
import { noteFoldersWithout } from './added.ts'
import { requirePaths } from './arguments.ts'
import { Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import {
  type CommonOptions,
  parseCount,
  parseRatio,
  parseSize,
  type ReadingOptions,
  readingOptions,
} from './options.ts'
import { note } from './output.ts'
import { addDetails, startBar } from './progress.ts'
import { commandLine } from './shell-words.ts'
import { addSourceOptions, listSources, refuseSourceOptions, type SourceCliOptions } from './source-options.ts'
import { printReport } from './unread.ts'

/** Defines `tidemark add`. */
export function addCommand(program: Command): void {
  const command = program
    .command('add')
    .description('Read evidence into the case: files, or folders with everything below them.')
    .argument(
      '<path...>',
      'flow logs (text, Parquet), captures (pcap, pcapng), nfcapd files, also packed (gzip, zstd, xz, bzip2) or in zip and tar archives, or folders of them; - is standard input; s3://BUCKET/PREFIX and logs://GROUP are read from AWS',
    )
    .option('--json', 'print one JSON document instead of a page')
    .option('--again', 'read files that are in the case once more; the new reading counts in the place of the old one')
  addSourceOptions(addReadingOptions(command))
    .addHelpText('after', addHelp)
    .action(async (paths: string[]) => {
      const options = command.optsWithGlobals<CommonOptions & ReadingOptions & SourceCliOptions & { again?: true }>()
      await requirePaths(paths, 'elsewhere too')
      await interruptible(async signal => {
        const report = await readInto(options.case, paths, options, signal)
        const { addPage } = await import('../report/evidence.ts')
        await noteFoldersWithout(report)
        const groups = paths.filter(path => /^logs:/i.test(path))
        if (report.files.length === 0 && groups.length > 0 && !report.interrupted) {
          const { visible } = await import('../report/text.ts')
          await note(`tidemark: no events in: ${groups.map(visible).join(' ')}`)
        }
        await printReport(report, addPage, options)
        if (report.interrupted) throw signal.reason
      })
    })
}

const addHelp = `
s3://BUCKET/PREFIX and logs://GROUP (CloudWatch) are listed first; what is in the case by its ETag is not read twice.
A file that is in the case already, under whatever name, is recognized by its content and not read twice.
What was read in a wrong way is read once more with --again; what does not belong here, tidemark remove takes out.

Examples:
  tidemark add logs/
  tidemark add --case incident.tidemark 20230928/ extra.log.gz
  tidemark add s3://bucket/AWSLogs/ --source-window 2023-09-28T17:00..2023-09-28T19:00
  tidemark add headless.log --format 'version account-id interface-id srcaddr dstaddr srcport dstport
      protocol packets bytes start end action log-status'`

/** Options of every command that reads evidence. */
export function addReadingOptions(command: Command): Command {
  return command
    .option(
      '--format <fields>',
      'field names of flow logs without a header line, or a list’s name: default, v2 to v11, tgw; or columns of a table of flows: rwcut, nfdump, yafscii',
    )
    .option('--format-unknown', 'take names in --format that this version does not know, and keep their values as text')
    .addOption(
      new Option('--max-expand <ratio>', 'most bytes out of a compressed file per byte in (default 200)').argParser(
        parseRatio,
      ),
    )
    .addOption(
      new Option('--max-expanded <size>', 'most bytes out of one compressed file, e.g. 50G (default 64G)').argParser(
        parseSize,
      ),
    )
    .addOption(new Option('--workers <n>', 'threads that read').argParser(parseCount))
    .option('--keep-copies', 'captures: count packets that several interfaces saw as often as they are there')
}

/**
 * Reads evidence into a case with a progress bar. A stop leaves a report of what is in, `interrupted`.
 *
 * @param isKept whether the case stays.
 * @throws OnlyListed after `--dry-run`.
 */
export async function readInto(
  caseDir: string,
  paths: string[],
  options: ReadingOptions & SourceCliOptions & { again?: true; from?: string; to?: string; json?: true },
  signal: AbortSignal,
  isKept = true,
): Promise<EvidenceReport> {
  const uris = paths.filter(isSourceUri)
  if (uris.length === 0) refuseSourceOptions(options)
  const listed = uris.length === 0 ? [] : await listSources(uris, options, signal, isKept)
  // Two names may mean the same file.
  const remote = [...new Map(listed.flatMap(one => one.files).map(file => [file.path, file])).values()]
  const { addEvidence } = await import('../ingest/add.ts')
  const bar = await startBar('reading')
  try {
    return await addEvidence({
      case: caseDir,
      paths: paths.filter(path => !isSourceUri(path)),
      ...(uris.length > 0 && { remote }),
      ...readingOptions(options),
      ...(options.again && { again: true }),
      signal,
      onProgress: p => bar.update(p.bytes_done, p.bytes_total, addDetails(p)),
      command: commandLine(),
    })
  } finally {
    bar.stop()
  }
}
