import { link, open, readFile, rename, rm, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { errorCode, UserError } from '../errors.ts'
import { caseFiles } from './files.ts'

const holder = z.object({ pid: z.number().int().positive(), host: z.string(), born: z.string().nullable(), since: z.string(), doing: z.string() })
type Holder = z.infer<typeof holder>

/**
 * Takes the case for writing. Readers need no lock: what they read is never changed.
 *
 * The lock of a process that has died is taken over; a process is known by its number and the moment it was born, for numbers
 * come again.
 *
 * @returns a function that gives the case free again.
 * @throws UserError when another process is writing the case.
 */
export async function lockForWriting(caseDir: string, doing: string): Promise<() => Promise<void>> {
  const path = join(caseDir, caseFiles.lock)
  const mine: Holder = { pid: process.pid, host: hostname(), born: await birth(process.pid), since: new Date().toISOString(), doing }
  // The lock appears with its text in it: a second process never reads a half-written one.
  const draft = `${path}.${process.pid}`
  const handle = await open(draft, 'w')
  await handle.writeFile(JSON.stringify(mine))
  await handle.close()
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await link(draft, path)
        return () => unlink(path)
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error
      }
      const other = await holderOf(path)
      if (other && (await alive(other))) throw inUse(caseDir, other)
      // Only one of several processes that find a dead lock gets to rename it away.
      const dead = `${path}.dead.${process.pid}`
      await rename(path, dead).catch(() => undefined)
      await rm(dead, { force: true })
    }
    throw new UserError(`the case is being taken by several processes at once: ${caseDir}`, { hint: 'try again' })
  } finally {
    await rm(draft, { force: true })
  }
}

async function holderOf(path: string): Promise<Holder | null> {
  try {
    return holder.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    // Gone in the meantime, or not a lock of ours: it holds nothing.
    return null
  }
}

async function alive(other: Holder): Promise<boolean> {
  if (other.host !== hostname()) return true
  try {
    process.kill(other.pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
  const born = await birth(other.pid)
  return born === null || other.born === null || born === other.born
}

/** When a process was born, in the kernel's ticks; null where the system does not tell. */
async function birth(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

function inUse(caseDir: string, other: Holder): UserError {
  const where = other.host === hostname() ? '' : ` on ${other.host}`
  return new UserError(`the case is being written by process ${other.pid}${where} since ${other.since} (${other.doing}): ${caseDir}`, {
    hint: `wait until it is done; reading the case is possible meanwhile. If that process is gone, delete ${join(caseDir, caseFiles.lock)}`,
  })
}
