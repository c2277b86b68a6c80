// The packets of a filter as a capture of their own, and the flow records of that as NDJSON.
//
//   node packets.js CASE FILTER OUT.pcapng
import { carve, convert, openCase } from 'tidemark'

const [caseDir = '', filter = '', out = ''] = process.argv.slice(2)

const opened = await openCase(caseDir)
try {
  const taken = await carve(opened, { wanted: { kind: 'filter', text: filter }, out })
  console.log(taken.carved, 'of', taken.packets, 'packets')
} finally {
  await opened.close()
}

const converted = await convert({ paths: [out], out: `${out}.ndjson` })
console.log(converted.rows, 'flow records')
