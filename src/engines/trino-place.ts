/** Where a table of Trino is, as it is written, and who asks. */
import { exitStatus, UserError } from '../errors.ts'

export interface TrinoPlace {
  /** `http://host:port`, without a path. */
  origin: string
  catalog: string
  schema: string
  table: string
}

/** Who asks. Both come from the environment alone: a command line is seen by everybody on the machine. */
export interface TrinoUser {
  user: string
  password: string | null
  token: string | null
}

const form = 'trino://HOST:PORT/CATALOG/SCHEMA/TABLE'
const usage = (what: string, hint: string): UserError => new UserError(what, { status: exitStatus.usage, hint })

/**
 * Reads `trino://host:port/catalog/schema/table`, which is HTTP, or `trino+https://…`.
 *
 * @throws UserError for other text, and for one with a password in it.
 */
export function parseTrinoPlace(text: string): TrinoPlace {
  const isPlain = text.startsWith('trino://')
  if (!isPlain && !text.startsWith('trino+https://'))
    throw usage('not a table of Trino or Athena', `write ${form}, trino+https://…, or athena://DATABASE/TABLE`)
  const url = parsedUrl(text.replace(/^trino(\+https)?:/, isPlain ? 'http:' : 'https:'))
  if (url === null) throw usage('not a table of Trino', `write ${form}`)
  if (url.username !== '' || url.password !== '')
    throw usage(
      'a user or password in the name of an engine',
      'leave it out, and set TIDEMARK_TRINO_USER, and TIDEMARK_TRINO_PASSWORD or TIDEMARK_TRINO_TOKEN, in the environment',
    )
  const names = url.pathname.split('/').slice(1).map(decoded)
  if (names.length !== 3 || names.some(name => name === null || name === ''))
    throw usage(`a table is named by catalog, schema and table: ${text}`, `write ${form}`)
  if (url.search !== '' || url.hash !== '')
    throw usage(`unexpected ${url.search || url.hash} in the name of an engine`, form)
  const [catalog, schema, table] = names as [string, string, string]
  return { origin: url.origin, catalog, schema, table }
}

function parsedUrl(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/**
 * The user of the environment.
 *
 * @throws UserError where a password or token would go over a network that is not encrypted.
 */
export function trinoUser(env: Readonly<Record<string, string | undefined>>, { origin }: TrinoPlace): TrinoUser {
  const said = (name: string): string | null => (env[name] === undefined || env[name] === '' ? null : env[name])
  const user = said('TIDEMARK_TRINO_USER') ?? said('USER') ?? said('LOGNAME') ?? 'tidemark'
  const password = said('TIDEMARK_TRINO_PASSWORD')
  const token = said('TIDEMARK_TRINO_TOKEN')
  const { protocol, hostname } = new URL(origin)
  const isLocal = hostname === 'localhost' || /^127\./.test(hostname) || hostname === '[::1]'
  if (protocol === 'http:' && !isLocal && (password !== null || token !== null))
    throw usage('a password or token would not be encrypted', 'write trino+https://… for the engine')
  return { user, password, token }
}
