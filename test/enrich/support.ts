import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAddress } from '../../src/net/address.ts'

/** A folder for files, and the path of one with that content. */
export function filesFolder(): { path(name: string, content: string | Buffer): string; root: string; close(): void } {
  const root = mkdtempSync(join(tmpdir(), 'tidemark-enrich-'))
  return {
    root,
    path: (name, content) => {
      const path = join(root, name)
      writeFileSync(path, content)
      return path
    },
    close: () => rmSync(root, { recursive: true }),
  }
}

/** The halves of an address. */
export function halves(text: string): [hi: bigint, lo: bigint] {
  const { hi, lo } = parseAddress(text)!
  return [hi, lo]
}
