// Zeek's own conn.log baselines, and the captures they are of.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Baseline {
  trace: string
  name: string
  command: string
  rows: Record<string, string>[]
}

/** Every baseline that has a trace, with its rows by column. */
export function baselines(folder: string): Baseline[] {
  const [, ...lines] = readFileSync(join(folder, 'MAP.tsv'), 'utf8').trimEnd().split('\n')
  return lines.flatMap(line => {
    const [trace, path, command] = line.split('\t') as [string, string, string | undefined]
    const file = join(folder, path)
    if (!path.includes('conn.log') || !existsSync(file)) return []
    const name = path.replace(/^Baseline\//, '').replace(/\/conn\.log$/, '')
    return [
      { trace: join(folder, 'Traces', trace), name, command: command ?? '', rows: rowsOf(readFileSync(file, 'utf8')) },
    ]
  })
}

function rowsOf(text: string): Record<string, string>[] {
  let names: string[] | null = null
  const rows: Record<string, string>[] = []
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#fields')) names = line.split('\t').slice(1)
    else if (line.startsWith('#') || line === '') continue
    else if (names === null) names = line.split('\t')
    else rows.push(Object.fromEntries(line.split('\t').map((value, i) => [names![i]!, value])))
  }
  return rows
}
