/** The folder of a watch: a case for each day, alerts on their way, and what the watch remembers. */
import { readdirSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readSmallIfThere } from '../disk/reading.ts'
import { removeNode, removePassing, replaceFile, requireFolder } from '../disk/writing.ts'
import { exitStatus, UserError } from '../errors.ts'
import { fit, objectOf, oneOf, text } from '../shape.ts'
import { CaseInUse, lockForWriting } from '../store/lock.ts'
import type { Day } from './days.ts'

export const watchNames = {
  mark: 'watch.json',
  lock: 'watch.lock',
  days: 'days',
  outbox: 'outbox',
  sent: 'sent',
  /** Which days there are, and up to which entry of their ledgers was looked for findings. */
  looked: 'looked.json',
  /** Files that were read, so that they need not be read again to know them. */
  seen: 'seen.jsonl',
  /** Files that are being read once more because they have grown. */
  growing: 'growing.json',
  /** From which day on a bucket is listed. */
  position: 'position.json',
  /** Several days as one case, while it is asked. */
  window: 'window.tidemark',
} as const

const markShape = objectOf({ watch: oneOf(1), of: text })
const markBytesMax = 1 << 16

const dayCase = /^(\d{4}-\d\d-\d\d)\.tidemark$/
const leaving = /^\.removed-\d{4}-\d\d-\d\d\.tidemark$/

/** Where the case of a day lies. */
export function caseOfDay(dir: string, day: Day): string {
  return join(dir, watchNames.days, `${day}.tidemark`)
}

/** Where a case is put that is being removed. */
export function leavingCase(dir: string, day: Day): string {
  return join(dir, watchNames.days, `.removed-${day}.tidemark`)
}

/** Days that have a folder, in order. */
export async function daysIn(dir: string): Promise<Day[]> {
  const names = await readdir(join(dir, watchNames.days))
  return names.flatMap(name => dayCase.exec(name)?.[1] ?? []).sort()
}

/**
 * Opens the folder of a watch, which is made if it is not there, for this process alone.
 *
 * @param of what is watched, as it is remembered.
 * @returns its path without links, and what gives it free.
 * @throws UserError where something else lies there, it is of another source, or another process watches with it.
 */
export async function openWatchFolder(
  path: string,
  of: string,
): Promise<{ dir: string; release: () => Promise<void> }> {
  const dir = resolve(path)
  await mkdir(dir, { recursive: true })
  const names = await readdir(dir)
  const isOwn = names.includes(watchNames.mark)
  if (!isOwn && names.some(name => name !== watchNames.lock && !name.startsWith('.tidemark-new-')))
    throw usage(`the folder holds something else: ${dir} (${names[0]})`, 'name an empty or new folder with --out')
  const release = await lock(dir)
  try {
    const held = markOf(dir)
    if (held !== null && held !== of && !isUnused(dir, names))
      throw usage(`the folder is that of a watch on ${held}: ${dir}`, 'name another folder with --out')
    if (held !== of) await replaceFile(join(dir, watchNames.mark), `${JSON.stringify({ watch: 1, of })}\n`)
    for (const name of [watchNames.days, watchNames.outbox, watchNames.sent]) await requireFolder(join(dir, name))
    await clearLeft(dir)
    return { dir, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Whether nothing was read yet, as where the first source could not be reached: the folder may be of another one. */
function isUnused(dir: string, names: readonly string[]): boolean {
  const remembered: string[] = [watchNames.looked, watchNames.seen, watchNames.growing, watchNames.position]
  if (names.some(name => remembered.includes(name))) return false
  const folders = [watchNames.days, watchNames.outbox, watchNames.sent].filter(name => names.includes(name))
  return folders.every(name => readdirSync(join(dir, name)).length === 0)
}

async function lock(dir: string): Promise<() => Promise<void>> {
  try {
    return await lockForWriting(dir, 'watch', watchNames.lock)
  } catch (error) {
    if (!(error instanceof CaseInUse)) throw error
    throw new UserError(error.message.replace('the case is being written', 'the folder is used for watching'), {
      hint: (error.hint ?? '').replace(
        '; reading the case is possible meanwhile',
        ', or name another folder with --out',
      ),
    })
  }
}

function markOf(dir: string): string | null {
  const bytes = readSmallIfThere(join(dir, watchNames.mark), 'refuse', markBytesMax)
  if (bytes === null) return null
  let value: unknown = null
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    // Told below.
  }
  const mark = fit(markShape, value).value
  if (mark === null)
    throw new UserError(`not what tidemark watch writes: ${join(dir, watchNames.mark)}`, {
      hint: 'name another folder with --out',
    })
  return mark.of
}

/** Removes what a killed watch was in the middle of. */
async function clearLeft(dir: string): Promise<void> {
  await removeNode(join(dir, watchNames.window))
  for (const folder of [dir, join(dir, watchNames.days), join(dir, watchNames.outbox), join(dir, watchNames.sent)])
    await removePassing(folder)
  for (const name of await readdir(join(dir, watchNames.days)))
    if (leaving.test(name)) await removeNode(join(dir, watchNames.days, name))
}

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
