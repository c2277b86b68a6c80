import type { Command } from 'commander'
import type { ConvertOptions, ConvertReport } from '../convert/convert.ts'
import { exitStatus } from '../errors.ts'
import { parseAddress } from '../net/address.ts'
import { countText, integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { requirePaths } from './arguments.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import { anonymiseOption, forceOption, keptFrom, type OutputOptions, unlessReaderGone } from './named-output.ts'
import { parseCount, parseRatio, parseSize, type ReadingOptions } from './options.ts'
import { note, print } from './output.ts'
import { startBar } from './progress.ts'

interface Options extends OutputOptions, ReadingOptions {
  out: string
  to?: 'nfcapd' | 'parquet' | 'csv' | 'ndjson' | 'conn-log' | 'vpc'
  compress?: NonNullable<ConvertOptions['compression']>
  rotate?: number
  active?: number
  inactive?: number
  fields?: string
  interval?: string
  interface?: string
  interfaceId?: string
  anonymise?: string
}

/** Defines `tidemark convert`. */
export function convertCommand(program: Command): void {
  const command = program
    .command('convert')
    .description('Turn captures into flow records: nfcapd, Parquet, CSV, NDJSON, Zeek conn.log or VPC flow log.')
    .argument('<capture...>', 'pcap and pcapng files, also packed (gzip, zstd, xz, bzip2), or folders of them')
    .requiredOption('-o, --out <path>', 'file to write, - for standard output; for nfcapd also a folder/')
    .addOption(
      new Option('--to <format>', 'format, if the name of the output does not say it').choices([
        ...['nfcapd', 'parquet', 'csv', 'ndjson', 'conn-log', 'vpc'],
      ]),
    )
    .addOption(new Option('--compress <how>', 'nfcapd: compression, by default none').choices(['none', 'lz4', 'zstd']))
    .addOption(
      new Option('--rotate <seconds>', 'nfcapd in a folder: seconds of one file, by default 300').argParser(parseCount),
    )
    .addOption(new Option('--active <seconds>', 'active timeout, by default 300').argParser(parseCount))
    .addOption(new Option('--inactive <seconds>', 'inactive timeout, by default 60').argParser(parseCount))
    .option('--fields <list>', 'vpc: field names, or the name of a list: default, v3, v5, …')
    .addOption(new Option('--interval <seconds>', 'vpc: aggregation interval, by default 60').choices(['60', '600']))
    .addOption(
      new Option('--interface <address>', 'vpc: address of the interface, for flow-direction').argParser(parseHost),
    )
    .option('--interface-id <id>', 'vpc: name of the interface, by default - (unknown)')
    .option(...anonymiseOption)
    .addOption(
      new Option('--max-expand <ratio>', 'most bytes out of a compressed file per byte in').argParser(parseRatio),
    )
    .addOption(
      new Option('--max-expanded <size>', 'most bytes out of one compressed file, e.g. 50G').argParser(parseSize),
    )
    .option(...forceOption)
    .option('--json', 'print one JSON document about what was done')
    .addHelpText('after', convertHelp)
    .action(async (paths: string[]) => {
      const options = command.optsWithGlobals<Options>()
      await requirePaths(paths)
      await unlessReaderGone(async () => {
        const report = await interruptible(signal => run(paths, options, signal))
        if (options.anonymise !== undefined) {
          const { warnOfKeyFile } = await import('./anonymise.ts')
          await warnOfKeyFile(options.anonymise)
        }
        await show(report, options)
      })
    })
}

const convertHelp = `
Each capture is metered by itself. conn-log writes connections; every other format writes flow records, one for each direction.

Examples:
  tidemark convert investigate.pcap -o flows/                 nfcapd files for nfdump -R flows
  tidemark convert investigate.pcap -o flows.parquet
  tidemark convert captures/ -o conn.log
  tcpdump -w - | tidemark convert - -o - --to csv
  tidemark convert investigate.pcap -o - --to vpc --interval 60 --interface 10.130.8.94
  tidemark convert investigate.pcap -o shared.csv --anonymise ~/flows.key`

function parseHost(text: string): string {
  if (parseAddress(text) === null) throw new InvalidArgumentError('Expected an address, like 10.0.0.7.')
  return text
}

async function run(paths: string[], options: Options, signal: AbortSignal): Promise<ConvertReport> {
  const { convert } = await import('../convert/convert.ts')
  const bar = await startBar('converting')
  try {
    return await convert({
      paths,
      out: options.out,
      force: options.force === true,
      kept: (await keptFrom(options.out, options.case)) ?? [],
      ...(options.to && { to: options.to }),
      ...(options.compress && { compression: options.compress }),
      ...(options.rotate !== undefined && { rotate: options.rotate }),
      ...(options.active !== undefined && { active: options.active }),
      ...(options.inactive !== undefined && { inactive: options.inactive }),
      ...(options.fields !== undefined && { fields: options.fields }),
      ...(options.interval !== undefined && { interval: Number(options.interval) }),
      ...(options.interface !== undefined && { interfaceAddress: options.interface }),
      ...(options.interfaceId !== undefined && { interfaceId: options.interfaceId }),
      ...(options.anonymise !== undefined && { anonymise: options.anonymise }),
      limits: {
        ...(options.maxExpand !== undefined && { ratioMax: options.maxExpand }),
        ...(options.maxExpanded !== undefined && { bytesMax: options.maxExpanded }),
      },
      signal,
      onProgress: (done, total, packets) => bar.update(done, total, `${integerText(packets)} packets`),
    })
  } finally {
    bar.stop()
  }
}

async function show(report: ConvertReport, options: Options): Promise<void> {
  const left = report.files.filter(file => file.problem !== null)
  const isPartial = left.some(file => file.status !== 'not-evidence')
  if (options.json && options.out !== '-') {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(report))
  } else {
    const what = report.format === 'conn-log' ? 'connection' : 'flow record'
    const undecoded = report.packets - report.decoded
    await note(
      `${countText(report.packets, 'packet')} of ${countText(report.files.length, 'file')}` +
        (undecoded > 0 ? `, ${integerText(undecoded)} of them not IP or not decodable` : '') +
        `: ${report.written ? `${countText(report.rows, what)}${options.out === '-' ? '' : ` in ${visible(options.out)}`}` : 'nothing was written'}`,
    )
  }
  for (const { path, status, problem } of left) {
    await note(
      `tidemark: ${visible(path)}: ${status === 'not-evidence' ? 'not evidence: ' : ''}${visible(problem ?? '')}`,
    )
  }
  // Without any capture there is no output, which is what was asked for.
  process.exitCode = isPartial ? exitStatus.partly_read : report.written ? exitStatus.done : exitStatus.failed
}
