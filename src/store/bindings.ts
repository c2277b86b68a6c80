import { createRequire } from 'node:module'
import type bindings from '@duckdb/node-bindings'

/**
 * The bindings of DuckDB, loaded so that its allocator (jemalloc, where it has that) keeps memory for ten seconds before it gives it
 * back, rather than for one: one segment after the other needs as much again, and new pages from the kernel cost a tenth of the time
 * that `add` takes. The allocator looks once, when it is loaded, at a variable of the environment, which is left as it was.
 */
const require = createRequire(import.meta.url)

export default loaded()

function loaded(): typeof bindings {
  const name = 'DUCKDB_JE_MALLOC_CONF'
  const isSet = process.env[name] !== undefined
  if (!isSet) process.env[name] = 'dirty_decay_ms:10000,muzzy_decay_ms:10000'
  try {
    return require('@duckdb/node-bindings') as typeof bindings
  } finally {
    if (!isSet) delete process.env[name]
  }
}

/** The API over the bindings takes a fifth of a second to load as a module, half of that this way: loaded where results are read. */
export function api(): typeof import('@duckdb/node-api') {
  return require('@duckdb/node-api') as typeof import('@duckdb/node-api')
}

/** Its class of a time, without the rest of it. */
export function timeClass(): typeof import('@duckdb/node-api').DuckDBTimestampValue {
  const { DuckDBTimestampValue } = require('@duckdb/node-api/lib/values/DuckDBTimestampValue') as ReturnType<typeof api>
  return DuckDBTimestampValue
}
