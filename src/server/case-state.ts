/** Which state of the case is looked at. Every child answers about that one, whatever is added meanwhile, until the newest is loaded. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { caseFiles } from '../store/files.ts'
import { headOf } from '../store/ledger.ts'

const lookMilliseconds = 1000

export class CaseState {
  /** Digest of the ledger's last entry as it is looked at; null: there is no case. */
  loaded: string | null
  private readonly dir: string
  private readonly timer: NodeJS.Timeout
  private told: string | null
  /** How many change it from here, each of whom loads what it did. */
  private changing = 0

  /** @param onNewer told once of each state that is newer than the one that is looked at. */
  constructor(dir: string, onNewer: (head: string) => void) {
    this.dir = dir
    this.loaded = headOf(dir)
    this.told = this.loaded
    this.timer = setInterval(() => {
      if (this.changing > 0) return
      const head = headOf(dir)
      if (head === null || head === this.told) return
      this.told = head
      if (head !== this.loaded) onNewer(head)
    }, lookMilliseconds).unref()
  }

  /** One that was begun and never written to is none; who opens it says so. */
  hasCase(): boolean {
    return existsSync(join(this.dir, caseFiles.ledger))
  }

  /** Null: the newest is the one that is looked at. */
  newer(): string | null {
    const head = headOf(this.dir)
    return head === this.loaded ? null : head
  }

  /** Runs work that changes the case and loads what it did: nobody is told of the states between. */
  async whileItChanges<T>(work: () => Promise<T>): Promise<T> {
    this.changing++
    try {
      return await work()
    } finally {
      this.changing--
    }
  }

  /** What a page is told of that is newer; null: nothing. */
  toTell(): string | null {
    return this.changing > 0 ? null : this.newer()
  }

  /** Looks at the newest from now on. */
  load(): void {
    this.loaded = headOf(this.dir)
    this.told = this.loaded
  }

  close(): void {
    clearInterval(this.timer)
  }
}
