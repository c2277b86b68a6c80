/** Alerts by HTTP: a POST of JSON, signed so that the receiver can tell who sent it, and when. */
import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { errorCode, errorText, exitStatus, UserError } from '../../errors.ts'
import { version } from '../../version.ts'
import { DeliveryError, type Receiver, sendMilliseconds, withinTime } from './receiver.ts'

const answerBytesMax = 64 << 10

/** The value of `Tidemark-Signature`: HMAC-SHA256 of the seconds, a dot and the body. */
export function signatureOf(secret: string | Uint8Array, seconds: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

/** @throws UserError (status 2) for what is no address of HTTP; the message does not repeat it, for it may hold a token. */
export function webhookAddress(text: string): URL {
  const hint = 'it is like https://alerts.example.com/tidemark'
  const unfit = (what: string): UserError => new UserError(`--webhook: ${what}`, { hint, status: exitStatus.usage })
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw unfit('not an address')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unfit('neither https:// nor http://')
  if (url.username !== '' || url.password !== '')
    throw new UserError('--webhook: the address holds a user or a password', {
      hint: 'every user of this machine could read it: leave it out, and let the receiver check the signature',
      status: exitStatus.usage,
    })
  return url
}

/** @param secret for the signature; null: alerts are not signed. */
export function webhook(
  url: URL,
  secret: string | Uint8Array | null,
  { timeout = sendMilliseconds, now = Date.now }: { timeout?: number; now?: () => number } = {},
): Receiver {
  return {
    kind: 'webhook',
    // The path may be a secret, as with Slack's.
    to: url.origin,
    async send({ id, text }, signal) {
      const seconds = Math.floor(now() / 1000)
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
        'user-agent': `tidemark/${version()}`,
        'tidemark-alert-id': id,
        'tidemark-timestamp': String(seconds),
        ...(secret !== null && { 'tidemark-signature': signatureOf(secret, seconds, text) }),
      }
      const limit = withinTime(signal, timeout)
      try {
        const status = await post(url, headers, text, limit.signal)
        if (status < 200 || status > 299) throw refusal(status)
      } catch (error) {
        signal.throwIfAborted()
        if (limit.signal.aborted) throw limit.signal.reason
        throw error instanceof DeliveryError ? error : unreachable(error)
      } finally {
        limit.end()
      }
    },
  }
}

async function post(url: URL, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<number> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept may have been closed at the other end meanwhile.
    const sent = request(url, { method: 'POST', headers, signal, agent: false }, (answer: IncomingMessage) => {
      let bytes = 0
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length
        // What it says does not matter, and may be without end.
        if (bytes > answerBytesMax) answer.destroy()
      })
      answer.on('close', () => resolve(answer.statusCode ?? 0))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Statuses that say nothing of the alert: the same one may be taken later. */
const passing = [401, 403, 404, 408, 421, 425, 429]

function refusal(status: number): DeliveryError {
  if (status >= 300 && status <= 399)
    return new DeliveryError(`it answered with status ${status}: redirects are not followed, name the last address`)
  const isRefused = status >= 400 && status <= 499 && !passing.includes(status)
  return new DeliveryError(`it answered with status ${status}`, isRefused)
}

function unreachable(error: unknown): DeliveryError {
  const code = errorCode(error)
  // Messages of the system hold host and port; those of TLS, names of certificates. None has the path.
  return new DeliveryError(code === undefined ? errorText(error) : `${code} (${errorText(error)})`)
}
