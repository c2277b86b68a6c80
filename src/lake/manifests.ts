/** What a folder of pushed files says of itself: one document a push, in a folder that engines pass over. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readSmall } from '../disk/reading.ts'
import { replaceFile, writeNew } from '../disk/writing.ts'
import { errorCode, errorText, UserError } from '../errors.ts'
import { count, type Fitting, fit, listOf, objectOf, oneOf, text, textThat, yesOrNo } from '../shape.ts'
import { CaseInUse, lockForWriting } from '../store/lock.ts'

const digest = textThat(one => /^[0-9a-f]{64}$/.test(one), 'not a SHA-256')
/** The only names of pushed files: nothing else in the folder is ever removed. */
const fileShape = /^day=[^/]{1,40}\/hour=[^/]{1,40}\/tidemark-[0-9a-f]{12}-\d{4,}\.parquet$/

const file = objectOf({
  path: textThat(one => fileShape.test(one), 'not a name of a pushed file'),
  rows: count,
  bytes: count,
  sha256: digest,
})

const shape = objectOf({
  version: oneOf(1),
  /** False while files are put in place: a push that was broken off. */
  complete: yesOrNo,
  tidemark: text,
  pushed: text,
  host: text,
  pid: count,
  /** The state of the case: the digest of its ledger's last entry. */
  case_head: digest,
  sources: listOf(digest),
  columns: listOf(objectOf({ name: text, kind: oneOf('integer', 'bigint', 'text') })),
  files: listOf(file),
})

export type PushedFile = Fitting<typeof file>
export type Manifest = Fitting<typeof shape>

const folderName = '_tidemark'
/** Where it lies, relative to what was pushed. */
export const manifestPath = /^_tidemark\/[^/]+\.json$/
/** Of one manifest. */
export const manifestBytesMax = 512 << 20

/**
 * The manifests of a folder; none where it was never pushed to.
 *
 * @throws UserError for one that cannot be read: what it lists would be pushed a second time.
 */
export async function readManifests(to: string): Promise<Manifest[]> {
  const folder = join(to, folderName)
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
  return names
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => {
      const path = join(folder, name)
      return manifestIn(path, bytesOf(path))
    })
}

function bytesOf(path: string): Buffer {
  try {
    return readSmall(path, 'refuse', manifestBytesMax)
  } catch (error) {
    throw unreadable(path, errorText(error))
  }
}

/** @param path names it in messages. @throws UserError where it is not a manifest. */
export function manifestIn(path: string, bytes: Uint8Array): Manifest {
  const { value, fault } = fit(shape, parsed(path, bytes))
  if (value === null) throw unreadable(path, fault)
  return value
}

function parsed(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw unreadable(path, errorText(error))
  }
}

/** @param path names it. */
export function unreadable(path: string, fault: string): UserError {
  return new UserError(`cannot read what was pushed: ${path}: ${fault}`, {
    hint: 'it lists what is in the table already: restore it, or push to another folder',
  })
}

function pathOf(to: string, manifest: Pick<Manifest, 'case_head'>): string {
  return join(to, folderName, `${manifest.case_head.slice(0, 12)}.json`)
}

/** Of the process that pushes. Two that push at once would not know of each other's rows, and both push what both have. */
const lockName = 'push.lock'

/** Takes the folder for one push. @returns what gives it free. @throws UserError where another push is at it. */
export async function lockFolder(to: string): Promise<() => Promise<void>> {
  const folder = join(to, folderName)
  await mkdir(folder, { recursive: true })
  try {
    return await lockForWriting(folder, 'lake push', lockName)
  } catch (error) {
    if (error instanceof CaseInUse) throw busy(to)
    if (!withoutLinks.has(errorCode(error) ?? '')) throw error
    return await plainLock(to)
  }
}

/** What file systems say that have no second names for a file, as mounted buckets. */
const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** The lock where a file has one name only: after a kill it stays. @throws UserError where another push is at it. */
export async function plainLock(to: string): Promise<() => Promise<void>> {
  const path = join(to, folderName, lockName)
  try {
    const own = { pid: process.pid, host: hostname(), born: null, since: new Date().toISOString(), doing: 'lake push' }
    await writeNew(path, JSON.stringify(own))
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw busy(to)
    // A disk that became full keeps the name, and nobody pushes.
    await rm(path, { force: true }).catch(() => undefined)
    throw error
  }
  return () => rm(path, { force: true })
}

export async function writeManifest(to: string, manifest: Manifest): Promise<void> {
  await replaceFile(pathOf(to, manifest), `${JSON.stringify(manifest)}\n`)
}

/** Takes away what a push put in place that did not end. Only whoever has locked the folder may: any other push has ended. */
export async function undo(to: string, manifest: Manifest): Promise<void> {
  for (const { path } of manifest.files) await rm(join(to, path), { force: true })
  await rm(pathOf(to, manifest), { force: true })
}

function busy(to: string): UserError {
  return new UserError(`another push writes to ${to}`, {
    hint: `wait until it has ended, then push again; if no process does, delete ${join(to, folderName, lockName)}`,
  })
}
