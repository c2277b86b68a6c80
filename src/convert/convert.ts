import { basename, join } from 'node:path'
import { CryptoPan } from '../anonymise/crypto-pan.ts'
import { readKeyFile } from '../anonymise/key-file.ts'
import { type FileName, fileTarget, type OutputRules, outputFolder, outputTarget } from '../disk/output.ts'
import { OutputFile } from '../disk/output-file.ts'
import { clearKilledOutputs } from '../disk/part-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import { defaultLimits, type ExpandLimits } from '../input/expand.ts'
import { findFiles } from '../input/walk.ts'
import type { FlowTimeouts } from '../meter/flows.ts'
import { formatAddress, parseAddress } from '../net/address.ts'
import { isLedger } from '../store/ledger.ts'
import { anonymiseConnection, anonymiseFlow } from './anonymised.ts'
import { type CaptureFile, meterCaptures } from './captures.ts'
import { ConnLogOutput } from './conn-log.ts'
import { type NfcapdOptions, NfcapdOutput } from './nfcapd.ts'
import { type FlowOutput, isFolder } from './output.ts'
import { ParquetOutput } from './parquet.ts'
import { TextOutput } from './text.ts'
import { VpcOutput, vpcFields } from './vpc.ts'

export const outputFormats = ['nfcapd', 'parquet', 'csv', 'ndjson', 'conn-log', 'vpc'] as const
export type OutputFormat = (typeof outputFormats)[number]

export interface ConvertOptions {
  /** Captures, or folders of them. */
  paths: string[]
  /** File to write, `-` for standard output; for nfcapd also a folder, which gets a file for each `rotate` seconds. */
  out: string
  /** By default what the name of the output says. */
  to?: OutputFormat
  compression?: NfcapdOptions['compression']
  /** Seconds. */
  rotate?: number
  /** Whether an older file of that name is replaced. Captures that are read and cases never are. */
  force?: boolean
  /** Other files that are never written over: evidence of a case. */
  kept?: readonly FileName[]
  active?: number
  inactive?: number
  /** vpc: the fields, as of `--format`. */
  fields?: string
  /** vpc: seconds of the aggregation interval, 60 or 600. */
  interval?: number
  interfaceAddress?: string
  interfaceId?: string
  /** A file with a key of Crypto-PAn: addresses are replaced by it, prefixes kept. */
  anonymise?: string
  limits?: Partial<ExpandLimits>
  signal?: AbortSignal
  onProgress?: (done: number, total: number, packets: number) => void
}

export interface ConvertReport {
  out: string
  format: OutputFormat
  files: CaptureFile[]
  /** Flow records, or connections for conn-log. */
  rows: number
  packets: number
  decoded: number
  bytes: number
  /** False where no file could be read: there is no output then, and what lay under its name stays. */
  written: boolean
  /** Whether addresses were replaced. */
  anonymised: boolean
}

/** What the files gave, before it is known whether anything is written. */
type Given = Omit<ConvertReport, 'written' | 'anonymised'>

/** Default fields of a flow log made of a capture: AWS's default list, and what roles are determined from. */
export const defaultVpcFields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags type flow-direction'

/**
 * Captures to flow records of another program's format.
 *
 * @throws UserError when the format is not known or the output cannot be written. Damage in a capture is no error: the report has it.
 */
export async function convert(options: ConvertOptions): Promise<ConvertReport> {
  const format = options.to ?? formatOf(options.out)
  refuseOthers(options, format)
  const pan = options.anonymise === undefined ? null : new CryptoPan(readKeyFile(options.anonymise))
  const report = { out: options.out, format, rows: 0, packets: 0, decoded: 0, bytes: 0 }
  const metering = meteringOptions(options, format)
  const found = await findFiles(options.paths, {
    isLedger,
    pipes: true,
    ...(options.signal && { signal: options.signal }),
  })
  const rules: OutputRules = {
    option: '-o',
    inputs: [
      ...found.filter(file => !file.isPipe).map(file => file.rawPath ?? file.path),
      ...(options.kept ?? []),
      ...(options.anonymise === undefined ? [] : [options.anonymise]),
    ],
    force: options.force === true,
    makesFolders: true,
  }
  if (format === 'conn-log') {
    const output = new ConnLogOutput(await OutputFile.begin(outputTarget(options.out, rules), options.signal))
    return await whole(output, pan !== null, async () => {
      const files = await meterCaptures(
        found,
        {
          connection: connection => {
            report.rows++
            report.bytes += connection.origIpBytes + connection.respIpBytes
            if (pan !== null) anonymiseConnection(pan, connection)
            output.add(connection)
          },
          settle: () => output.settle(),
        },
        metering,
      )
      return reported(report, files)
    })
  }
  const output = await openOutput(format, options, rules, pan)
  return await whole(output, pan !== null, async () => {
    const files = await meterCaptures(
      found,
      {
        flow: record => {
          report.rows++
          report.bytes += record.bytes
          if (pan !== null) anonymiseFlow(pan, record)
          output.add(record)
        },
        ...(output.settle && { settle: () => output.settle!() }),
        ...(output.border && { border: () => output.border!() }),
      },
      metering,
    )
    return reported({ ...report, rows: output.rows ?? report.rows }, files)
  })
}

