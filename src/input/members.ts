/** Files in an archive, opened one by one. */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Member, tarMembers } from './archive.ts'
import { Expanded, type ExpandLimits, expandProblem } from './expand.ts'
import { keptBytes, type SourceBytes } from './read.ts'
import { compressionOf } from './sniff.ts'
import { zipMembers } from './zip.ts'

export interface OpenMembersOptions {
  limits: ExpandLimits
  /** What came out of the archive so far, with what came out of archives in it. */
  together: { bytes: number; size: number }
  signal?: AbortSignal
}

export interface OpenMember {
  name: string
  /** Which file in the archive, from 0. */
  number: number
  /** To be released; null where the content cannot be had. */
  source: SourceBytes | null
  problem: string | null
}

/**
 * The wanted files of a zip or tar archive.
 *
 * @returns what of the archive was not read, in words; null: nothing.
 * @throws Error where the files together reach the limits.
 */
export async function* openMembers(
  archive: SourceBytes,
  isWanted: (number: number) => boolean,
  { limits, together, signal }: OpenMembersOptions,
): AsyncGenerator<OpenMember, string | null> {
  const limited = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      together.bytes += piece.length
      const problem = expandProblem(together.bytes, together.size, limits)
      if (problem !== null) throw new Error(problem)
      yield piece
    }
  }
  const compression = compressionOf(archive.head)
  const isZip = compression === 'none' && archive.head[0] === 0x50 && archive.head[1] === 0x4b
  const expanded = isZip ? null : new Expanded(archive.open, compression, archive.size, limits, archive.whole)
  const members: AsyncGenerator<Member, string | null> =
    expanded === null ? zipMembers(archive.readAt, archive.size) : tarMembers(expanded)
  try {
    for (let number = 0; ; number++) {
      const next = await members.next()
      if (next.done) return expanded?.damage?.problem ?? next.value
      const { name, problem, pieces, damage } = next.value
      if (!isWanted(number)) continue
      if (problem !== null) {
        yield { name, number, source: null, problem }
        continue
      }
      const path = join(tmpdir(), `tidemark-member-${randomBytes(8).toString('hex')}`)
      const source = await keptBytes(limited(pieces), path)
      yield { name, number, source, problem: damage() }
    }
  } finally {
    await members.return(null)
  }
}
