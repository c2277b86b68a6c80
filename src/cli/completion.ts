import type { Command } from 'commander'
import type { FlowsPlace, FlowsValues } from '../flows/complete.ts'
import { Argument } from './commander.ts'
import type { Shell, Values } from './completion-scripts.ts'
import { print } from './output.ts'

const shells: readonly Shell[] = ['bash', 'zsh', 'fish']

/** Defines `tidemark completion`. */
export function completionCommand(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes commands, options and files in your shell.')
    .addArgument(new Argument('<shell>', 'the shell that it is for').choices(shells))
    .addHelpText('after', completionHelp)
    .action(async (shell: Shell) => {
      const [{ flowsPlaces, flowsValues }, { completionScript }] = await Promise.all([
        import('../flows/complete.ts'),
        import('./completion-scripts.ts'),
      ])
      const values = new Map(flowsPlaces.map(place => [`flows --${place}`, scripted(place, flowsValues(place))]))
      await print(completionScript(program, shell, values))
    })
}

const completionHelp = `
Examples:
  source <(tidemark completion bash)                              in ~/.bashrc
  tidemark completion zsh > "\${fpath[1]}/_tidemark"               once
  tidemark completion fish > ~/.config/fish/completions/tidemark.fish   once`

/** What the scripts offer without a case at hand; saved queries they look up themselves. */
function scripted(place: FlowsPlace, { items, form, after }: FlowsValues): Values {
  if (place === 'query') return 'queries'
  const texts = (list: typeof items): string[] => list.map(({ text }) => text)
  if (form === 'one') return texts(items)
  return { words: texts(items), form, after: texts(after) }
}