/** Options that only some formats have: with another one they would do nothing, which nobody means. */
const formatsOf: [keyof ConvertOptions, string, OutputFormat[]][] = [
  ['compression', '--compress', ['nfcapd']],
  ['rotate', '--rotate', ['nfcapd']],
  ['active', '--active', ['nfcapd', 'parquet', 'csv', 'ndjson']],
  ['inactive', '--inactive', ['nfcapd', 'parquet', 'csv', 'ndjson']],
  ['fields', '--fields', ['vpc']],
  ['interval', '--interval', ['vpc']],
  ['interfaceAddress', '--interface', ['vpc']],
  ['interfaceId', '--interface-id', ['vpc']],
]

function refuseOthers(options: ConvertOptions, format: OutputFormat): void {
  const usage = (message: string, hint: string) => new UserError(message, { hint, status: exitStatus.usage })
  for (const [name, option, formats] of formatsOf) {
    if (options[name] === undefined || formats.includes(format)) continue
    throw usage(
      `${option} does nothing for ${format}`,
      `it is an option of ${formats.join(', ')}; leave it out, or say --to`,
    )
  }
  if (options.rotate !== undefined && !isFolder(options.out)) {
    throw usage(
      `--rotate needs a folder: ${options.out}`,
      `-o ${options.out}/ makes one, with a file for each interval`,
    )
  }
  if (format !== 'nfcapd' && options.out !== '-' && isFolder(options.out)) {
    throw usage(
      `a folder where a file is expected: ${options.out}`,
      'only nfcapd is written to a folder: name a file with -o',
    )
  }
}

async function whole(
  output: Pick<FlowOutput, 'finish' | 'abandon'>,
  anonymised: boolean,
  work: () => Promise<Given>,
): Promise<ConvertReport> {
  try {
    const report = await work()
    // What was there under that name is worth more than nothing.
    const written = report.files.some(file => file.status === 'read' || file.status === 'partly-read')
    if (written) await output.finish()
    else output.abandon()
    return { ...report, written, anonymised }
  } catch (error) {
    output.abandon()
    throw error
  }
}

function reported(report: Omit<Given, 'files'>, files: CaptureFile[]): Given {
  for (const file of files) {
    report.packets += file.packets
    report.decoded += file.decoded
  }
  return { ...report, files }
}

function meteringOptions(options: ConvertOptions, format: OutputFormat) {
  const timeouts: Partial<FlowTimeouts> = {
    ...(options.active !== undefined && { active: options.active * 1e6 }),
    ...(options.inactive !== undefined && { inactive: options.inactive * 1e6 }),
  }
  const interval = options.interval ?? 60
  return {
    limits: { ...defaultLimits, ...options.limits },
    // Files of a folder are completed one after the other.
    ...(format === 'nfcapd' && isFolder(options.out) && { sweepEvery: Math.min(60, options.rotate ?? 300) }),
    // A flow log's records end with the interval, and with nothing else.
    ...(format === 'vpc' ? { interval, timeouts: { active: 1e15, inactive: 1e15 } } : { timeouts }),
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  }
}

async function openOutput(
  format: Exclude<OutputFormat, 'conn-log'>,
  options: ConvertOptions,
  rules: OutputRules,
  pan: CryptoPan | null,
): Promise<FlowOutput> {
  const nfcapd = {
    compression: options.compression ?? 'none',
    rotate: options.rotate ?? 300,
    anonymised: pan !== null,
  }
  if (format === 'nfcapd' && isFolder(options.out)) return new NfcapdOutput(windowsOf(options.out, rules), nfcapd)
  if (format === 'parquet') return new ParquetOutput(fileTarget(options.out, { ...rules, seeks: format }))
  const vpc = {
    fields: format === 'vpc' ? vpcFields(options.fields ?? defaultVpcFields) : [],
    interfaceAddress: options.interfaceAddress === undefined ? null : interfaceOf(options.interfaceAddress, pan),
    interfaceId: options.interfaceId ?? null,
  }
  // The head of an nfcapd file has what is known at its end.
  const target = outputTarget(options.out, { ...rules, ...(format === 'nfcapd' && { seeks: format }) })
  const file = await OutputFile.begin(target, options.signal)
  if (format === 'nfcapd') return new NfcapdOutput(file, nfcapd)
  return format === 'vpc' ? new VpcOutput(file, vpc) : new TextOutput(file, format)
}

/** An address as the records have it; any other text is in no record. */
function interfaceOf(text: string, pan: CryptoPan | null): string {
  const address = parseAddress(text)
  if (address === null) return text
  const { hi, lo } = pan === null ? address : pan.address(address)
  return formatAddress(hi, lo)
}

/** Opens files in a folder, which is made. */
function windowsOf(folder: string, rules: OutputRules): (name: string) => OutputFile {
  outputFolder(folder, rules.option)
  clearKilledOutputs(folder)
  return name => OutputFile.beside(fileTarget(join(folder, name), { ...rules, seeks: 'nfcapd' }))
}

/** The format that a name stands for. */
function formatOf(out: string): OutputFormat {
  const name = basename(out).toLowerCase()
  if (isFolder(out) || /^nfcapd\.|\.(nf|nfcapd)$/.test(name)) return 'nfcapd'
  if (name.endsWith('.parquet')) return 'parquet'
  if (name.endsWith('.csv')) return 'csv'
  if (/\.(ndjson|jsonl)$/.test(name)) return 'ndjson'
  if (/^conn\b.*\.log$/.test(name)) return 'conn-log'
  if (/vpc.*\.log$|flowlogs?.*\.log$/.test(name)) return 'vpc'
  throw new UserError(`cannot tell the format from the name of the output: ${out}`, {
    hint: `say it with --to ${outputFormats.join('|')}`,
    status: exitStatus.usage,
  })
}
