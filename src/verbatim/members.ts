/** Files in archives, read again from where they were when they were added. */
import { defaultLimits, type ExpandLimits } from '../input/expand.ts'
import { openMembers } from '../input/members.ts'
import type { SourceBytes } from '../input/read.ts'
import type { EvidenceEntry } from '../store/ledger.ts'

interface MemberOptions {
  limits?: Partial<ExpandLimits>
  signal?: AbortSignal
}

/**
 * The wanted files of an archive, with those of archives in it, in the order in which they lie there. Each is to be released.
 *
 * @param depth how many archives this one lies in.
 * @throws Error where what is read reaches the limits of all files in it together.
 */
export async function* membersOf(
  archive: SourceBytes,
  files: readonly EvidenceEntry[],
  depth: number,
  options: MemberOptions,
  together = { bytes: 0, size: archive.size },
): AsyncGenerator<{ file: EvidenceEntry; source: SourceBytes }> {
  const limits = { ...defaultLimits, ...options.limits }
  const { signal } = options
  const at = (number: number): EvidenceEntry[] => files.filter(file => file.archive!.members[depth] === number)
  try {
    const members = openMembers(archive, number => at(number).length > 0, {
      limits,
      together,
      ...(signal && { signal }),
    })
    for await (const { number, source } of members) {
      if (source === null) continue
      const deeper = at(number).filter(file => file.archive!.members.length > depth + 1)
      for (const file of at(number)) if (!deeper.includes(file)) yield { file, source }
      if (deeper.length > 0) yield* membersOf(source, deeper, depth + 1, options, together)
    }
  } finally {
    archive.release()
  }
}
