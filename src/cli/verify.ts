import type { Command } from 'commander'
import { exitStatus } from '../errors.ts'
import { sizeText } from '../report/numbers.ts'
import type { VerifyReport } from '../store/reports.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { note, print, printPage, progressTerminal } from './output.ts'
import { startBar } from './progress.ts'

/** Defines `tidemark verify`. */
export function verifyCommand(program: Command): void {
  const command = program
    .command('verify')
    .description(
      'Check every byte of the case against its ledger. Exits with 1 if something was altered or is missing.',
    )
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', verifyHelp)
    .action(async () => {
      const options = command.optsWithGlobals<CommonOptions>()
      const report = await interruptible(signal => check(options.case, signal))
      if (options.json) {
        const { toJson } = await import('../report/json.ts')
        await print(toJson(report))
      } else {
        const { verifyPage } = await import('../report/evidence.ts')
        await printPage(verifyPage(report), options.color)
      }
      process.exitCode = report.intact ? exitStatus.done : exitStatus.failed
    })
}

async function check(caseDir: string, signal: AbortSignal): Promise<VerifyReport> {
  const { verifyWhole } = await import('../verify/verify.ts')
  const bar = await startBar('checking')
  try {
    return await verifyWhole(caseDir, {
      signal,
      onProgress: (done, total) => bar.update(done, total, `${sizeText(done)} of ${sizeText(total)}`),
      onWork: what => {
        bar.stop()
        if (progressTerminal() !== null) void note(`tidemark: computing ${what} once more …`).catch(() => undefined)
      },
    })
  } finally {
    bar.stop()
  }
}

const verifyHelp = `
Examples:
  tidemark verify
  tidemark verify --case incident.tidemark --json | jq -r .head`
