/** Folders in the machine's temporary folder. They hold what the evidence does: those of killed processes go when the next one of their kind is made. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from './writing.ts'

/** What a folder is for; it is part of its name. */
type TemporaryKind = 'case' | 'lake' | 'lines' | 'open' | 'rows' | 'ui'

/** Of this machine: containers that share the folder have other processes under the same numbers. */
function prefixOf(kind: TemporaryKind): string {
  const host = `${hostname()}${processSpace()}`.replace(/[^A-Za-z0-9]/g, '_')
  return kind === 'case' ? `tidemark-${host}-` : `tidemark-${kind}-${host}-`
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
  const parent = tmpdir()
  removeKilled(parent, prefixOf(kind))
  return mkdtempSync(join(parent, `${prefixOf(kind)}${process.pid}-`))
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
