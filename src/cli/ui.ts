import { join } from 'node:path'
import type { Command } from 'commander'
import { Option } from './commander.ts'
import { Interrupted, interruptible } from './interrupt.ts'
import { type CommonOptions, parseCount, parseFolder } from './options.ts'
import { note, print } from './output.ts'

interface Options extends CommonOptions {
  demo?: true
  out: string
  port: number
  open: boolean
}

/** Defines `tidemark ui`. */
export function uiCommand(program: Command): void {
  const command = program
    .command('ui')
    .description('Open the workbench on a case: a page in the browser, served to this machine alone.')
    .option('--demo', 'build the reconstruction of the Lab 1.3 incident, and open that')
    .addOption(new Option('--out <dir>', 'folder of the demo').default('tidemark-demo').argParser(parseFolder))
    .addOption(
      new Option('--port <n>', 'port to listen on; by default any that is free').argParser(parseCount).default(0),
    )
    .option('--no-open', 'print the link, and open no browser')
    .addHelpText('after', uiHelp)
    .action(async () => {
      const options = command.optsWithGlobals<Options>()
      await interruptible(signal => serve(options, signal))
    })
}

const uiHelp = `
The link that is printed lets one browser in. Ctrl-C ends the workbench.

Examples:
  tidemark ui --demo
  tidemark ui --case incident.tidemark
  tidemark ui --no-open --port 8080`

async function serve(options: Options, signal: AbortSignal): Promise<void> {
  const caseDir = options.demo ? join(options.out, 'case.tidemark') : options.case
  const { startWorkbench } = await import('../server/listen.ts')
  const workbench = await startWorkbench({
    caseDir,
    port: options.port,
    demo: options.demo === true,
    onNote: text => void note(`tidemark: ${text}`),
  })
  try {
    await print(`${workbench.url}\n`)
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  } finally {
    await workbench.close()
  }
  if (signal.reason instanceof Interrupted) return
}
