import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning, nodeAt } from '../disk/writing.ts'
import { caseFiles } from './files.ts'
import { caseFolder } from './nodes.ts'

const spillPrefix = '.tidemark-spill-'

/** Makes the folder of this process that one open case may spill into. */
export async function spillFolder(dir: string): Promise<string> {
  return mkdtemp(join(await spillParent(dir), `${spillPrefix}${process.pid}-`))
}

/** Whether a name is that of a folder that a process of this machine, which is at work, may spill into. */
export function isSpilledInto(name: string): boolean {
  return name.startsWith(spillPrefix) && isRunning(Number.parseInt(name.slice(spillPrefix.length), 10))
}

/** Where sorts may spill: beside the case's data if it can be written, so that evidence does not end up on another disk. */
async function spillParent(dir: string): Promise<string> {
  const incoming = join(dir, caseFiles.incoming)
  try {
    // A link would lead out of the case.
    if ((await nodeAt(incoming)) !== 'folder') return tmpdir()
    const probe = await mkdtemp(join(incoming, '.probe-'))
    await rm(probe, { recursive: true })
    return incoming
  } catch {
    // A case on a read-only disk is still read; it spills where temporary files go.
    return tmpdir()
  }
}

/** Removes what a reader of that process id, which is gone, has left of its spilling. */
export async function clearSpill(caseDir: string, pid: number): Promise<void> {
  for (const parent of [join(await caseFolder(caseDir), caseFiles.incoming), tmpdir()]) {
    if ((await nodeAt(parent)) === 'link') continue
    for (const name of await readdir(parent).catch(() => [])) {
      if (name.startsWith(`${spillPrefix}${pid}-`)) await rm(join(parent, name), { recursive: true, force: true })
    }
  }
}
