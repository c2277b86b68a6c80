/** Folders for what is on its way. They hold what the evidence does: those of killed processes go when the next one of their kind is made. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isRunning } from './writing.ts'

/** What a folder is for; it is part of its name. */
type TemporaryKind = 'case' | 'lake' | 'lines' | 'open' | 'rows' | 'ui'

/** Of this machine: containers that share a folder have other processes under the same numbers. */
function hostName(): string {
  return `${hostname()}${processSpace()}`.replace(/[^A-Za-z0-9]/g, '_')
}

/** Containers of one host name may have processes of their own: Linux names the space of the numbers. Empty elsewhere. */
function processSpace(): string {
  try {
    return `_${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''}`
  } catch {
    return ''
  }
}

/** A new folder that only this user may read; whoever made it removes it. @throws what the system refuses. */
export function temporaryFolder(kind: TemporaryKind): string {
  return ownFolder(tmpdir(), kind === 'case' ? 'tidemark-' : `tidemark-${kind}-`)
}

/** Bytes of a place's own name: with what follows, no system refuses it for its length. */
const nameMost = 100

/** The same beside a place, for what will be moved there when it is whole: `case.pulling-…`. */
export function folderBeside(place: string, doing: 'pulling'): string {
  const name = Buffer.from(basename(place))
  const short =
    name.length > nameMost
      ? name
          .subarray(0, nameMost)
          .toString('latin1')
          .replace(/[^\x20-\x7e]/g, '_')
      : name
  return ownFolder(dirname(place), `${short}.${doing}-`)
}

function ownFolder(parent: string, kind: string): string {
  const prefix = `${kind}${hostName()}-`
  removeKilled(parent, prefix)
  return mkdtempSync(join(parent, `${prefix}${process.pid}-`))
}

/** Removes the folders of processes of the same user that were killed. */
function removeKilled(parent: string, prefix: string): void {
  for (const name of namesIn(parent)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-\w{6}$/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid === undefined || isRunning(Number(pid))) continue
    const folder = join(parent, name)
    try {
      const info = lstatSync(folder)
      if (info.isDirectory() && info.uid === (process.getuid?.() ?? info.uid))
        rmSync(folder, { recursive: true, force: true })
    } catch {
      // Another process was faster; whatever it is, it is in nobody's way.
    }
  }
}

/** None where the folder cannot be listed: a folder can be made in it all the same, or that says why not. */
function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent)
  } catch {
    return []
  }
}
