// Two questions at the same time, each with rows typed by its request.
//
//   node rank.js CASE
import { openCase, queryFlows } from 'tidemark'

const opened = await openCase(process.argv[2] ?? '')
try {
  const [talkers, scanners] = await Promise.all([
    queryFlows(opened, { stat: { element: 'srcip' }, order: 'bytes', limit: 3 }),
    queryFlows(opened, { by: ['srcip4/24'], filter: 'proto tcp', distinct: ['dstport'], limit: 3 }),
  ])
  for await (const row of talkers.rows()) console.log('sent', row.srcaddr, row.bytes)
  for await (const row of scanners.rows()) console.log('ports', row.srcaddr_net4, row.distinct_dstport)
  if (talkers.truncated) console.log('of', talkers.total_rows, 'addresses')
} finally {
  await opened.close()
}
