/** The options that name files of one's own which say what addresses are. */
import type { Command } from 'commander'
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import type { EnrichmentProblem } from '../enrich/enrichment-file.ts'
import { exitStatus } from '../errors.ts'
import { integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { Option } from './commander.ts'
import { collectText } from './options.ts'
import { note } from './output.ts'

export interface EnrichmentCliOptions {
  list?: string[]
  geoip?: string
  asn?: string
  awsRanges?: string
  networks?: string[]
}

/** Options of every command that asks what addresses are. */
export function addEnrichmentOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--list <file>',
        'addresses on a list: text, CSV, STIX or MISP; a time that it names is heeded (repeatable)',
      ).argParser(collectText),
    )
    .option('--geoip <file>', 'countries of addresses: an MMDB file')
    .option('--asn <file>', 'autonomous systems of addresses: an MMDB file')
    .option('--aws-ranges <file>', 'services of AWS: its ip-ranges.json')
    .addOption(
      new Option(
        '--networks <file>',
        'your own networks: prefix, name, internal, role, as CSV or JSON (repeatable)',
      ).argParser(collectText),
    )
}

export function enrichmentOf({ list, geoip, asn, awsRanges, networks }: EnrichmentCliOptions): EnrichmentOptions {
  return {
    ...(list !== undefined && { lists: list }),
    ...(geoip !== undefined && { geoip }),
    ...(asn !== undefined && { asn }),
    ...(awsRanges !== undefined && { awsRanges }),
    ...(networks !== undefined && { networks }),
  }
}

const namedAtMost = 20

/** Names what of such files could not be read, and sets the exit status that goes with it. */
export async function reportEnrichment(problems: readonly EnrichmentProblem[]): Promise<void> {
  if (problems.length === 0) return
  const named = problems.slice(0, namedAtMost).map(({ path, line, problem }) => {
    const place = line === undefined ? visible(path) : `${visible(path)}:${line}`
    return `  ${place}: ${visible(problem)}`
  })
  const more = problems.length - named.length
  if (more > 0) named.push(`  … and ${integerText(more)} more: --json lists them`)
  await note(['tidemark: some of what your own files say could not be used', ...named].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}
