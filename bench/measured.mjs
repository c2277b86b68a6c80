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

/** The run with the least wall time of some, and the highest peak of all. @param before called before each. */
export async function least(argv, { runs, env = {}, before = () => undefined }) {
  let best = null
  for (let i = 0; i < runs; i++) {
    before()
    const one = await measured(argv, env)
    const peak = Math.max(one.peak, best?.peak ?? 0)
    best = { ...(best !== null && best.wall < one.wall ? best : one), peak }
  }
  return best
}

/** A line of a table. @param zcat what a run of zcat took, for the ratios. */
export function print(name, { wall, cpu, peak }, zcat, bar) {
  const of = zcat === undefined ? '' : `  ${(wall / zcat.wall).toFixed(2)} of zcat, cpu ${(cpu / zcat.cpu).toFixed(2)}`
  const memory = peak > 0 ? `  peak ${Math.round(peak)} MiB` : ''
  const told = bar === undefined ? '' : ` (bar ${bar})`
  process.stdout.write(
    `${name.padEnd(36)} ${wall.toFixed(2).padStart(8)} s  cpu ${cpu.toFixed(2).padStart(7)} s${of}${memory}${told}\n`,
  )
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
