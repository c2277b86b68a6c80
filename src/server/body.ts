/** The body of a request: JSON of a known form, and not more than that. */
import type { IncomingMessage } from 'node:http'
import type { ZodType } from 'zod'
import { Refused } from './failure.ts'

export const bodyBytesMax = 1 << 20

/** @throws Refused for what is no JSON, too large, or of another form. */
export async function bodyOf<Body>(request: IncomingMessage, form: ZodType<Body>): Promise<Body> {
  if (!/^application\/json(;|$)/.test(request.headers['content-type'] ?? ''))
    throw new Refused(415, 'the body must be application/json')
  const read = form.safeParse(parsed(await bytesOf(request)))
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new Refused(400, `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not what is expected'}`)
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge()
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > bodyBytesMax) throw tooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new Refused(400, 'the body is not JSON')
  }
}

function tooLarge(): Refused {
  return new Refused(413, 'the body has more than 1 MiB')
}
