/** What is done where a server does not answer: it is told after the first try, and a place where nobody listens is not asked for long. */
import { type Readable, Transform } from 'node:stream'
import { errorCode, errorText } from '../errors.ts'

/** Tries of a request, at most. AWS's packages wait between them, longer each time, up to 20 s. */
export const triesMost = 10
/** The same where nobody listens, or no server has that name: a wrong address stays wrong. Less than a second. */
const triesOfNobody = 3
const nobody: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOTFOUND'])
/** What AWS's packages try again: `service-error-classification` of @smithy/core. Not a certificate that is refused. */
const passing: ReadonlySet<string | undefined> = new Set([
  ...nobody,
  ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
])

/** Nobody listens at a place that has not answered yet. It has no `code` and no `cause`: AWS's packages would try again. */
export class NobodyThere extends Error {
  /** What the last try failed with. */
  readonly error: unknown

  constructor(error: unknown) {
    super(errorText(error))
    this.name = 'NobodyThere'
    this.error = error
  }
}

/** Of everything but the bytes of an object, whose readers set their own limits, an answer is held as a whole: none of AWS is nearly as large. */
const answerBytesMost = 64 << 20

/** An answer without an end. */
export class AnswerTooLarge extends Error {
  /** AWS's packages add words of their own to the message, and not to this. */
  readonly what: string

  constructor(most: number) {
    const what = `the answer has more than ${most >> 20} MiB`
    super(what)
    this.name = 'AnswerTooLarge'
    this.what = what
  }
}

/** @param most bytes; more are an error. */
export function limited(body: Readable, most = answerBytesMost): Readable {
  let bytes = 0
  const through = new Transform({
    transform(piece: Buffer, _, done) {
      bytes += piece.length
      if (bytes > most) done(new AnswerTooLarge(most))
      else done(null, piece)
    },
  })
  body.once('error', error => through.destroy(error))
  // Cut in the middle it has no error of its own.
  body.once(
    'close',
    () => void (body.readableEnded || through.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))),
  )
  through.once('close', () => body.destroy())
  // Of an answer that nobody reads.
  through.on('error', () => undefined)
  return body.pipe(through)
}

type NodeHttpHandler = import('@smithy/node-http-handler').NodeHttpHandler
type Handle = NodeHttpHandler['handle']
type Made = typeof import('@smithy/node-http-handler').NodeHttpHandler

/**
 * AWS's handler of requests, which says when a server does not answer.
 *
 * @param onRetry told once for each server, until it answers: which one, why, and how often it is tried.
 */
export function handlerWithTries(
  Handler: Made,
  options: ConstructorParameters<Made>[0],
  onRetry: ((text: string) => void) | undefined,
): NodeHttpHandler {
  const answered = new Set<string>()
  const told = new Set<string>()

  /** @throws NobodyThere where it was the last try, though the packages would make others. */
  function failed(host: string, tried: number, error: unknown): void {
    const isNobody = nobody.has(errorCode(error)) && !answered.has(host)
    const tries = isNobody ? triesOfNobody : triesMost
    if (tried >= tries) {
      if (isNobody) throw new NobodyThere(error)
      return
    }
    if (told.has(host) || !mayPass(error)) return
    told.add(host)
    onRetry?.(`no answer from ${host} (${errorCode(error) ?? errorText(error)}): trying again, ${tries} times in all`)
  }

  class Telling extends Handler {
    override async handle(...[request, how]: Parameters<Handle>): ReturnType<Handle> {
      const { hostname, port } = request
      const host = port === undefined ? hostname : `${hostname}:${port}`
      try {
        const answer = await super.handle(request, how)
        answered.add(host)
        told.delete(host)
        const { response } = answer
        const isObject = request.query?.['x-id'] === 'GetObject' && response.statusCode < 300
        if (!isObject && response.body !== undefined) response.body = limited(response.body as Readable)
        return answer
      } catch (error) {
        if (!isAbort(error)) failed(host, triedOf(request.headers), error)
        throw error
      }
    }
  }
  return new Telling(options)
}

/** Which try a request is; AWS's packages say it in the request: `attempt=1; max=10`. */
function triedOf(headers: Readonly<Record<string, string>>): number {
  return Number(/attempt=(\d+)/.exec(headers['amz-sdk-request'] ?? '')?.[1] ?? 1)
}

function mayPass(error: unknown): boolean {
  return passing.has(errorCode(error)) || (error instanceof Error && error.name === 'TimeoutError')
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
