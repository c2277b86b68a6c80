/** Files that jobs made for the browser to keep: each is given once, and gone then. */
import { randomBytes } from 'node:crypto'
import { createReadStream, readdirSync, rmSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { temporaryFolder } from '../disk/temporary.ts'
import { OwnReply } from './own-reply.ts'

/** A file that waits to be fetched from `/api/download/ID`. */
export interface Offered {
  id: string
  /** What the browser is to call it. */
  name: string
  bytes: number
}

interface Kept extends Offered {
  path: string
  type: string
}

/** Files that nobody fetched. */
const keptMax = 20

export class Downloads {
  private folder: string | null = null
  private readonly kept = new Map<string, Kept>()
  private readonly onExit = (): void => {
    if (this.folder !== null) rmSync(this.folder, { recursive: true, force: true })
  }

  /** A path for a file that is to be offered, in a folder that only this user may read, and that goes with the workbench. `extension` as `.csv`. */
  newPath(extension: string): string {
    if (this.folder === null) {
      this.folder = temporaryFolder('ui')
      process.once('exit', this.onExit)
    }
    return join(this.folder, `${randomBytes(9).toString('hex')}${extension}`)
  }

  /** Does work that writes some of these files, which are removed where it fails or is stopped. */
  async writing<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      for (const path of paths) this.discard(path)
      throw error
    }
  }

  /** Removes a file, and what a process that was killed left of it under a name of its own. */
  private discard(path: string): void {
    const { folder } = this
    if (folder === null) return
    for (const name of readdirSync(folder))
      if (name.includes(basename(path))) rmSync(join(folder, name), { force: true })
  }

  /** Offers a file, which is removed when it was fetched, when twenty others are offered, or with the workbench. @throws Error where there is none. */
  offer(path: string, name: string, type = 'application/octet-stream'): Offered {
    const id = randomBytes(16).toString('base64url')
    const offered: Offered = { id, name: safeName(name), bytes: statSync(path).size }
    this.kept.set(id, { ...offered, path, type })
    for (const [old, { path }] of [...this.kept].slice(0, -keptMax)) {
      this.kept.delete(old)
      void rm(path, { force: true })
    }
    return offered
  }

  /** The reply that gives a file, once; null: there is none under that number any more. */
  take(id: string): OwnReply | null {
    const kept = this.kept.get(id)
    if (kept === undefined) return null
    this.kept.delete(id)
    return downloadReply(kept.path, kept.name, kept.type)
  }

  close(): void {
    process.off('exit', this.onExit)
    this.onExit()
    this.folder = null
    this.kept.clear()
  }
}

/** A reply that gives a file to keep under a name, and removes it. */
export function downloadReply(path: string, name: string, type = 'application/octet-stream'): OwnReply {
  return new OwnReply(async response => {
    try {
      response.writeHead(200, {
        'content-type': type,
        'content-length': statSync(path).size,
        'content-disposition': disposition(name),
      })
      await sent(path, response)
    } finally {
      await rm(path, { force: true })
    }
  })
}

async function sent(path: string, response: ServerResponse): Promise<void> {
  await pipeline(createReadStream(path), response).catch((error: unknown) => {
    // Who went away does not want the rest.
    if (!response.destroyed) throw error
  })
}

/** https://www.rfc-editor.org/rfc/rfc6266: a name of ASCII for all, and the name itself. */
export function disposition(name: string): string {
  const safe = safeName(name)
  const ascii = safe.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(safe).replace(/['()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** A name without folders, controls, what file systems do not take, or a dot in front. */
function safeName(name: string): string {
  const bare = basename(name.replaceAll('\\', '/'))
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"|?*]/gu, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .slice(0, 120)
  return bare === '' ? 'download' : bare
}
