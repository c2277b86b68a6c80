import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { detect } from '../../src/detect/detect.ts'
import { Trino } from '../../src/engines/trino.ts'
import { engineDetection } from '../../src/sieve/engine-detection.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { writeCleanFolder } from '../pull/clean-folder.ts'
import { logsIn, textOf } from '../pull/stand-in.ts'
import { foundIn } from '../sieve/compared.ts'
import { loweredThresholds } from '../sieve/lowered.ts'
import { lake, withTrino } from './cluster.ts'
import { ask, ownSchema } from './trino.ts'

const folders = Number(process.env['TIDEMARK_SIEVE_FOLDERS'] ?? 3)

test('detect through the sieve of Trino finds what it finds in all the logs', withTrino, async () => {
  const schema = await ownSchema('sieve')
  let findings = 0
  for (let seed = 7000; seed < 7000 + folders; seed++) {
    const work = workFolder()
    const table = `t${seed}`
    try {
      const folder = join(work.root, 'logs')
      assert.ok(await writeCleanFolder(work.root, seed, folder))
      cpSync(folder, join(lake().lake, schema, table), { recursive: true })
      const names = textOf(logsIn(folder)[0]!).split('\n')[0]!.replaceAll('-', '_').split(' ')
      await ask(
        `CREATE TABLE hive.${schema}.${table} (${names.map(name => `"${name}" varchar`)}) WITH (format = 'TEXTFILE', textfile_field_separator = ' ', skip_header_line_count = 1, null_format = '-', external_location = 'local:///${schema}/${table}')`,
      )
      const place = { origin: lake().trino!, catalog: 'hive', schema, table }
      const engine = new Trino(place, { user: 'tidemark', password: null, token: null })
      const local = await caseOf(work.root, [folder], 'local')
      for (const [n, set] of [[], loweredThresholds(seed, 3)].entries()) {
        const made = await engineDetection(engine, { case: join(work.root, `sieved-${n}`), set })
        const here = await made.run()
        const there = await detect(local, { set, rules: here.engine.rules.map(({ rule }) => rule) })
        assert.deepEqual(foundIn(here), foundIn(there), `seed ${seed}, ${set.join(' ')}`)
        findings += here.findings.length
      }
      await local.close()
    } finally {
      work.close()
      await ask(`DROP TABLE IF EXISTS hive.${schema}.${table}`)
    }
  }
  assert.ok(findings > 0)
})
