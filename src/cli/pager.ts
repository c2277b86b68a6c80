/** What a terminal shows of a long answer: page by page, as git does it. */
import type { ChildProcess } from 'node:child_process'

/** A pager that is at work. */
export interface Pager {
  /** Resolves once it has taken the text; also where it was left. */
  write(text: string): Promise<void>
  /** Whether whoever reads has left it. */
  isGone(): boolean
  /** Ends what is written, and waits until it is left. */
  close(): Promise<void>
}

/** The pager that is asked for: `TIDEMARK_PAGER`, `PAGER`, else less; null where there is none to be, as with `cat`. */
export function pagerCommand(env: NodeJS.ProcessEnv): string | null {
  const command = (env['TIDEMARK_PAGER'] ?? env['PAGER'] ?? 'less').trim()
  return command === '' || command === 'cat' || env['TERM'] === 'dumb' ? null : command
}

/** Starts it on the terminal of standard output; null where there is no such program. */
export async function startPager(command: string): Promise<Pager | null> {
  const { spawn } = await import('node:child_process')
  if (!(await isThere(command))) return null
  // As git: less ends at once where all fits, shows colours and leaves the text on the screen.
  const env = { ...process.env, LESS: process.env['LESS'] ?? 'FRX', LV: process.env['LV'] ?? '-c' }
  const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'], env })
  const left = new Promise<void>(resolve => {
    child.on('error', () => resolve())
    child.on('close', () => resolve())
  })
  return pagerOf(child, left)
}

/** Whether a shell finds the program. Asked before: what a pager was given that cannot be started is lost. */
async function isThere(command: string): Promise<boolean> {
  const [program = ''] = command.split(/\s/)
  // Settings before the program, and quotes, are for the shell alone to read.
  if (/[^\w./+-]/.test(program)) return true
  const { spawnSync } = await import('node:child_process')
  const asked = process.platform === 'win32' ? `where ${program}` : `command -v ${program}`
  return spawnSync(asked, { shell: true, stdio: 'ignore' }).status === 0
}

function pagerOf(child: ChildProcess, left: Promise<void>): Pager {
  const input = child.stdin!
  let isGone = false
  input.on('error', () => {
    isGone = true
  })
  void left.then(() => {
    isGone = true
  })
  return {
    isGone: () => isGone,
    write: text =>
      new Promise(resolve => {
        if (isGone) return resolve()
        void left.then(() => resolve())
        input.write(text, () => resolve())
      }),
    close: async () => {
      input.end()
      await left
    },
  }
}
