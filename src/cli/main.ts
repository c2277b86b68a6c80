#!/usr/bin/env node
import { writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { exitStatus } from '../errors.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import { version } from '../version.ts'
import { note } from './output.ts'

const args = process.argv.slice(2)
if (!tellsVersion()) {
  compileLater()
  await run()
}

/**
 * Has functions that run long, and no others, compiled to machine code by V8's optimizing compiler. A command ends so soon that a fifth of its time
 * went into code that was hardly used: five times the default (in bytes of bytecode) takes half of that away, and large cases lose nothing.
 * Measured with the V8 of Node 20; others keep their own default.
 */
function compileLater(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=600000')
}

/** Answers `--version`, which scripts ask often, before anything else is loaded. False where it was not asked alone, or cannot be told: the long way says why. */
function tellsVersion(): boolean {
  if (args.length !== 1 || !['--version', '-V'].includes(args[0]!)) return false
  try {
    writeSync(1, `${version()}\n`)
    return true
  } catch {
    return false
  }
}

/** Loaded from here, so that a system that does not let the program's own files be read is told in words too. */
async function run(): Promise<never> {
  const { runAndExit } = await import('./run.ts').catch(async (error: unknown) => {
    const failure = systemFailure(error)
    if (failure === null) throw error
    await note(`tidemark: ${failureLine(failure)}\n  hint: ${failure.hint}`).catch(() => {})
    process.exit(exitStatus.failed)
  })
  return await runAndExit(args)
}
