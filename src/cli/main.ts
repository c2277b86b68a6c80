#!/usr/bin/env node
import { exitStatus } from '../errors.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import { note } from './output.ts'

// Loaded from here, so that a system that does not let the program's own files be read is told in words too.
const { runAndExit } = await import('./run.ts').catch(async (error: unknown) => {
  const failure = systemFailure(error)
  if (failure === null) throw error
  await note(`tidemark: ${failureLine(failure)}\n  hint: ${failure.hint}`).catch(() => {})
  process.exit(exitStatus.failed)
})
await runAndExit(process.argv.slice(2))
