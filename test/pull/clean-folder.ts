/** Random logs without what an engine cannot tell: lines and files that are damaged, and files that are there twice. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { formatAddress, parseAddress } from '../../src/net/address.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { logsIn, textOf } from './stand-in.ts'

/** Writes into `to` what is sound of a random folder, every file with the same fields. @returns false where nothing is. */
export async function writeCleanFolder(root: string, seed: number, to: string): Promise<boolean> {
  const raw = join(root, `raw-${seed}`)
  writeRandomFolder(raw, seed)
  const files = new Map<string, Record<string, string>[]>()
  const fields = new Set<string>()
  for (const path of logsIn(raw)) {
    const rows = rowsOf(textOf(path))
    for (const row of rows) for (const name of Object.keys(row)) fields.add(name)
    if (rows.length > 0) files.set(path.slice(raw.length + 1), rows)
  }
  const header = [...fields]
  const write = (bad: ReadonlyMap<string, ReadonlySet<number>>): void => {
    rmSync(to, { recursive: true, force: true })
    const seen = new Set<string>()
    for (const [name, rows] of files) {
      const lines = rows
        .map(row => header.map(field => row[field] ?? '-').join(' '))
        .filter((_, i) => bad.get(name)?.has(i + 2) !== true)
      const text = `${[header.join(' '), ...lines].join('\n')}\n`
      if (lines.length === 0 || seen.has(text)) continue
      seen.add(text)
      const path = join(to, name.endsWith('.gz') ? name : `${name}.gz`)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, gzipSync(text))
    }
  }
  write(new Map())
  if (!existsSync(to)) return false
  const { problems } = await addEvidence({ case: join(root, `sieve-${seed}`), paths: [to] })
  const bad = new Map<string, Set<number>>()
  for (const { path, line = 0, line_to = line } of problems) {
    const name = [...files.keys()].find(one => path.endsWith(`/${one}`) || path.endsWith(`/${one}.gz`))!
    const lines = bad.get(name) ?? new Set()
    for (let one = line; one <= line_to; one++) lines.add(one)
    bad.set(name, lines)
  }
  if (bad.size > 0) write(bad)
  return existsSync(to)
}

function rowsOf(text: string): Record<string, string>[] {
  let header: string[] = []
  const rows: Record<string, string>[] = []
  for (const line of text.split('\n')) {
    const values = line.trim().split(/ +/)
    if (values.includes('srcaddr') && values.includes('dstaddr')) header = values
    else if (values.length === header.length)
      rows.push(Object.fromEntries(header.map((name, i) => [name, canonical(values[i]!)])))
  }
  return rows
}

/** Flow logs write an address in one way, which engines compare as text. */
function canonical(value: string): string {
  const address = /[.:]/.test(value) ? parseAddress(value) : null
  return address === null ? value : formatAddress(address.hi, address.lo)
}
