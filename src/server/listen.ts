/** The workbench's HTTP server: one loopback address, one table of routes, files from memory. It reads no evidence itself. */
import { randomBytes, randomInt } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { errorCode, errorText, UserError } from '../errors.ts'
import { type Assets, loadAssets } from './assets.ts'
import { bodyOf } from './body.ts'
import type { Failure } from './contract/common.ts'
import { EventStream } from './events.ts'
import { cookieName, type Gate, refusalOf } from './gate.ts'
import { Jobs } from './jobs.ts'
import { toLine } from './json-line.ts'
import { AnswerError } from './message.ts'
import { Pool } from './pool.ts'
import { OwnReply } from './route.ts'
import { allRoutes } from './routes/all.ts'
import type { Services } from './services.ts'
import { found } from './table.ts'

export interface WorkbenchOptions {
  caseDir: string
  /** 0: any that is free. */
  port: number
  demo: boolean
  onNote?: (text: string) => void
}

export interface Workbench {
  /** With the token: opening it lets the browser in. */
  url: string
  close(): Promise<void>
}

/** @throws UserError where the port is taken. */
export async function startWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const assets = loadAssets()
  const services = servicesOf(options)
  const gate: Gate = { host: '', token: randomBytes(32).toString('base64url') }
  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 60_000, connectionsCheckingInterval: 5000 },
    (request, response) => void respond(request, response, gate, assets, services),
  )
  server.maxHeadersCount = 100
  server.maxConnections = 512
  const address = loopback()
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(notListening(error, address, options.port)))
    server.listen(options.port, address, resolve)
  })
  gate.host = `${address}:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${gate.host}/?token=${gate.token}`,
    close: async () => {
      services.jobs.stopAll()
      services.events.close()
      server.close()
      server.closeAllConnections()
      await Promise.all([services.work.close(), services.view.close()])
    },
  }
}

/** Cookies go to every port of a host: on Linux all of 127.0.0.0/8 is this machine, so that each workbench has a host of its own. */
function loopback(): string {
  return process.platform === 'linux'
    ? `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(2, 255)}`
    : '127.0.0.1'
}

function notListening(error: Error, address: string, port: number): Error {
  if (errorCode(error) === 'EADDRINUSE')
    return new UserError(`port ${port} of ${address} is taken`, { hint: 'name another with --port, or none' })
  if (errorCode(error) === 'EACCES')
    return new UserError(`port ${port} may not be opened`, { hint: 'name one above 1023 with --port' })
  return error
}

function servicesOf({ caseDir, demo, onNote }: WorkbenchOptions): Services {
  const events = new EventStream()
  const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const settings = (name: string, file: string, megabytes: number) => ({
    name,
    script: script(file),
    args: [caseDir],
    megabytes,
    onDeath: (why: string, stopped: boolean) => {
      onNote?.(`the ${name} process died: ${why}`)
      events.send({ event: 'child-died', child: name, why, stopped })
    },
  })
  return {
    ...{ caseDir, demo, events },
    work: new Pool(2, settings('work', './work-child.js', 2048)),
    view: new Pool(1, settings('view', './view-child.js', 2048)),
    jobs: new Jobs(events),
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
  assets: Assets,
  services: Services,
): Promise<void> {
  const nonce = randomBytes(16).toString('base64')
  for (const [name, value] of headersOf(nonce)) response.setHeader(name, value)
  try {
    const url = new URL(request.url ?? '/', `http://${gate.host}`)
    const entering = url.searchParams.get('token')
    const refusal = refusalOf(gate, request, entering)
    if (refusal !== null) return sendJson(response, refusal.status, { error: refusal.error })
    if (entering !== null) return enter(response, url, gate)
    if (url.pathname === '/health') return sendJson(response, 200, { status: 'ok' })
    if (url.pathname.startsWith('/api/')) return await api(request, response, url, services)
    if (request.method !== 'GET') return sendJson(response, 405, { error: `${request.method} is not answered here` })
    const asset = assets.get(url.pathname, nonce)
    if (asset === null) return sendJson(response, 404, { error: 'there is no such page' })
    response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.length })
    response.end(asset.body)
  } catch (error) {
    fail(response, error)
  }
}

/** https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/ */
function headersOf(nonce: string): [string, string][] {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ]
  return [
    ['content-security-policy', policy.join('; ')],
    ['x-content-type-options', 'nosniff'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['referrer-policy', 'no-referrer'],
    ['cache-control', 'no-store'],
  ]
}

/** The token leaves the address: it would stay in the history. */
function enter(response: ServerResponse, url: URL, { token }: Gate): void {
  url.searchParams.delete('token')
  const path = `/${url.pathname.replace(/^[/\\]+/, '')}${url.search}`
  response.writeHead(303, {
    'set-cookie': `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/`,
    location: path,
  })
  response.end()
}

async function api(request: IncomingMessage, response: ServerResponse, url: URL, services: Services): Promise<void> {
  const hit = found(allRoutes, request.method ?? '', url.pathname)
  if (hit === null) return sendJson(response, 404, { error: `nobody answers ${url.pathname}` })
  if (hit === 'method') return sendJson(response, 405, { error: `${request.method} is not answered here` })
  const stopping = new AbortController()
  response.on('close', () => {
    if (!response.writableEnded) stopping.abort(new Error('nobody waits for the answer any more'))
  })
  const body = hit.route.body === undefined ? undefined : await bodyOf(request, hit.route.body)
  const { params } = hit
  const answer = await hit.route.answer(services, { params, query: url.searchParams, body, signal: stopping.signal })
  if (answer instanceof OwnReply) await answer.write(response)
  else sendJson(response, 200, answer ?? null)
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) response.destroy()
  else sendJson(response, ...failureOf(error))
}

/** Status and what the page is told. */
function failureOf(error: unknown): [number, Failure] {
  if (error instanceof AnswerError) {
    const { message, hint, at, status } = error
    const code = status === 2 ? 400 : status === 70 ? 500 : 503
    return [code, { error: message, ...(hint !== undefined && { hint }), ...(at && { at }) }]
  }
  if (error instanceof UserError)
    return [400, { error: error.message, ...(error.hint !== undefined && { hint: error.hint }) }]
  return [500, { error: errorText(error) }]
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(toLine(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}
