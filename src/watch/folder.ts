/** Files of a folder that arrive: found by looking, as soon as the system tells of a change; whole when they have stopped changing. */
import { lstatSync, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { FSWatcher } from 'chokidar'
import { errorCode, errorText } from '../errors.ts'
import { absolute, type FoundFile, findFiles } from '../input/walk.ts'
import { isLedger } from '../store/ledger.ts'

/** A file that is there. */
export interface Arrival {
  file: FoundFile
  /** What identifies it: its path. */
  key: string
  size: number
  /** Changes with the file's content. */
  print: string
  /** When it was written last, milliseconds since the epoch. */
  written: number
}

export interface FolderSettings {
  folder: string
  /** Folders in it that are passed over. */
  without: readonly string[]
  /** A file is whole when it has not changed for so long, milliseconds. */
  settle: number
  /** How often the folder is looked at in place of the system's notices, milliseconds; null: it tells. */
  poll: number | null
  /** Wakes whoever waits. */
  onChange(): void
  onNote(text: string): void
}

/** How often a folder is looked at although nothing was told: notices can be lost. */
const lookMilliseconds = 60_000
/** The same where the system could not be asked to tell. */
const lookWithoutNotices = 10_000
/** Looking may take so much of the time at most. */
const restPerLook = 10

export interface Look {
  /** Whole, as far as anybody can tell. */
  whole: Arrival[]
  /** Still changing, or seen for the first time. */
  changing: number
  /** What cannot be read as a file. */
  unreadable: FoundFile[]
  /** Every file that is there, by its key. */
  present: Set<string>
}

export class Folder {
  private readonly settings: FolderSettings
  /** The state of files when they were seen first so (performance.now()). */
  private settling = new Map<string, { print: string; since: number }>()
  private watcher: FSWatcher | null = null
  private interval: number
  private lastTook = 0
  private toldOf = new Set<string>()

  private constructor(settings: FolderSettings) {
    this.settings = settings
    this.interval = settings.poll ?? lookMilliseconds
  }

  /** @throws UserError (status 2) where there is no such folder. */
  static async open(settings: FolderSettings): Promise<Folder> {
    const without = await Promise.all(settings.without.map(one => realpath(one).catch(() => one)))
    const folder = new Folder({ ...settings, without })
    if (settings.poll === null) await folder.listen()
    return folder
  }

  /** How long to wait for a notice before looking in any case, milliseconds. */
  get patience(): number {
    if (this.settling.size > 0) return Math.max(this.settings.settle, 2 * this.lastTook)
    return Math.max(this.interval, restPerLook * this.lastTook)
  }

  /** Asks the system to tell of changes; where it cannot, the folder is looked at more often. */
  private async listen(): Promise<void> {
    const { folder, settle, onChange, onNote, without } = this.settings
    const { watch } = await import('chokidar')
    const watcher = watch(folder, {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      awaitWriteFinish: { stabilityThreshold: settle, pollInterval: Math.max(20, Math.min(500, settle / 4)) },
      ignored: path => without.some(one => path === one || path.startsWith(`${one}${sep}`)),
    })
    this.watcher = watcher
    watcher.on('all', () => onChange())
    watcher.on('error', error => {
      if (this.watcher !== watcher) return
      this.watcher = null
      this.interval = lookWithoutNotices
      void watcher.close().catch(() => undefined)
      const hint = errorCode(error) === 'ENOSPC' ? ' (raise fs.inotify.max_user_watches)' : ''
      onNote(
        `the system does not tell of changes any more: ${errorText(error)}${hint}; the folder is looked at every ${lookWithoutNotices / 1000} s`,
      )
      onChange()
    })
  }

  /**
   * Looks at what is there.
   *
   * @param isNew whether a file in that state is of interest; others are not waited for.
   * @throws UserError where the folder is gone.
   */
  async look(isNew: (arrival: Arrival) => boolean, signal: AbortSignal): Promise<Look> {
    const began = performance.now()
    const found = await findFiles([this.settings.folder], { isLedger, signal })
    const look: Look = { whole: [], changing: 0, unreadable: [], present: new Set() }
    const settling: typeof this.settling = new Map()
    for (const file of found.map(absolute)) {
      if (this.isWithout(file.path)) continue
      if (file.problem !== null) {
        if (file.unreadable && isThere(file)) look.unreadable.push(file)
        else if (!file.unreadable) this.tellOnce(file.path, file.problem)
        continue
      }
      const arrival = arrivalOf(file)
      // It is gone already.
      if (arrival === null) continue
      look.present.add(arrival.key)
      if (!isNew(arrival)) continue
      const known = this.settling.get(arrival.key)
      const since = known?.print === arrival.print ? known.since : performance.now()
      settling.set(arrival.key, { print: arrival.print, since })
      if (performance.now() - since >= this.settings.settle) look.whole.push(arrival)
      else look.changing++
    }
    this.settling = settling
    this.lastTook = performance.now() - began
    return look
  }

  /** Files that were taken need not settle any more. */
  taken(arrivals: readonly Arrival[]): void {
    for (const { key } of arrivals) this.settling.delete(key)
  }

  private isWithout(path: string): boolean {
    return this.settings.without.some(one => path === one || path.startsWith(`${one}${sep}`))
  }

  private tellOnce(path: string, problem: string): void {
    if (this.toldOf.has(path)) return
    this.toldOf.add(path)
    this.settings.onNote(`passed over: ${path}: ${problem}`)
  }

  async close(): Promise<void> {
    const { watcher } = this
    this.watcher = null
    await watcher?.close()
  }
}

/** The state of a file now; null: it is gone. A change of the content changes at least the time of the last change of any kind. */
export function arrivalOf(file: FoundFile): Arrival | null {
  try {
    const { size, mtimeNs, ctimeNs, ino, mtimeMs } = statOf(file)
    const key = file.rawPath === null ? file.path : Buffer.from(file.rawPath).toString('hex')
    return { file, key, size: Number(size), print: `${size} ${mtimeNs} ${ctimeNs} ${ino}`, written: Number(mtimeMs) }
  } catch {
    return null
  }
}

/** Whether there is something of that name: of what is gone already nobody is told. */
function isThere({ rawPath, path }: FoundFile): boolean {
  return lstatSync(rawPath === null ? path : Buffer.from(rawPath), { throwIfNoEntry: false }) !== undefined
}

function statOf({ rawPath, path }: FoundFile) {
  const name = rawPath === null ? path : Buffer.from(rawPath)
  const info = lstatSync(name, { bigint: true })
  return info.isSymbolicLink() ? statSync(name, { bigint: true }) : info
}
