import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { visible } from '../report/text.ts'
import { Option } from './commander.ts'
import type { DemoOptions } from './demo-case.ts'
import { interruptible } from './interrupt.ts'
import { investigateCase, reportUnreadOf } from './investigate.ts'
import { type CommonOptions, parseCount, parseFolder, parseSeed } from './options.ts'
import { print, printPage } from './output.ts'
import { quoted } from './shell-words.ts'

interface Options extends CommonOptions, DemoOptions {
  generateOnly?: true
}

const attacker = '20.106.124.93'

/** Defines `tidemark demo`. */
export function demoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('Write a reconstruction of the Lab 1.3 incident, read it into a case and investigate the attacker.')
    .addOption(new Option('--out <dir>', 'folder to write').default('tidemark-demo').argParser(parseFolder))
    .addOption(new Option('--records <n>', 'flow records instead of the lab’s, e.g. 1M').argParser(parseCount))
    .addOption(new Option('--files <n>', 'files to spread --records over').argParser(parseCount))
    .addOption(new Option('--seed <n>', 'same seed, same files').argParser(parseSeed).default(1))
    .option('--generate-only', 'write the files and stop')
    .option('--json', 'print the dossier as one JSON document')
    .addHelpText('after', demoHelp)
    .action(async () => {
      const options = command.optsWithGlobals<Options>()
      if (options.files !== undefined && options.records === undefined) {
        command.error("error: option '--files <n>' needs '--records <n>'", { exitCode: 2 })
      }
      // A case of the environment is a real one: the demo stays out of it.
      const isOwnCase = command.getOptionValueSourceWithGlobals('case') !== 'cli'
      const caseDir = isOwnCase ? join(options.out, 'case.tidemark') : options.case
      await interruptible(signal => demonstrate(options, caseDir, isOwnCase, signal))
    })
}

const demoHelp = `
The data of the exercise is not public: the files are generated from its published figures.

Examples:
  tidemark demo
  tidemark demo --out /tmp/big --records 5M
  tidemark demo --generate-only --out lab --seed 7`

async function demonstrate(options: Options, caseDir: string, isOwnCase: boolean, signal: AbortSignal): Promise<void> {
  const { readDemo, refuseForeignCase, writeDemo } = await import('./demo-case.ts')
  if (isOwnCase && !options.generateOnly) await refuseForeignCase(caseDir, options.out)
  const written = await writeDemo(options, signal)
  if (options.generateOnly) return
  await readDemo(written, caseDir, isOwnCase, signal)
  const dossier = await investigateCase(caseDir, [attacker], {}, signal)
  if (options.json) {
    const [{ toJson }, { dossierJson }] = await Promise.all([
      import('../report/json.ts'),
      import('../report/dossier-json.ts'),
    ])
    await print(toJson(dossierJson(dossier)))
    return reportUnreadOf(dossier, 'see "problems" in the JSON document')
  }
  const { dossierPage } = await import('../report/dossier.ts')
  await print(`Reconstructed data: generated from the published figures of the Lab 1.3 exercise.\n\n`)
  await printPage(dossierPage(dossier, { showWork: false, full: false }), options.color)
  const next = whatNext(written.folder, caseDir, written.capture)
  await print(next.split('\n').map(visible).join('\n'))
  // A case that --case named may hold more than the demo.
  await reportUnreadOf(dossier, 'tidemark evidence --json lists them all')
}

function whatNext(folder: string, caseDir: string, capture: string | null): string {
  const tidemark = invocation()
  const at = `--case ${quoted(caseDir)}`
  return `
This incident is reconstructed: its records were generated from the published
figures of the Lab 1.3 exercise.

What to try next
  ${tidemark} investigate ${attacker} ${at} --show-work
      the SQL behind its figures, and shell commands for some
  ${tidemark} investigate 10.130.8.94 ${at}
      the other side: the server that was broken into
  ${tidemark} evidence ${at}
      every file, with its digest and its lines
  ${tidemark} ui ${at}
      the same case in the browser
  zcat ${quoted(folder)}/*.gz | wc -l
      all lines by hand: the records, and headers and NODATA lines, as evidence counts them
${capture === null ? '' : packetsNext(capture)}`
}

function packetsNext(capture: string): string {
  return `  tcpdump -nr ${quoted(capture)} host ${attacker} | less
      an hour of the same incident in packets
`
}

/** The command that was typed to get here. */
function invocation(): string {
  const script = process.argv[1] ?? ''
  if (!script.endsWith('.js')) return 'tidemark'
  return process.env.npm_lifecycle_event === undefined ? `node ${quoted(relative('.', script))}` : 'npx tidemark'
}
