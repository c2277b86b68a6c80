/** Ledgers that someone wrote who knows their form: each line has its digest, and the head is that of the last. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Entry = Record<string, unknown>

/** Changes the objects of a case's ledger and gives every line and the head their digests again. */
export function forge(dir: string, change: (entries: Entry[]) => void): void {
  const path = join(dir, 'ledger.jsonl')
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const entries = lines.map(line => {
    const { hash: _, ...rest } = JSON.parse(line) as Entry
    return rest
  })
  change(entries)
  let prev = '0'.repeat(64)
  const forged = entries.map((entry, seq) => {
    const rest = JSON.stringify({ ...entry, seq, prev }).slice(1)
    prev = createHash('sha256').update(rest).digest('hex')
    return `{"hash":"${prev}",${rest}\n`
  })
  writeFileSync(path, forged.join(''))
  writeFileSync(join(dir, 'ledger.head'), `${JSON.stringify({ seq: forged.length - 1, hash: prev })}\n`)
}
