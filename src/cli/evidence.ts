import type { Command } from 'commander'
import { addEngineOptions, refuseWithoutEngine } from './engine-options.ts'
import type { EvidenceCliOptions } from './evidence-engine.ts'
import { interruptible } from './interrupt.ts'
import { addAwsOptions } from './source-options.ts'
import { printReport } from './unread.ts'

/** Defines `tidemark evidence`. */
export function evidenceCommand(program: Command): void {
  const command = program
    .command('evidence')
    .description('List what the case was built from: every file with its digest, its lines, and what was not read.')
    .option('--json', 'print one JSON document instead of a page')
    .option('--from <time>', 'with --engine: lines that begin from then on')
    .option('--to <time>', 'with --engine: lines that begin before then; before the end of it, where it is a day')
  addAwsOptions(addEngineOptions(command))
    .addHelpText('after', evidenceHelp)
    .action(async () => {
      const options = command.optsWithGlobals<EvidenceCliOptions>()
      if (options.engine !== undefined) {
        const { evidenceOfEngine } = await import('./evidence-engine.ts')
        return interruptible(signal => evidenceOfEngine(options, signal))
      }
      const { from, to, dryRun, profile, roleArn, region, endpoint, requestPayer } = options
      refuseWithoutEngine(options, {
        ...{ '--from': from, '--to': to, '--dry-run': dryRun, '--profile': profile, '--role-arn': roleArn },
        ...{ '--region': region, '--endpoint': endpoint, '--request-payer': requestPayer },
      })
      const { readEvidence } = await import('../store/evidence-report.ts')
      const { evidencePage } = await import('../report/evidence.ts')
      await printReport(await readEvidence(options.case), evidencePage, options)
    })
}

const evidenceHelp = `
With --engine it tells what a table of Trino or Athena covers: its sensors, days and gaps.

Examples:
  tidemark evidence
  tidemark evidence --case incident.tidemark --json | jq '.totals'
  tidemark evidence --json | jq -r '.files[] | "\\(.sha256)  \\(.path)"' | sha256sum -c
  tidemark evidence --engine athena://network/flow_logs --from 2023-09-28 --to 2023-09-28`
