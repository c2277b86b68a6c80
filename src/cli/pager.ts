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

/** The pager that is asked for: `TIDEMARK_PAGER`, `PAGER`, else less; null where no pager is wanted, as with `cat`. */
export function pagerCommand(env: NodeJS.ProcessEnv): string | null {
  const command = (env['TIDEMARK_PAGER'] ?? env['PAGER'] ?? 'less').trim()
  return command === '' || command === 'cat' || env['TERM'] === 'dumb' ? null : command
}

/** More text than a pipe holds: where that was taken, somebody reads. */
const unreadMax = 1 << 20

/**
 * Starts it on the terminal of standard output; null where it cannot be started.
 *
 * @param direct takes the text where it turns out later that there is no such pager.
 */
export async function startPager(command: string, direct: (text: string) => Promise<void>): Promise<Pager | null> {
  const { spawn } = await import('node:child_process')
  if (!(await isThere(command))) return null
  // As git: less ends at once where all fits, shows colours and leaves the text on the screen.
  const env = { ...process.env, LESS: process.env['LESS'] ?? 'FRX', LV: process.env['LV'] ?? '-c' }
  const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'], env })
  const left = new Promise<number | null>(resolve => {
    child.on('error', () => resolve(null))
    child.on('close', status => resolve(status))
  })
  return pagerOf(child, left, direct)
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

/** A shell says so of a command that it does not find or cannot run. */
function isNotThere(status: number | null): boolean {
  return status === 127 || status === 126
}

function pagerOf(child: ChildProcess, left: Promise<number | null>, direct: (text: string) => Promise<void>): Pager {
  const input = child.stdin!
  // Told where it is written.
  input.on('error', () => undefined)
  let unread: string[] | null = []
  let length = 0
  let isGone = false
  const shown = left.then(async status => {
    if (unread !== null && isNotThere(status)) await direct(unread.splice(0).join(''))
    else isGone = true
  })
  shown.catch(() => undefined)
  let isLeft = false
  void left.then(() => {
    isLeft = true
  })
  return {
    isGone: () => isGone,
    write: async text => {
      if (isLeft) {
        await shown
        return isGone ? undefined : direct(text)
      }
      unread?.push(text)
      length += text.length
      const isTaken = await Promise.race([
        new Promise<boolean>(resolve => input.write(text, error => resolve(!error))),
        left.then(() => false),
      ])
      if (!isTaken) await shown
      else if (length > unreadMax) unread = null
    },
    close: async () => {
      // Ctrl-C is for the pager, as in git: who waits for it stays.
      const stay = (): void => undefined
      process.on('SIGINT', stay)
      try {
        input.end()
        await shown
      } finally {
        process.off('SIGINT', stay)
      }
    },
  }
}
