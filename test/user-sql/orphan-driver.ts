/** Asks a case something that takes long, and waits: `orphan-driver.js CASE`. Prints a line once the query's process is there. */
import { defaultLimits, QuerySession } from '../../src/user-sql/session.ts'

const session = new QuerySession(process.argv[2] ?? '')
await session.columns()
process.stdout.write('ready\n')
const sink = { columns: () => {}, rows: () => {} }
await session.run("SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))", defaultLimits, sink)
