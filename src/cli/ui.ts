import { join } from 'node:path'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import { type CommonOptions, collectPrefix, parseFolder } from './options.ts'
import { note, print } from './output.ts'

interface Options extends CommonOptions {
  demo?: true
  out: string
  port: number
  internal?: string[]
  open: boolean
}

/** Defines `tidemark ui`. */
export function uiCommand(program: Command): void {
  const command = program
    .command('ui')
    .description('Open the workbench on a case: a page in the browser, served to this machine alone.')
    .option('--demo', 'build the reconstruction of the Lab 1.3 incident, with its capture, and open that')
    .addOption(new Option('--out <dir>', 'folder of --demo').default('tidemark-demo').argParser(parseFolder))
    .addOption(new Option('--port <n>', 'port to listen on; 0 is any that is free').argParser(parsePort).default(0))
    .addOption(
      new Option('--internal <network>', 'network of your own besides the private ones (repeatable)').argParser(
        collectPrefix,
      ),
    )
    .option('--no-open', 'print the link, and open no browser')
    .addHelpText('after', uiHelp)
    .action(async () => {
      const options = command.optsWithGlobals<Options>()
      if (!options.demo && command.getOptionValueSource('out') === 'cli')
        command.error("error: option '--out <dir>' needs '--demo'", { exitCode: 2 })
      const isOwnCase = options.demo === true && command.getOptionValueSourceWithGlobals('case') !== 'cli'
      const caseDir = isOwnCase ? join(options.out, 'case.tidemark') : options.case
      await interruptible(async signal => {
        if (options.demo) await demoCase(options.out, caseDir, isOwnCase, signal)
        await serve(caseDir, options, signal)
      })
    })
}

const uiHelp = `
The link that is printed lets in whoever has it, on this machine. Ctrl-C ends the workbench, with status 0.
There need not be a case: evidence can be added on the page.

Examples:
  tidemark ui --demo
  tidemark ui --case incident.tidemark --internal 198.51.100.0/24
  tidemark ui --no-open --port 8080`

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new InvalidArgumentError('Expected a port number, 0 to 65535.')
  return port
}

/** Makes the case of the demo, unless it is there: the analyst may have noted something in it. */
async function demoCase(out: string, caseDir: string, isOwnCase: boolean, signal: AbortSignal): Promise<void> {
  const { holdsDemo, readDemo, refuseForeignCase, writeDemo } = await import('./demo-case.ts')
  const written = await writeDemo({ out, seed: 1 }, signal)
  if (await holdsDemo(written, caseDir)) return
  if (isOwnCase) await refuseForeignCase(caseDir, out)
  await readDemo(written, caseDir, isOwnCase, signal)
}

/** Serves the workbench until it is stopped, as it is meant to be: that is no failure. */
async function serve(caseDir: string, options: Options, signal: AbortSignal): Promise<void> {
  const { startWorkbench } = await import('../server/listen.ts')
  let forget = (): void => undefined
  const workbench = await startWorkbench({
    caseDir,
    port: options.port,
    demo: options.demo === true,
    internal: options.internal ?? [],
    onNote: text => void note(`tidemark: ${text}`).catch(() => undefined),
    onEntered: () => forget(),
  })
  try {
    signal.throwIfAborted()
    await print(workbench.url)
    await note(await open(workbench.url, options.open, remove => (forget = remove)))
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  } finally {
    forget()
    await workbench.close()
  }
}

/** Opens a browser, if one is wanted and there is one. @returns what to do with the link. */
async function open(url: string, wanted: boolean, onOpened: (remove: () => void) => void): Promise<string> {
  const { hostname, port: named } = new URL(url)
  const port = named === '' ? 80 : named
  const end = 'Ctrl-C ends the workbench.'
  const byHand = `tidemark: open that link in a browser on this machine. ${end}`
  if (!wanted) return byHand
  const { noBrowserHere, openBrowser } = await import('./browser.ts')
  const reason = noBrowserHere(process.env, process.platform)
  if (reason === 'you are here by ssh')
    return `${byHand}\n  hint: for a browser on your own machine, run there: ssh -N -L ${hostname}:${port}:${hostname}:${port} HOST (on macOS after: sudo ifconfig lo0 alias ${hostname})`
  if (reason !== null) return byHand
  const failed = (): void => void note('tidemark: no browser could be opened: open the link yourself').catch(() => {})
  onOpened(openBrowser(url, failed))
  return `tidemark: opening that link in your browser; if nothing opens, open it yourself. ${end}`
}
