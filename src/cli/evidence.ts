import type { Command } from 'commander'
import type { CommonOptions } from './options.ts'
import { outputStyle, print } from './output.ts'

/** Defines `tidemark evidence`. */
export function evidenceCommand(program: Command): void {
  const command = program
    .command('evidence')
    .description('List what the case was built from: every file with its digest, its lines, and what was not read.')
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', evidenceHelp)
    .action(async () => {
      const options = command.optsWithGlobals<CommonOptions>()
      const { readEvidence } = await import('../store/case.ts')
      const report = await readEvidence(options.case)
      if (options.json) {
        const { toJson } = await import('../report/json.ts')
        await print(toJson(report))
      } else {
        const { renderEvidence } = await import('../report/evidence.ts')
        await print(renderEvidence(report, outputStyle(options.color)))
      }
    })
}

const evidenceHelp = `
Examples:
  tidemark evidence
  tidemark evidence --case incident.tidemark --json | jq '.totals'
  tidemark evidence --json | jq -r '.files[] | "\\(.sha256)  \\(.path)"' | sha256sum -c`
