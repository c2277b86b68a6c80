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

const headersMax = 100

/** What a browser calls an address and a port: 80, which goes without saying, is not said. */
export function hostOf(address: string, port: number): string {
  return new URL(`http://${address}:${port}`).host
}

/** Cookies go to every port of a host: where several workbenches have one address, each has a cookie of its own. */
export function cookieName({ host }: Gate): string {
  return `tidemark-${host.slice(host.lastIndexOf(':') + 1)}`
}

/** The address that is asked for; null: it is none of this server, as one with a name of its own in it. */
export function addressOf(gate: Gate, request: IncomingMessage): URL | null {
  const text = request.url ?? ''
  if (!text.startsWith('/') || /^\/[/\\]/.test(text)) return null
  const base = `http://${gate.host}`
  const url = URL.canParse(text, base) ? new URL(text, base) : null
  return url?.host === gate.host && !url.pathname.startsWith('//') ? url : null
}

/**
 * Why a request is not answered; null: it may be.
 *
 * @param entering the token that its address brings, as the printed link does; null: it brings none.
 * @param open whether who was not let in is answered too.
 */
export function refusalOf(
  gate: Gate,
  request: IncomingMessage,
  entering: string | null,
  open: boolean,
): Refusal | null {
  const { host, origin, upgrade } = request.headers
  if (request.rawHeaders.length > 2 * headersMax) return { status: 431, error: `more than ${headersMax} headers` }
  if (numberOf(request, 'host') !== 1 || host !== gate.host)
    return { status: 403, error: `Host ${JSON.stringify((host ?? '').slice(0, 80))} is not this workbench` }
  if (upgrade !== undefined) return { status: 400, error: 'nothing else than HTTP is spoken here' }
  if (numberOf(request, 'origin') > 1 || (origin !== undefined && origin !== `http://${gate.host}`))
    return fromElsewhere
  if (entering !== null) {
    if (request.method !== 'GET') return { status: 405, error: 'the link is opened by GET' }
    return isSame(entering, gate.token) ? null : { status: 403, error: 'that is not the token that was printed' }
  }
  if (numberOf(request, 'sec-fetch-site') > 1 || !['same-origin', 'none', undefined].includes(siteOf(request)))
    return fromElsewhere
  if (open || cookiesOf(gate, request).some(given => isSame(given, gate.token))) return null
  return { status: 403, error: 'open the link that tidemark ui printed: this browser has not been let in' }
}

const fromElsewhere: Refusal = { status: 403, error: 'a page from elsewhere may not ask' }

export function siteOf({ headers }: IncomingMessage): string | undefined {
  return headers['sec-fetch-site'] as string | undefined
}

function numberOf({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length
}

/** Another server on this address may have set some of the same name: they keep nobody out. */
function cookiesOf(gate: Gate, { headers }: IncomingMessage): string[] {
  const start = `${cookieName(gate)}=`
  return (headers.cookie ?? '').split(';').flatMap(part => {
    const text = part.trim()
    return text.startsWith(start) ? [text.slice(start.length)] : []
  })
}

/** In a time that says nothing of how much is right. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
