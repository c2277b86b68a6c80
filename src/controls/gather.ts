/** Gathers the connections of the hosts that an attack reached, in two passes over those that the case has kept. */
import { bytesOfColumns } from '../conversations/connections.ts'
import type { KeptConnections } from '../conversations/kept-connections.ts'
import { requireMemory } from '../conversations/memory.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { Alone, type Crew, Threads } from '../store/crew.ts'
import { type GatherSettings, type GatherSteps, GatherWork } from './gather-work.ts'
import type { AttackMarks, Piece, Traffic } from './traffic.ts'

/** What a thread is started with: the file of the connections, and the digest of its directory. */
export interface GatherThread {
  path: string
  digest: string
  settings: GatherSettings
}

export interface GatherOptions {
  threads: number
  /** Throws when nobody waits for the answer any more. */
  requireGoing: () => void
  /** Marks other hosts whose connections are wanted. */
  markOthers: (isProtected: Uint8Array, isOther: Uint8Array) => void
  /** Whether those that were rejected are wanted too. */
  withRejected?: boolean
}

/**
 * The accepted connections of protected hosts: those that the attack reached. Neither blocks nor threads change the answer.
 *
 * @throws UserError where there is too little memory for them.
 */
export async function gatherTraffic(
  kept: KeptConnections,
  hosts: RecordDictionaries['hosts'],
  marks: AttackMarks,
  { threads, requireGoing, markOthers, withRejected = false }: GatherOptions,
): Promise<Traffic> {
  const [isProtected, isOther] = [0, 1].map(() => new Uint8Array(new SharedArrayBuffer(hosts.count))) as [
    Uint8Array,
    Uint8Array,
  ]
  const blocks = Array.from({ length: kept.blocks }, (_, block) => block)
  const settings = { marks, protected: isProtected, others: isOther, withRejected }
  const crew = crewFor(kept, settings, Math.min(threads, kept.blocks), requireGoing)
  try {
    await crew.all('protect', blocks)
    markOthers(isProtected, isOther)
    const pieces: (Piece | undefined)[] = blocks.map(() => undefined)
    let [rows, rejected] = [0, 0]
    await crew.each('take', blocks, (found, block) => {
      if (found === null) return
      pieces[block] = found
      rejected += found.rejected
      rows += found.connections.count
      requireMemory(rows, found.connections.count * bytesOfColumns)
    })
    return {
      hosts,
      protected: isProtected,
      others: isOther,
      marks,
      pieces: pieces.filter(one => one !== undefined),
      rejected,
    }
  } finally {
    await crew.close()
  }
}

function crewFor(
  kept: KeptConnections,
  settings: GatherSettings,
  threads: number,
  requireGoing: () => void,
): Crew<GatherSteps> {
  if (threads < 2) return new Alone<GatherSteps>(new GatherWork(settings, kept), requireGoing)
  const workerData: GatherThread = { path: kept.file.path, digest: kept.file.digest(''), settings }
  const module = new URL('./gather-worker.js', import.meta.url)
  return new Threads<GatherSteps>(threads, { module, workerData, path: kept.file.path }, requireGoing)
}
