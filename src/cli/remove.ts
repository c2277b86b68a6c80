import type { Command } from 'commander'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { print, printPage } from './output.ts'
import { commandLine } from './shell-words.ts'

interface Options extends CommonOptions {
  undo?: true
  reason?: string
}

/** Defines `tidemark remove`. */
export function removeCommand(program: Command): void {
  const command = program
    .command('remove')
    .description(
      'Take files of evidence out of what counts. The ledger keeps that they were there; --undo puts them back.',
    )
    .argument('<file...>', 'files as `tidemark evidence` lists them, folders, or SHA-256 digests (12 digits or more)')
    .option('--undo', 'put removed files back')
    .option('--reason <text>', 'why, for the ledger')
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', removeHelp)
    .action(async (files: string[]) => {
      const options = command.optsWithGlobals<Options>()
      const { removeEvidence } = await import('../store/remove.ts')
      const report = await interruptible(() =>
        removeEvidence({
          ...{ case: options.case, files, command: commandLine() },
          ...(options.undo && { undo: true }),
          ...(options.reason !== undefined && { reason: options.reason }),
        }),
      )
      if (options.json) {
        const { toJson } = await import('../report/json.ts')
        await print(toJson(report))
      } else {
        const { removedPage } = await import('../report/removed.ts')
        await printPage(removedPage(report), options.color)
      }
    })
}

const removeHelp = `
Nothing is erased: the records stay on the disk, tidemark verify checks them, tidemark evidence shows the history.
To read a file once more, with another --format for example: tidemark add --again.

Examples:
  tidemark remove logs/wrong-account.log --reason 'not of this incident'
  tidemark remove e3b0c44298fc
  tidemark remove --undo logs/wrong-account.log`
