import { link, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readSmallIfThere } from '../disk/reading.ts'
import { passingName, replaceFile, writeNew } from '../disk/writing.ts'
import { errorCode, UserError } from '../errors.ts'
import { countFrom, type Fitting, nullOr, objectOf, text } from '../shape.ts'
import { caseFiles } from './files.ts'
import { requireCaseNodes } from './nodes.ts'

const holder = objectOf({
  pid: countFrom(1),
  host: text,
  born: nullOr(text),
  since: text,
  doing: text,
})
type Holder = Fitting<typeof holder>

/**
 * Takes the case for writing. Readers need no lock: what they read is never changed.
 *
 * The lock of a process that has died is taken over; a process is known by its number and the moment it was born, for numbers
 * come again.
 *
 * @param name of the lock's file: what is no evidence has one of its own, so that it can be written while evidence is added.
 * @returns a function that gives the case free again.
 * @throws CaseInUse when another process is writing the case; UserError when there is a link, a pipe or a device in it.
 */
export async function lockForWriting(
  caseDir: string,
  doing: string,
  name: string = caseFiles.lock,
): Promise<() => Promise<void>> {
  await requireCaseNodes(caseDir)
  const path = join(caseDir, name)
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    born: await birth(process.pid),
    since: new Date().toISOString(),
    doing,
  }
  // The lock appears with its text in it: a second process never reads a half-written one.
  const draft = join(caseDir, passingName())
  const content = JSON.stringify(mine)
  try {
    await writeNew(draft, content)
    await take(caseDir, path, { draft, text: content })
  } finally {
    await rm(draft, { force: true })
  }
  return async () => {
    // Whoever deleted it by hand may have let another process in.
    const other = holderOf(path)
    if (other !== null && other !== 'nobody' && other.pid === process.pid) await rm(path, { force: true })
  }
}

/** Larger than any lock that Tidemark writes. */
const lockBytesMax = 64 << 10

/** Who is writing the case at this moment, or null. */
export async function writerOf(caseDir: string): Promise<Holder | null> {
  const other = holderOf(join(caseDir, caseFiles.lock))
  return other !== null && other !== 'nobody' && (await alive(other)) ? other : null
}

/**
 * Makes `draft` the lock at `path`. A dead lock is replaced only by the one process that holds the lock on taking it over, which
 * is taken in the same way: so nobody can take away a lock that has come alive since it was looked at.
 */
async function take(caseDir: string, path: string, mine: { draft: string; text: string }): Promise<void> {
  for (;;) {
    if (await linked(mine.draft, path)) return
    const other = holderOf(path)
    if (other === 'nobody') continue
    if (other !== null && (await alive(other))) throw inUse(caseDir, path, other)
    const takeover = `${path}.takeover`
    await take(caseDir, takeover, mine)
    try {
      const still = holderOf(path)
      if (still === 'nobody' || (still !== null && (await alive(still)))) continue
      await replaceFile(path, mine.text)
      return
    } finally {
      await rm(takeover, { force: true })
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    return false
  }
}

/** Whose lock it is; null for a file that is not a lock of Tidemark: it holds nothing but is in the way. */
function holderOf(path: string): Holder | null | 'nobody' {
  try {
    const bytes = readSmallIfThere(path, 'refuse', lockBytesMax)
    return bytes === null ? 'nobody' : holder(JSON.parse(bytes.toString()))
  } catch (error) {
    // A lock that cannot be read may be that of a living process.
    if (errorCode(error) !== undefined) throw error
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

/** When a process was born, in the kernel's ticks; null where the system does not tell. One that only waits to be buried was never born. */
async function birth(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? 'dead' : (rest[18] ?? null)
  } catch {
    return null
  }
}

/** Another process writes, at this moment. */
export class CaseInUse extends UserError {}

function inUse(caseDir: string, path: string, other: Holder): CaseInUse {
  const where = other.host === hostname() ? '' : ` on ${other.host}`
  return new CaseInUse(
    `the case is being written by process ${other.pid}${where} since ${other.since} (${other.doing}): ${caseDir}`,
    {
      hint: `wait until it is done; reading the case is possible meanwhile. If that process is gone, delete ${path}`,
    },
  )
}
