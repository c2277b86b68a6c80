import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs work on a case in the temporary folder, which is gone afterwards, however the work or the process ends. */
export async function withThrowAwayCase<T>(work: (caseDir: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await work(join(folder, 'case.tidemark'))
  } finally {
    process.off('exit', remove)
    await rm(folder, { recursive: true, force: true })
  }
}
