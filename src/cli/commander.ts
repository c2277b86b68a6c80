import { createRequire } from 'node:module'

/**
 * Commander, loaded as what its package is: to `import` it, Node first starts the parser that looks for the names in such a module, which
 * takes as long as commander itself.
 */
const commander = createRequire(import.meta.url)('commander') as typeof import('commander')

export const { Argument, Command, CommanderError, InvalidArgumentError, Option } = commander
export type Command = InstanceType<typeof Command>
export type CommanderError = InstanceType<typeof CommanderError>
