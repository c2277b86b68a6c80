// Every record of a filter as one JSON line, as it is read; stopped after ten seconds. Integers keep every digit.
//
//   node stream.js CASE FILTER
import { openCase, queryFlows, toJson } from 'tidemark'

const [caseDir = '', filter = ''] = process.argv.slice(2)
const signal = AbortSignal.timeout(10_000)

const opened = await openCase(caseDir, { signal })
try {
  const answer = await queryFlows(opened, { filter, limit: null }, { signal })
  for await (const row of answer.rows()) console.log(toJson(row).replaceAll(/\n */g, ''))
} finally {
  await opened.close()
}
