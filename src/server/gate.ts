/**
 * Who may ask: only a page that this server gave out, in a browser that was given its token.
 *
 * The Host header must be the address that was printed (DNS rebinding), Origin and Sec-Fetch-Site must be of the same page
 * (cross-site requests), and the cookie must hold the token (other users of the machine). https://fetch.spec.whatwg.org,
 * https://www.w3.org/TR/fetch-metadata/
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface Gate {
  /** `127.3.5.7:8080`, as it was printed. */
  host: string
  token: string
}

export interface Refusal {
  status: number
  error: string
}

export const cookieName = 'tidemark'

/** Why a request is not answered; null: it may be. `entering`: it brings the token in its address, as the printed link does. */
export function refusalOf(gate: Gate, request: IncomingMessage, entering: string | null): Refusal | null {
  const { host, origin } = request.headers
  const hosts = namesOf(request, 'host')
  if (hosts !== 1 || host !== gate.host)
    return { status: 403, error: `Host ${JSON.stringify(String(host ?? '')).slice(0, 80)} is not this workbench` }
  const site = request.headers['sec-fetch-site']
  if (origin !== undefined && origin !== `http://${gate.host}`)
    return { status: 403, error: 'a page from elsewhere may not ask' }
  if (entering !== null) {
    if (request.method !== 'GET') return { status: 405, error: 'the link is opened by GET' }
    return same(entering, gate.token) ? null : { status: 403, error: 'that is not the token that was printed' }
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return { status: 403, error: 'a page from elsewhere may not ask' }
  return same(cookieOf(request.headers.cookie), gate.token)
    ? null
    : { status: 403, error: 'open the link that tidemark ui printed: this browser has not been let in' }
}

function namesOf(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length
}

function cookieOf(header: string | undefined): string {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === cookieName) return value ?? ''
  }
  return ''
}

/** In a time that says nothing of how much is right. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
