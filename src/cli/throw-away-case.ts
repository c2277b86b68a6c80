import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { temporaryFolder } from '../disk/temporary.ts'
import { errorText, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'

/** Runs work on a case in the temporary folder, which is gone afterwards, however the work or the process ends. */
export async function withThrowAwayCase<T>(work: (caseDir: string) => Promise<T>): Promise<T> {
  const folder = makeFolder()
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await work(join(folder, 'case.tidemark'))
  } finally {
    process.off('exit', remove)
    await rm(folder, { recursive: true, force: true })
  }
}

function makeFolder(): string {
  try {
    return temporaryFolder('case')
  } catch (error) {
    throw new UserError(
      `cannot make a case in the temporary folder: ${tmpdir()}: ${systemFailure(error)?.message ?? errorText(error)}`,
      {
        hint: 'set TMPDIR to a folder that can be written, or keep the case with --case DIR',
        cause: error,
      },
    )
  }
}
