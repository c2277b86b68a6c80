/** Alerts as syslog: RFC 5424 over TCP or TLS, with the length before each message (RFC 6587, 3.4.1; RFC 5425, 4.3). */
import { hostname } from 'node:os'
import { errorCode, errorText, exitStatus, UserError } from '../../errors.ts'
import type { Severity } from '../../rules/finding.ts'
import { DeliveryError, type Receiver, sendMilliseconds, withinTime } from './receiver.ts'

export interface SyslogAddress {
  secure: boolean
  host: string
  port: number
}

/** `tcp://host:601`, `tls://host:6514`; the ports are those when none is named. @throws UserError (status 2) */
export function syslogAddress(text: string): SyslogAddress {
  const found = /^(tcp|tls):\/\/(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/.exec(text)
  const port = Number(found?.[3] ?? (found?.[1] === 'tls' ? 6514 : 601))
  if (found === null || port < 1 || port > 65_535)
    throw new UserError(`not an address of syslog: --syslog ${text}`, {
      hint: 'it is like tls://logs.example.com:6514 or tcp://127.0.0.1:601',
      status: exitStatus.usage,
    })
  return { secure: found[1] === 'tls', host: found[2]!.replace(/^\[|\]$/g, ''), port }
}

/** Facility local0. */
const facility = 16
const levels: Record<Severity, number> = { high: 2, medium: 4, low: 5, info: 6 }
/** The number that RFC 5612 keeps for examples: Tidemark has none of its own. */
const enterprise = 'tidemark@32473'

/** One message, without its length. @param sent when, milliseconds since the epoch. */
export function syslogMessage(
  text: string,
  sent: number,
  host: string = hostname(),
  pid: number = process.pid,
): string {
  const { id, rule, severity, day } = JSON.parse(text) as { id: string; rule: string; severity: Severity; day: string }
  const params = Object.entries({ id, rule, severity, day }).map(([name, value]) => `${name}="${escaped(value)}"`)
  const head = `<${facility * 8 + levels[severity]}>1 ${new Date(sent).toISOString()} ${printable(host)} tidemark ${pid} alert`
  return `${head} [${enterprise} ${params.join(' ')}] ${text}`
}

/** RFC 5424, 6.3.3. */
function escaped(value: string): string {
  return value.replace(/["\\\]]/g, '\\$&')
}

/** A host's name may hold what is no part of a header. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-'
}

/**
 * Syslog has no answer: an alert counts as delivered when the receiver has closed the connection in good order after everything was sent. One that keeps
 * it open gets the alert again.
 */
export function syslog(
  { secure, host, port }: SyslogAddress,
  { timeout = sendMilliseconds }: { timeout?: number } = {},
): Receiver {
  const scheme = secure ? 'tls' : 'tcp'
  return {
    kind: 'syslog',
    to: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async send({ text }, signal) {
      const message = Buffer.from(syslogMessage(text, Date.now()))
      const limit = withinTime(signal, timeout)
      try {
        await deliver({ secure, host, port }, Buffer.concat([Buffer.from(`${message.length} `), message]), limit.signal)
      } catch (error) {
        signal.throwIfAborted()
        if (limit.signal.aborted) throw limit.signal.reason
        const code = errorCode(error)
        throw new DeliveryError(code === undefined ? errorText(error) : `${code} (${errorText(error)})`)
      } finally {
        limit.end()
      }
    },
  }
}

async function deliver({ secure, host, port }: SyslogAddress, frame: Buffer, signal: AbortSignal): Promise<void> {
  const [net, tls] = await Promise.all([import('node:net'), import('node:tls')])
  const socket = secure
    ? tls.connect({ host, port, ...(net.isIP(host) === 0 && { servername: host }) })
    : net.connect({ host, port })
  const stop = (): void => void socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let isEnded = false
      socket.on('error', reject)
      // What it may say is of no use, but must be taken so that its end is seen.
      socket.resume()
      socket.once('end', () => {
        isEnded = true
      })
      socket.once('close', hadError => {
        if (!hadError && isEnded && socket.writableFinished) resolve()
        else reject(new DeliveryError('the connection ended before everything was sent'))
      })
      socket.once(secure ? 'secureConnect' : 'connect', () => socket.end(frame))
    })
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
