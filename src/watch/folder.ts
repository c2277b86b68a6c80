/** Files of a folder that arrive: found by looking, as soon as the system tells of a change; whole when they have stopped changing. */
import { lstatSync, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { FSWatcher } from 'chokidar'
import { errorCode, errorText } from '../errors.ts'
import { absolute, type FoundFile, findFiles } from '../input/walk.ts'
import { isLedger } from '../store/ledger.ts'
import type { SeenFile } from './seen.ts'
import type { Arrival, Judge, Look, Source } from './source.ts'

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

export class Folder implements Source {
  /** A folder that is gone ends the watch. */
  readonly problem = null
  readonly messages = null
  readonly isComplete = true
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
   * Looks at what is there. Files that are not new in their state are not waited for.
   *
   * @throws UserError where the folder is gone.
   */
  async look(judge: Judge, signal: AbortSignal): Promise<Look> {
    const began = performance.now()
    const { folder } = this.settings
    const found = await findFiles([folder], { isLedger, inside: folder, signal })
    const present = new Set<string>()
    const look: Look = { whole: [], changing: 0, unreadable: [], present }
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
      present.add(arrival.key)
      if (judge.judge(arrival) !== 'new') continue
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
  taken(arrivals: readonly Arrival[]): Promise<void> {
    for (const { key } of arrivals) this.settling.delete(key)
    return Promise.resolve()
  }

  remembers(key: string, _file: SeenFile, present: ReadonlySet<string>): boolean {
    return present.has(key)
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
    const print = `${size} ${mtimeNs} ${ctimeNs} ${ino}`
    return { file, key, size: Number(size), print, written: Number(mtimeMs), remote: null }
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
