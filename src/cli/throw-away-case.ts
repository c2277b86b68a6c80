import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'

/** Runs work on a case in the temporary folder, which is gone afterwards, however the work or the process ends. */
export async function withThrowAwayCase<T>(work: (caseDir: string) => Promise<T>): Promise<T> {
  const folder = await makeFolder(tmpdir())
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await work(join(folder, 'case.tidemark'))
  } finally {
    process.off('exit', remove)
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'tidemark-'))
  } catch (error) {
    throw new UserError(
      `cannot make a case in the temporary folder: ${parent}: ${systemFailure(error)?.message ?? errorText(error)}`,
      {
        hint: 'set TMPDIR to a folder that can be written, or keep the case with --case DIR',
        cause: error,
      },
    )
  }
}
