/** A watch as a process of its own, and someone who listens to its alerts. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openCase } from '../../src/store/case.ts'
import type { Alert } from '../../src/watch/alert.ts'
import type { Health } from '../../src/watch/health.ts'
import { cliEntry } from '../repo.ts'

export interface Running {
  child: ChildProcess
  said: { out: string; err: string }
  ended: Promise<{ status: number | null; signal: string | null }>
}

/** Starts `tidemark watch ARGS`. */
export function startWatch(t: TestContext, args: readonly string[], env: Record<string, string> = {}): Running {
  const { TIDEMARK_CASE: _, ...own } = process.env
  const child = spawn(process.execPath, [cliEntry, 'watch', ...args], { env: { ...own, ...env } })
  const said = { out: '', err: '' }
  child.stdout.on('data', piece => (said.out += piece))
  child.stderr.on('data', piece => (said.err += piece))
  const ended = new Promise<{ status: number | null; signal: string | null }>(resolve =>
    child.on('close', (status, signal) => resolve({ status, signal })),
  )
  t.after(() => child.kill('SIGKILL'))
  return { child, said, ended }
}

export function healthIn(path: string): Health | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Health) : null
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean, running?: Running, seconds = 120): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await wait(20)) {
    if (holds()) return
    if (running !== undefined) assert.equal(running.child.exitCode, null, running.said.err)
  }
  throw new Error(`${what}: not within ${seconds} s\n${running?.said.err ?? ''}`)
}

/** Whether a watch has done everything that there is to do. */
export function isIdle(health: Health | null, files: number): boolean {
  if (health === null || health.look_due || health.alerts.waiting > 0 || health.waiting_files > 0) return false
  return health.read.files + health.read.known + health.read.not_evidence >= files && health.last_look !== null
}

/** Puts a file where it is seen whole, or not at all. */
export function put(folder: string, name: string, text: string | Uint8Array): void {
  const draft = join(folder, '..', `${name}.draft`)
  writeFileSync(draft, text)
  renameSync(draft, join(folder, name))
}

export interface Heard {
  body: string
  headers: IncomingHttpHeaders
  alert: Alert
}

export interface Listener {
  url: string
  heard: Heard[]
  /** By what it answers next; `null` never answers. */
  answer: (heard: Heard) => number | null
}

/** A receiver of webhooks on this machine. */
export async function listen(t: TestContext, answer: Listener['answer'] = () => 204): Promise<Listener> {
  const listener: Listener = { url: '', heard: [], answer }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', piece => (body += piece))
    request.on('end', () => {
      const heard = { body, headers: request.headers, alert: JSON.parse(body) as Alert }
      const status = listener.answer(heard)
      if (status !== null && status >= 200 && status <= 299) listener.heard.push(heard)
      if (status === 0) request.socket.destroy()
      else if (status !== null) response.writeHead(status).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  listener.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return listener
}

/** Folders of the cases of a watch. */
export function casesIn(out: string): string[] {
  return readdirSync(join(out, 'days'))
    .sort()
    .map(name => join(out, 'days', name))
}

/** How often each line of evidence is in the cases of a watch: by its ends and its start. */
export async function recordsIn(out: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const dir of casesIn(out)) {
    const c = await openCase(dir)
    try {
      const rows = await c.db.rows(
        'SELECT srcport, dstport, bytes, epoch_us(start) AS at, count(*) AS n FROM flows GROUP BY ALL',
      )
      for (const row of rows) {
        const key = `${row['srcport']} ${row['dstport']} ${row['bytes']} ${Number(row['at']) / 1e6}`
        found.set(key, (found.get(key) ?? 0) + Number(row['n']))
      }
    } finally {
      await c.close()
    }
  }
  return found
}

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'

/** A flow log of such lines. */
export function logOf(lines: readonly string[]): string {
  return `${[header, ...lines].join('\n')}\n`
}

/** Both directions of a guess at a log-in, number `i`, from one of some attackers. */
export function guessLines(attacker: number, i: number, at: number): string[] {
  const [client, server] = [`203.0.113.${attacker}`, `10.0.${attacker}.5`]
  const bytes = 2000 * (1 + [0, 0.03, -0.03][i % 3]!)
  const sport = 20_000 + (i % 40_000)
  const time = `${at} ${at + 15} ACCEPT OK`
  return [
    `2 123456789012 eni-${attacker} ${client} ${server} ${sport} 22 6 12 ${bytes} ${time} 3`,
    `2 123456789012 eni-${attacker} ${server} ${client} 22 ${sport} 6 14 3000 ${time} 19`,
  ]
}

/** The name that AWS gives a file whose records may end in the minute of `at`, seconds since the epoch. */
export function awsName(at: number, unique: string): string {
  const stamp = new Date(at * 1000)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\d\d\.\d+Z$/, 'Z')
  return `123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_${stamp}_${unique}.log`
}
