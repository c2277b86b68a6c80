/** The workbench's server for tests, and requests that no browser would make. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorkbench } from '../../src/server/listen.ts'

export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

export interface Server {
  /** `127.1.2.3:4567`. */
  host: string
  token: string
  /** The header that lets in. */
  cookie: string
  folder: string
  caseDir: string
  notes: string[]
  pids(): Record<'work' | 'view', number[]>
  close(): Promise<void>
}

/** A workbench in a folder of its own; there is no case in it yet. */
export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-server-'))
  const caseDir = join(folder, 'case.tidemark')
  const notes: string[] = []
  const workbench = await startWorkbench({ caseDir, port: 0, demo: false, onNote: text => notes.push(text) })
  const { host, port, searchParams } = new URL(workbench.url)
  const token = searchParams.get('token')!
  return {
    ...{ host, token, folder, caseDir, notes },
    cookie: `tidemark-${port}=${token}`,
    pids: () => workbench.pids(),
    close: async () => {
      await workbench.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Asking {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
  signal?: AbortSignal
}

/** Asks with exactly these headers, beside Host. */
export function ask(
  host: string,
  path: string,
  { method = 'GET', headers = {}, body, signal }: Asking = {},
): Promise<Answered> {
  const [address, port] = host.split(':')
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: address, port, method, path, headers, agent: false, ...(signal && { signal }) },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', piece => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Asks as the page does. */
export async function askAsPage<Answer>(
  server: Server,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const headers = { cookie: server.cookie, ...(body !== undefined && { 'content-type': 'application/json' }) }
  const { status, text } = await ask(server.host, path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    ...(signal && { signal }),
    headers,
  })
  if (status !== 200) throw new Error(`${status} ${text}`)
  return JSON.parse(text) as Answer
}

const firstWordMilliseconds = 20_000

/** Sends text as it is, and gives all that comes back until the other side ends, or nothing more comes for a while. */
export function sendRaw(host: string, text: string | Buffer, milliseconds = 1000): Promise<string> {
  return new Promise(resolve => {
    const socket = open(host)
    let back = ''
    const end = (): void => {
      socket.destroy()
      resolve(back)
    }
    // The first word may take a while where many tests run.
    socket.setTimeout(Math.max(milliseconds, firstWordMilliseconds), end)
    socket.on('data', piece => {
      back += piece.toString('latin1')
      socket.setTimeout(milliseconds)
    })
    socket.on('close', end)
    socket.on('error', end)
    socket.write(text)
  })
}

export function open(host: string): Socket {
  const [address, port] = host.split(':')
  const socket = connect(Number(port), address)
  socket.on('error', () => {})
  return socket
}

export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0)
}
