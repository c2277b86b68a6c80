// What one address did: read a folder of logs into a case, ask for the dossier, print its findings.
//
//   node dossier.js CASE LOGS ADDRESS
import { addEvidence, investigate, openCase } from 'tidemark'

const [caseDir = '', logs = '', address = ''] = process.argv.slice(2)

const report = await addEvidence({ case: caseDir, paths: [logs] })
console.log(report.totals.records, 'records;', report.totals.malformed, 'malformed lines')

const opened = await openCase(caseDir)
try {
  const dossier = await investigate(opened, [address])
  for (const { id, title, severity, confidence } of dossier.findings) console.log(id, severity, confidence, title)
} finally {
  await opened.close()
}
