// What a run of a command takes, for benches that stand beside a peer.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Bash tells the processor time of a command and its children. */
const timed = `TIMEFORMAT='%3R %3U %3S'; time "$@" > /dev/null 2> /dev/null`

/** Seconds of a run, and mebibytes that its largest process had. Status 3 is an answer, too. @param env beside the usual environment. */
export function measured(argv, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', timed, 'bash', ...argv], { env: { ...process.env, ...env } })
    let said = ''
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid))
    }, 20)
    child.stderr.on('data', piece => {
      said += piece
    })
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(watch)
      if (code !== 0 && code !== 3) reject(new Error(`${argv.join(' ')} ended with ${code}`))
      const [wall, user, system] = said.trim().split(/\s+/).map(Number)
      resolve({ wall, cpu: user + system, peak })
    })
  })
}

/** Zero where the kernel does not tell it. */
function peakOf(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    const peaks = children.map(one => /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0)
    return Math.max(...peaks.map(Number)) / 1024
  } catch {
    return 0
  }
}
