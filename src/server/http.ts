/** HTTP as the workbench speaks it: who may ask, which headers every answer has, and how errors are told. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Assets } from './assets.ts'
import { bodyOf } from './body.ts'
import { Refused, type Told, told } from './failure.ts'
import { addressOf, cookieName, type Gate, refusalOf, siteOf } from './gate.ts'
import { JsonText } from './json-line.ts'
import { OwnReply, type Route } from './route.ts'
import type { Services } from './services.ts'
import { Strangers } from './strangers.ts'
import { found, methodsOf } from './table.ts'

export interface Site {
  gate: Gate
  assets: Assets
  routes: readonly Route[]
  services: Services
  /** For the terminal. */
  onNote(text: string): void
  /** Told when somebody brings the token. */
  onEntered(): void
}

const connectionsMax = 1024
const strangersMax = 200

/** A server that is not listening yet. */
export function httpServer(site: Site): Server {
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: 5000,
    requestTimeout: 20_000,
    connectionsCheckingInterval: 1000,
    // Above what browsers leave between two questions: a connection that is ended as one is asked on it fails the question.
    keepAliveTimeout: 65_000,
  })
  // All that fit are looked at: what were left out could be a second Host.
  server.maxHeadersCount = 0
  server.maxConnections = connectionsMax
  const strangers = new Strangers(server, strangersMax)
  server.on('request', (request, response) => void respond(site, strangers, request, response))
  return server
}

async function respond(
  site: Site,
  strangers: Strangers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const nonce = randomBytes(16).toString('base64')
  try {
    for (const [name, value] of headersOf(nonce)) response.setHeader(name, value)
    const url = admitted(site, request)
    const entering = url.searchParams.has('token')
    if (url.pathname === '/health' && !entering) return health(request, response)
    strangers.letIn(request.socket)
    if (entering) {
      site.onEntered()
      return enter(request, response, url, site.gate)
    }
    if (url.pathname.startsWith('/api/')) return await api(site, request, response, url)
    allow(request, response, ['GET', 'HEAD', 'OPTIONS'])
    if (request.method === 'OPTIONS') return nothing(response)
    const asset = site.assets.get(url.pathname, nonce)
    if (asset === null) throw new Refused(404, 'there is no such page')
    response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.length })
    response.end(asset.body)
  } catch (error) {
    fail(site, request, response, error)
  }
}

/** The address that is asked for. @throws Refused for who may not ask. */
function admitted({ gate }: Site, request: IncomingMessage): URL {
  const url = addressOf(gate, request)
  const open = url?.pathname === '/health'
  const refusal = refusalOf(gate, request, url?.searchParams.get('token') ?? null, open)
  if (refusal !== null) throw new Refused(refusal.status, refusal.error)
  if (url === null) throw new Refused(400, 'that is no address of this workbench')
  return url
}

/** https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/ */
function headersOf(nonce: string): [string, string][] {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ]
  return [
    ['content-security-policy', policy.join('; ')],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['referrer-policy', 'no-referrer'],
    ['cache-control', 'no-store'],
  ]
}

/** That it is there: whoever can ask knows as much already. */
function health(request: IncomingMessage, response: ServerResponse): void {
  allow(request, response, ['GET', 'HEAD'])
  sendJson(response, 200, { status: 'ok' })
}

/** The token leaves the address: it would stay in the history. */
function enter(request: IncomingMessage, response: ServerResponse, url: URL, gate: Gate): void {
  url.searchParams.delete('token')
  const path = `${url.pathname}${url.search}`
  response.setHeader('set-cookie', `${cookieName(gate)}=${gate.token}; HttpOnly; SameSite=Strict; Path=/`)
  if (['none', 'same-origin', undefined].includes(siteOf(request))) {
    response.writeHead(303, { location: path, 'content-length': 0 })
    return void response.end()
  }
  // Opened from a file: to the browser that is elsewhere, and a redirect would be too, without the cookie. A page of ours is not.
  sendText(response, 200, 'text/html', enteringPage(path))
}

function enteringPage(path: string): string {
  const safe = path.replace(/[&"'<>;]/g, c => `&#${c.charCodeAt(0)};`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Tidemark</title>
<meta http-equiv="refresh" content="0;url=${safe}">
</head>
<body><p><a href="${safe}">Open the workbench</a></p></body>
</html>
`
}

async function api(site: Site, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const hits = found(site.routes, url.pathname)
  if (hits.length === 0) throw new Refused(404, `nobody answers ${url.pathname}`)
  allow(request, response, [...methodsOf(hits), 'OPTIONS'])
  if (request.method === 'OPTIONS') return nothing(response)
  const { route, params } = hits.find(hit => hit.route.method === request.method)!
  const stopping = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) stopping.abort(new Error('nobody waits for the answer any more'))
  })
  const body = route.body === undefined ? undefined : await bodyOf(request, route.body)
  const asked = { params, query: url.searchParams, body, signal: stopping.signal }
  const answer = await route.answer(site.services, asked)
  if (answer instanceof OwnReply) await answer.write(response)
  else sendJson(response, 200, answer ?? null)
}

/** @throws Refused for other methods than those. */
function allow(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): void {
  if (!methods.includes(request.method ?? '') || request.method === 'OPTIONS')
    response.setHeader('allow', methods.join(', '))
  if (!methods.includes(request.method ?? '')) throw new Refused(405, `${request.method} is not answered here`)
}

function nothing(response: ServerResponse): void {
  response.writeHead(204)
  response.end()
}

function fail(site: Site, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // Who went away is told nothing, and it is no failure.
  if (response.destroyed) return
  const what = told(error)
  if (what.bug !== null) site.onNote(`a bug, at ${request.method} ${request.url?.replace(/\?.*/s, '')}:\n${what.bug}`)
  if (response.headersSent) return void response.destroy()
  // What is left of a request that is not read must not be taken for the next.
  if (what.status === 413 || what.status === 403 || what.status === 431) response.setHeader('connection', 'close')
  if (what.status === 503) response.setHeader('retry-after', '1')
  if (isForPeople(request)) sendText(response, what.status, 'text/plain', inWords(what))
  else sendJson(response, what.status, what.failure)
}

/** Whether it is asked for as a page, and not by one. */
function isForPeople({ url, headers }: IncomingMessage): boolean {
  return !url?.startsWith('/api/') && headers.accept?.includes('text/html') === true
}

function inWords({ failure: { error, hint } }: Told): string {
  return `${error}\n${hint === undefined ? '' : `${hint}\n`}`
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const { bytes } = JsonText.of(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}

function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text)
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-length': body.length })
  response.end(body)
}
