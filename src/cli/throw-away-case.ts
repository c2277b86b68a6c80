import { lstatSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../disk/writing.ts'
import { errorText, UserError } from '../errors.ts'
import { systemFailure } from '../system-error.ts'

/** Of this machine: containers that share the folder have other processes under the same numbers. */
const prefix = `tidemark-${hostname().replace(/[^A-Za-z0-9]/g, '_')}-`

/** Runs work on a case in the temporary folder, which is gone afterwards, however the work or the process ends. */
export async function withThrowAwayCase<T>(work: (caseDir: string) => Promise<T>): Promise<T> {
  await removeKilledCases(tmpdir())
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
    return await mkdtemp(join(parent, `${prefix}${process.pid}-`))
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

/** Removes the cases of processes of the same user that were killed: they hold what the evidence does. */
async function removeKilledCases(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = name.startsWith(prefix) ? /^(\d+)-\w{6}$/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid === undefined || isRunning(Number(pid))) continue
    const folder = join(parent, name)
    try {
      const info = lstatSync(folder)
      if (info.isDirectory() && info.uid === userInfo().uid) await rm(folder, { recursive: true, force: true })
    } catch {
      // Another process was faster; whatever it is, it is in nobody's way.
    }
  }
}
