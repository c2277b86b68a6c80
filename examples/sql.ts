// A query in SQL, in a process of its own with limits of rows, time and memory.
//
//   node sql.js CASE
import { openCase, querySql, UserError } from 'tidemark'

const opened = await openCase(process.argv[2] ?? '')
try {
  const { rows, total_rows, truncated } = await querySql(
    opened,
    'SELECT dstport, count(*) AS records FROM flows GROUP BY dstport ORDER BY records DESC, dstport',
    { rows: 2, seconds: 10 },
  )
  for (const row of rows) console.log(row.dstport, row.records)
  if (truncated) console.log('of', total_rows, 'ports')
} catch (error) {
  // What the caller can put right: a wrong query, a limit, a case that is not there.
  if (!(error instanceof UserError)) throw error
  console.error(error.message, error.hint ?? '')
  process.exitCode = error.status
} finally {
  await opened.close()
}
