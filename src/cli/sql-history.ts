import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { readSmall } from '../disk/reading.ts'
import { openOrCreate, replaceFile } from '../disk/writing.ts'

const linesMax = 1000
const bytesMax = 64 << 20
const ownersOnly = 0o600

/** Where the prompt's history lies: with the user's state, never in a case, which others are given. */
export function historyFile(env: NodeJS.ProcessEnv = process.env): string {
  const state = env['XDG_STATE_HOME'] || env['LOCALAPPDATA'] || join(homedir(), '.local', 'state')
  return join(state, 'tidemark', 'sql-history')
}

/** Statements of earlier conversations, the last one first. None where the file cannot be read. */
export async function readHistory(path: string): Promise<string[]> {
  const lines = textOf(path)
    .split('\n')
    .filter(line => line !== '')
  // A long history is cut when it is read, so that keeping it costs one line each time.
  if (lines.length > 2 * linesMax)
    await replaceFile(path, `${lines.slice(-linesMax).join('\n')}\n`, ownersOnly).catch(() => {})
  return lines.slice(-linesMax).reverse()
}

function textOf(path: string): string {
  try {
    return readSmall(path, 'follow', bytesMax).toString()
  } catch {
    return ''
  }
}

/** Keeps one statement, for its owner alone. Where that cannot be, there is no history. */
export async function keepInHistory(path: string, statement: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await openOrCreate(path, 'follow', ownersOnly)
    try {
      await handle.writeFile(`${statement}\n`)
    } finally {
      await handle.close()
    }
  } catch {
    // A prompt without a history is still a prompt.
  }
}
