/** Opens the user's browser, where there is one. */
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../disk/temporary.ts'

/** Why no browser can be opened here; null: one may be. */
export function noBrowserHere(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | null {
  const seen = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
  if (seen) return null
  if ((env['SSH_CONNECTION'] ?? '') !== '' || (env['SSH_TTY'] ?? '') !== '') return 'you are here by ssh'
  return platform === 'darwin' || platform === 'win32' ? null : 'there is no desktop'
}

/** The command that opens a file as if it had been clicked. */
function opener(path: string, platform: NodeJS.Platform): [string, ...string[]] {
  if (platform === 'darwin') return ['open', path]
  if (platform === 'win32') return ['cmd', '/c', 'start', '""', path]
  return ['xdg-open', path]
}

/**
 * Opens a link in the browser. The link is a secret that the list of processes would show: what is opened is a small file that leads to it, which
 * only this user may read.
 *
 * @returns removes the file; to be called when the browser has been there.
 */
export function openBrowser(url: string, onFailure: () => void): () => void {
  let folder: string
  try {
    folder = temporaryFolder('open')
  } catch {
    onFailure()
    return () => undefined
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const path = join(folder, 'workbench.html')
    writeFileSync(path, redirect(url), { mode: 0o600, flag: 'wx' })
    const [command, ...args] = opener(path, process.platform)
    const child = spawn(command, args, { stdio: 'ignore', detached: true })
    child.on('error', onFailure)
    child.on('exit', status => {
      if (status !== null && status > 0) onFailure()
    })
    child.unref()
  } catch {
    onFailure()
  }
  return () => {
    process.off('exit', remove)
    remove()
  }
}

function redirect(url: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${url}">
<title>Tidemark</title>
</head>
<body><p><a href="${url}">Open the workbench</a></p></body>
</html>
`
}
