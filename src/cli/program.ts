import { threadsThatFit } from '../address-space.ts'
import { version } from '../version.ts'
import { addCommand } from './add.ts'
import { carveCommand } from './carve.ts'
import { caseCommand } from './case.ts'
import { Command, Option } from './commander.ts'
import { completionCommand } from './completion.ts'
import { controlsCommand } from './controls.ts'
import { convertCommand } from './convert.ts'
import { demoCommand } from './demo.ts'
import { detectCommand } from './detect.ts'
import { enrichCommand } from './enrich.ts'
import { evidenceCommand } from './evidence.ts'
import { exportCommand } from './export.ts'
import { flowsCommand } from './flows.ts'
import { wrapHelp } from './help.ts'
import { investigateCommand } from './investigate.ts'
import { lakeCommand } from './lake.ts'
import { parseFolder } from './options.ts'
import { note, outputWidth, printNow } from './output.ts'
import { pullCommand } from './pull.ts'
import { removeCommand } from './remove.ts'
import { reportCommand } from './report.ts'
import { sqlCommand } from './sql.ts'
import { uiCommand } from './ui.ts'
import { verifyCommand } from './verify.ts'
import { watchCommand } from './watch.ts'

/** The command line: every command, option and argument. Nothing is run and nothing heavy loaded. */
export function buildProgram(): Command {
  // Set to nothing means not set, as for every variable of a shell.
  if (process.env.TIDEMARK_CASE === '') delete process.env.TIDEMARK_CASE
  const program = new Command('tidemark')
    .description('Network-flow forensics: from a folder of VPC flow logs to the attacker’s dossier.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .usage('COMMAND [options]')
    .addOption(
      new Option('--case <dir>', 'folder of the case')
        .env('TIDEMARK_CASE')
        .default('case.tidemark')
        .argParser(parseFolder),
    )
    .option('--no-color', 'print without colours (also NO_COLOR=1; FORCE_COLOR=1 for colours in a pipe)')
    .option('--no-pager', 'print a long answer at once (a terminal gets TIDEMARK_PAGER, PAGER or less)')
    .exitOverride()
    .configureOutput({
      writeOut: text => printNow(wrapHelp(text, outputWidth())),
      getOutHelpWidth: outputWidth,
      writeErr: text => void note(text),
      outputError: () => {},
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', programHelp)
    .hook('preAction', (_, command) => {
      if (!['help', 'completion'].includes(command.name())) threadsThatFit(1)
    })
  for (const define of [
    addCommand,
    convertCommand,
    carveCommand,
    caseCommand,
    evidenceCommand,
    removeCommand,
    verifyCommand,
    enrichCommand,
    investigateCommand,
    detectCommand,
    controlsCommand,
    reportCommand,
    flowsCommand,
    sqlCommand,
    exportCommand,
    watchCommand,
    lakeCommand,
    pullCommand,
    uiCommand,
    demoCommand,
    completionCommand,
  ]) {
    define(program)
  }
  helpCommand(program)
  return program
}

/** Commander's own answers an unknown name with the whole help and no word about it. */
function helpCommand(program: Command): void {
  program
    .command('help')
    .description('Print the help of a command, or a page of the documentation.')
    .argument('[topic]', 'name of a command or of a topic; without one: the commands and the topics')
    .action(async (name?: string) => {
      const named = program.commands.find(command => command.name() === name)
      if (named !== undefined) return named.outputHelp()
      const { showTopic, showTopics } = await import('./help-topics.ts')
      if (name !== undefined) return showTopic(program, name)
      program.outputHelp()
      await showTopics()
    })
}

const programHelp = `
Examples:
  tidemark demo                                   see it at work on a reconstructed incident
  tidemark investigate 203.0.113.7 logs/          the dossier of an address, from a folder of logs
  tidemark add logs/                              read the logs into a case, to ask it more than once
  tidemark investigate 203.0.113.7

Exit status: 0 done; 1 failed; 2 bad usage; 3 done, but some evidence could not be read; 4 what --fail-on or --fail-empty
asks for; 70 a bug in Tidemark; 129, 130 or 143 stopped by a signal.`
