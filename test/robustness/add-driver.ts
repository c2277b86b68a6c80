/** A process that adds and may be killed: `add-driver.js OPTIONS-AS-JSON`. Says `begun` before it touches the case. */
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'

process.stdout.write('begun\n')
const report = await addEvidence(JSON.parse(process.argv[2] ?? '{}') as AddOptions)
process.stdout.write(`${JSON.stringify({ case_records: report.case_records, totals: report.totals })}\n`)
