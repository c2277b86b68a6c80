/** A workbench in a process of its own, as `tidemark ui` starts it, and what its processes take. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export async function serve(caseDir) {
  const child = spawn(process.execPath, [entry, 'ui', '--no-open', '--case', caseDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', piece => (said += piece))
  const url = await new Promise((resolve, reject) => {
    let out = ''
    child.stdout.on('data', piece => {
      out += piece
      if (out.includes('\n')) resolve(new URL(out.trim()))
    })
    child.on('exit', () => reject(new Error(said)))
  })
  const cookie = `tidemark-${url.port}=${url.searchParams.get('token')}`
  return {
    /** Asks on a connection of the agent; the text of the answer, and its status. */
    ask: (path, body, agent = new Agent()) => asked(url, cookie, agent, path, body),
    processes: () => processesOf(child.pid),
    said: () => said,
    close: () =>
      new Promise(resolve => {
        child.removeAllListeners('exit')
        child.on('exit', resolve)
        child.kill('SIGINT')
      }),
  }
}

function asked({ hostname, port }, cookie, agent, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = { cookie, ...(text !== undefined && { 'content-type': 'application/json' }) }
  return new Promise((resolve, reject) => {
    const asking = request(
      { hostname, port, path, method: text === undefined ? 'GET' : 'POST', headers, agent },
      response => {
        const pieces = []
        response.on('data', piece => pieces.push(piece))
        response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString('utf8') }))
        response.on('error', reject)
      },
    )
    asking.on('error', reject)
    asking.end(text)
  })
}

/** The server and all that it started: name, memory at its most (MiB), CPU seconds. */
function processesOf(root) {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ')
        const [, peak = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
        const [, now = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
        const [, script = 'ui'] = /(\w+-child)\.js/.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1')) ?? []
        const cpu = (Number(stat[11]) + Number(stat[12])) / 100
        return [{ pid: Number(pid), parent: Number(stat[1]), name: script, peak: peak / 1024, rss: now / 1024, cpu }]
      } catch {
        return []
      }
    })
  const own = new Set([root])
  for (let grown = true; grown; ) {
    const before = own.size
    for (const one of all) if (own.has(one.parent)) own.add(one.pid)
    grown = own.size > before
  }
  return all.filter(({ pid }) => own.has(pid))
}

export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export function print(text) {
  process.stdout.write(`${text}\n`)
}
