import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Trino } from '../../src/engines/trino.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { pullOf } from '../../src/pull/pull.ts'
import { openCase } from '../../src/store/case.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { writeCleanFolder } from '../pull/clean-folder.ts'
import { shown } from '../pull/shown.ts'
import { logsIn, textOf } from '../pull/stand-in.ts'
import { lake, withTrino } from './cluster.ts'
import { ask, ownSchema } from './trino.ts'

const folders = Number(process.env['TIDEMARK_PULL_FOLDERS'] ?? 3)
const subjects = [['20.106.124.93'], ['10.0.0.0/16'], ['10.0.9.101', '198.51.100.0/24', '2001:db8:bad::93']]

test('the dossier of what is pulled from Trino is that of all the logs', withTrino, async () => {
  const schema = await ownSchema('pull')
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
      for (const [n, texts] of subjects.entries()) {
        const dir = join(work.root, `pulled-${n}`)
        const report = await (await pullOf(engine, { case: dir, subject: texts.map(text => parsePrefix(text)!) })).run()
        assert.ok(report.statements.every(({ query }) => query !== ''))
        assert.deepEqual((await verifyCase(dir)).findings, [])
        const pulled = await openCase(dir)
        assert.deepEqual(
          shown(await investigate(pulled, texts)),
          shown(await investigate(local, texts)),
          `seed ${seed}`,
        )
        await pulled.close()
      }
      await local.close()
    } finally {
      work.close()
      await ask(`DROP TABLE IF EXISTS hive.${schema}.${table}`)
    }
  }
})
