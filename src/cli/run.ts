import { exitStatus } from '../errors.ts'
import { describeFailure } from './failure.ts'
import { flush, note } from './output.ts'
import { buildProgram } from './program.ts'

/** Runs the command line and ends the process, with the status that the contract gives. */
export async function runAndExit(args: readonly string[]): Promise<never> {
  const program = buildProgram()

  /** `tidemark add --help`, for the command that was meant. */
  function usage(): string {
    const names = program.commands.map(command => command.name()).filter(name => name !== 'help')
    // A case may be called like a command.
    const meant = args.find((arg, i) => names.includes(arg) && args[i - 1] !== '--case')
    return meant === undefined ? `${program.name()} --help` : `${program.name()} ${meant} --help`
  }

  async function run(): Promise<number> {
    if (args.length === 0) {
      program.outputHelp()
      return exitStatus.done
    }
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitStatus.done)
  }

  async function fail(error: unknown): Promise<number> {
    const { text, status } = describeFailure(error, usage())
    // Standard error may be what failed.
    if (text !== '') await note(await withoutSecrets(text)).catch(() => {})
    return status
  }

  /** What nobody foresaw may hold what a request did. */
  async function withoutSecrets(text: string): Promise<string> {
    const { redacted } = await import('../aws/redact.ts')
    return redacted(text)
  }

  // What nobody waited for ends the run in the same way, once: Node would print its stack and exit with 1.
  const stray = new Promise<never>((_, reject) => {
    process.on('uncaughtException', reject)
    process.on('unhandledRejection', reject)
  })
  const status = await Promise.race([run(), stray]).catch(fail)
  // What was printed must get through a pipe before the process, which threads may keep alive, ends.
  process.exit(await flush().then(() => status, fail))
}
