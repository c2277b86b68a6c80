import type { Command } from 'commander'
import { noteWriter } from './added.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { note, print, printPage, progressTerminal } from './output.ts'
import { quoted } from './shell-words.ts'
import { isBroken, reportUnread } from './unread.ts'

/** Defines `tidemark case`. */
export function caseCommand(program: Command): void {
  const command = program
    .command('case')
    .description('Show what is in the case on one page: time, sensors, services, peers, gaps, and what to ask next.')
    .option('--json', 'print one JSON document instead of a page')
    .addHelpText('after', caseHelp)
    .action(async () => {
      const options = command.optsWithGlobals<CommonOptions>()
      const isNamed = command.getOptionValueSourceWithGlobals('case') === 'cli'
      await interruptible(signal => show(options, isNamed, signal))
    })
}

const caseHelp = `
Volumes are those of accepted records. Traffic that several sensors or files recorded counts once.
Services are determined by port number until another command has worked out who connected to whom.

Examples:
  tidemark case
  tidemark case --case incident.tidemark --json | jq .peers`

async function show(options: CommonOptions, isNamed: boolean, signal: AbortSignal): Promise<void> {
  const [{ openCase }, { overviewOf }, { nextSteps }] = await Promise.all([
    import('../store/case.ts'),
    import('../overview/overview.ts'),
    import('../overview/next.ts'),
  ])
  const c = await openCase(options.case)
  if (progressTerminal() !== null)
    c.onWork = what => void note(`tidemark: working out ${what} …`).catch(() => undefined)
  try {
    await noteWriter(c)
    const overview = await overviewOf(c, signal)
    const place = isNamed ? ` --case ${quoted(options.case)}` : ''
    const commands = nextSteps(overview).map(({ args, why }) => ({
      line: `tidemark ${args.map(quoted).join(' ')}${place}`,
      why,
    }))
    if (options.json) {
      const { toJson } = await import('../report/json.ts')
      await print(toJson({ ...overview, next: commands }))
    } else {
      const { overviewPage } = await import('../report/overview.ts')
      await printPage(overviewPage(overview, commands), options.color)
    }
    const isPartial = c.evidence.some(isBroken) || c.problems.length > 0
    process.exitCode = await reportUnread(c.problems, isPartial, 'tidemark evidence --json lists them all')
  } finally {
    await c.close()
  }
}
