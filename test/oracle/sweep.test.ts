import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import type { Dossier } from '../../src/investigate/dossier.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { sweep } from '../../src/investigate/sweep.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { folderFor, setting } from '../robustness/support.ts'
import { writeRandomFolder } from './random-folder.ts'

const folders = setting('SWEEP_FOLDERS', 5)
const firstSeed = setting('SWEEP_SEED', 1)

/** Addresses of the records, and networks around some of them. */
async function indicatorsOf(c: Case): Promise<string[]> {
  const rows = await c.db.rows('SELECT DISTINCT ip4(srcaddr) AS a FROM flows WHERE srcaddr.hi = 0 ORDER BY a LIMIT 12')
  const addresses = rows.map(row => String(row['a']))
  return [
    ...addresses,
    ...addresses.slice(0, 3).map(text => `${text}/20`),
    '0.0.0.0/0',
    '203.0.113.250',
    '2001:db8::/16',
  ]
}

test(`a sweep counts the records of each indicator as its dossier does, in ${folders} random folders`, async t => {
  for (let seed = firstSeed; seed < firstSeed + folders; seed++) {
    const root = folderFor(t)
    const { subjects } = writeRandomFolder(join(root, 'logs'), seed)
    await addEvidence({ case: join(root, 'case'), paths: [join(root, 'logs')], workers: 1 })
    const c = await openCase(join(root, 'case'))
    try {
      // A dossier tells subjects in their canonical form.
      const asked = [...new Set([...subjects, ...(await indicatorsOf(c))])]
      const dossiers: Dossier[] = []
      for (const one of asked) dossiers.push(await investigate(c, [one]))
      const names = dossiers.map(d => d.subject[0]!)
      const found = await sweep(c, names, { judgedMax: 2 })
      for (const [i, row] of found.sweep.entries()) {
        const d = dossiers[i]!
        const { records, window } = d
        assert.deepEqual(
          [row.seen, row.records, row.rejected, row.first_start, row.last_end],
          [records.subject > 0, records.subject, records.rejected, window.first_start, window.last_end],
          `seed ${seed}, ${row.indicator}`,
        )
        // Of a hop only its own dossier knows which legs are one connection.
        if (
          d.vantages.every(vantage => vantage.translated === 0) &&
          d.services.every(one => one.subject_role !== 'transit')
        )
          assert.deepEqual(
            [row.bytes.from_subject, row.bytes.to_subject].map(String),
            [d.bytes.from_subject, d.bytes.to_subject].map(String),
            `seed ${seed}, bytes of ${row.indicator}`,
          )
      }
    } finally {
      await c.close()
    }
  }
})
