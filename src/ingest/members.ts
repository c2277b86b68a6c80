/** Archives: each file in one is read by itself, as one in a folder is. Nothing is written under the names that they have. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Member, tarMembers } from '../input/archive.ts'
import { Expanded, type ExpandLimits, expandProblem } from '../input/expand.ts'
import { keptBytes, type SourceBytes } from '../input/read.ts'
import { compressionOf } from '../input/sniff.ts'
import { zipMembers } from '../input/zip.ts'
import { clipped } from '../store/clipped.ts'
import type { Batch } from './batch.ts'
import type { FileTask } from './messages.ts'
import { endArchive, type FoundArchive, type OpenedFile, openFile, openMember, readOpened } from './read-file.ts'
import { type ReadOptions, Stopped } from './text-lines.ts'

const depthMax = 3
const membersMax = 100_000
const nameLengthMax = 1024

/** Reads a file, and of an archive the files in it, each into the batch that is there for it then; the archive itself is entered after them. */
export async function readFileAndMembers(
  file: OpenedFile,
  options: ReadOptions,
  batch: () => Promise<Batch>,
  depth = 0,
): Promise<void> {
  const found = await readOpened(file, await batch(), options)
  if (found === null) return
  const { task, source } = found
  let kept = false
  try {
    if (depth === depthMax) {
      const problem = `an archive within more than ${depthMax} others: unpack it and add the result`
      return endArchive(task, source, await batch(), { status: 'unreadable', problem })
    }
    const together = options.limits.together ?? { bytes: 0, size: source.size }
    const limits: ExpandLimits = { ...options.limits, together }
    const problem = await readMembers(found, { ...options, limits }, batch, depth)
    endArchive(task, source, await batch(), { status: problem === null ? 'read' : 'partly-read', problem })
    kept = true
  } finally {
    options.settled(source.sha256, kept)
    source.release()
  }
}

export async function readFile(task: FileTask, batch: Batch, options: ReadOptions): Promise<void> {
  await readFileAndMembers(await openFile(task, options), options, () => Promise.resolve(batch))
}

/** @returns what of the archive was not read, in words; null: nothing. */
async function readMembers(
  { task, source, kind }: FoundArchive,
  options: ReadOptions,
  batch: () => Promise<Batch>,
  depth: number,
): Promise<string | null> {
  // What comes out of a tar archive is counted file by file.
  const { together: _, ...limits } = options.limits
  const expanded =
    kind === 'tar' ? new Expanded(source.open, compressionOf(source.head), source.size, limits, source.whole) : null
  const members = expanded === null ? zipMembers(source.readAt, source.size) : tarMembers(expanded)
  try {
    for (let number = 0; ; number++) {
      const next = await members.next()
      if (options.stopped()) throw new Stopped('stopped')
      if (next.done) return expanded?.damage?.problem ?? next.value
      if (number >= membersMax)
        return `more than ${membersMax} files in it: those after ${clipped(next.value.name, 200)} were not read`
      const problem = await readMember(next.value, number, task, options, batch, depth)
      if (problem !== null) return problem
    }
  } finally {
    await members.return(null)
  }
}

/** @returns why no more may be read of the archive; null: nothing is wrong. */
async function readMember(
  member: Member,
  number: number,
  archive: FileTask,
  options: ReadOptions,
  batch: () => Promise<Batch>,
  depth: number,
): Promise<string | null> {
  const outer = archive.archive
  const task: FileTask = {
    ...{ id: options.nextId(), named: false, rawPath: null, bytesAt: null, origin: null, size: 0 },
    path: `${archive.path}:${clipped(member.name, nameLengthMax)}`,
    ...{ problem: member.problem, unreadable: true },
    archive: { path: outer?.path ?? archive.path, members: [...(outer?.members ?? []), number] },
  }
  let limit: string | null = null
  let source: SourceBytes | null = null
  if (member.problem === null) {
    const { together } = options.limits
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of member.pieces) {
        if (options.stopped()) throw new Stopped('stopped')
        together!.bytes += piece.length
        limit = expandProblem(together!.bytes, together!.size, options.limits)
        if (limit !== null) return
        yield piece
      }
    }
    source = await keptBytes(pieces(), join(options.stagingDir, `member-${randomBytes(8).toString('hex')}`))
    source.cut = limit ?? member.damage()
    task.size = source.size
  }
  await readFileAndMembers(openMember(task, source, options), options, batch, depth + 1)
  return limit
}
