/** The body of a request: JSON of a known form, and not more than that. */
import type { IncomingMessage } from 'node:http'
import type { ZodType } from 'zod'
import { exitStatus, UserError } from '../errors.ts'

const bytesMax = 1 << 20

/** @throws UserError for what is no JSON, too large, or of another form. */
export async function bodyOf<Body>(request: IncomingMessage, form: ZodType<Body>): Promise<Body> {
  if (!/^application\/json(;|$)/.test(request.headers['content-type'] ?? ''))
    throw refused('the body must be application/json')
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > bytesMax) throw refused('the body has more than 1 MiB')
    pieces.push(piece)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    throw refused('the body is not JSON')
  }
  const read = form.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw refused(`${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not what is expected'}`)
}

function refused(message: string): UserError {
  return new UserError(message, { status: exitStatus.usage })
}
