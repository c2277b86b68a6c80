import { Argument, type Command } from 'commander'
import { completionScript, type Shell, shells } from './completion-scripts.ts'
import { print } from './output.ts'

/** Defines `tidemark completion`. */
export function completionCommand(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes commands, options and files in your shell.')
    .addArgument(new Argument('<shell>', 'the shell that it is for').choices(shells))
    .addHelpText('after', completionHelp)
    .action((shell: Shell) => print(completionScript(program, shell)))
}

const completionHelp = `
Examples:
  source <(tidemark completion bash)                              in ~/.bashrc
  tidemark completion zsh > "\${fpath[1]}/_tidemark"               once
  tidemark completion fish > ~/.config/fish/completions/tidemark.fish   once`
