import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Option } from './commander.ts'
import {
  addEnrichmentOptions,
  type EnrichmentCliOptions,
  enrichmentOf,
  reportEnrichment,
} from './enrichment-options.ts'
import { interruptible } from './interrupt.ts'
import { type CommonOptions, collectText } from './options.ts'
import { print, printPage } from './output.ts'

interface Options extends CommonOptions, EnrichmentCliOptions {
  remove?: string[]
}

/** Defines `tidemark enrich`. */
export function enrichCommand(program: Command): void {
  const command = program
    .command('enrich')
    .description('Note in the case which files of your own say what addresses are; without an option, list them.')
    .option('--json', 'print one JSON document instead of a page')
  addEnrichmentOptions(command)
    .addOption(new Option('--remove <file>', 'no longer use a file that was noted (repeatable)').argParser(collectText))
    .addHelpText('after', enrichHelp)
    .action(async () => {
      const options = command.optsWithGlobals<Options>()
      await interruptible(signal => enrich(options, signal))
    })
}

const enrichHelp = `
The case keeps the name and the SHA-256 of each file, not the file. Questions then use it by themselves; where it has changed or is gone,
they say so, with status 3. Lists and networks are added; a database takes the place of the one before. Nothing is fetched from anywhere.

Examples:
  tidemark enrich --list tor-exits.csv --list blocked.txt
  tidemark enrich --geoip GeoLite2-Country.mmdb --asn GeoLite2-ASN.mmdb --aws-ranges ip-ranges.json
  tidemark flows 'dst country RU and not list tor-exits' -A dst_asn`

async function enrich(options: Options, signal: AbortSignal): Promise<void> {
  const [{ caseFolder }, { noteFiles, notedFiles }] = await Promise.all([
    import('../store/nodes.ts'),
    import('../filter/case-enrichment.ts'),
  ])
  const { openCase } = await import('../store/case.ts')
  const c = await openCase(options.case)
  try {
    const dir = await caseFolder(options.case)
    const given = absolute(enrichmentOf(options))
    const removed = (options.remove ?? []).map(path => resolve(path))
    if (Object.keys(given).length > 0 || removed.length > 0) await noteFiles({ dir }, given, removed, signal)
    const noted = await notedFiles({ dir }, signal)
    if (options.json) {
      const { toJson } = await import('../report/json.ts')
      await print(toJson(noted))
    } else {
      const { enrichmentPage } = await import('../report/enrichment.ts')
      await printPage(enrichmentPage(noted.enrichment), options.color)
    }
    await reportEnrichment(noted.problems)
  } finally {
    await c.close()
  }
}

/** Wherever the next question is asked, it is the same file. */
function absolute(given: ReturnType<typeof enrichmentOf>): ReturnType<typeof enrichmentOf> {
  const { lists, networks, ...one } = given
  return {
    ...Object.fromEntries(Object.entries(one).map(([name, path]) => [name, resolve(String(path))])),
    ...(lists !== undefined && { lists: lists.map(path => resolve(path)) }),
    ...(networks !== undefined && { networks: networks.map(path => resolve(path)) }),
  }
}
