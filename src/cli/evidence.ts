import type { Command } from 'commander'
import type { CommonOptions } from './options.ts'
import { printReport } from './unread.ts'

/** Defines `tidemark evidence`. */
export function evidenceCommand(program: Command): void {
  const command = program
    .command('evidence')
    .description('List what the case was built from: every file with its digest, its lines, and what was not read.')
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', evidenceHelp)
    .action(async () => {
      const options = command.optsWithGlobals<CommonOptions>()
      const { readEvidence } = await import('../store/evidence-report.ts')
      const { evidencePage } = await import('../report/evidence.ts')
      await printReport(await readEvidence(options.case), evidencePage, options)
    })
}

const evidenceHelp = `
Examples:
  tidemark evidence
  tidemark evidence --case incident.tidemark --json | jq '.totals'
  tidemark evidence --json | jq -r '.files[] | "\\(.sha256)  \\(.path)"' | sha256sum -c`
