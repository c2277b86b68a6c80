import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sieves } from '../../src/sieve/sieves.ts'
import { caseOf, workFolder } from '../flows/support.ts'
import { StandIn } from '../pull/stand-in.ts'
import { answerFrom, withAthena } from '../pull/through-athena.ts'
import { header, linesOf } from '../rules/flows.ts'
import { scenarios } from '../rules/scenarios.ts'
import { around } from './at-threshold.ts'
import { foundIn, throughSieve, withoutSieve } from './compared.ts'

test('through Athena’s protocol the same is found as in all records', async () => {
  const work = workFolder()
  const folder = join(work.root, 'logs')
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.log'), `${[header, ...[around, ...scenarios].flatMap(linesOf)].join('\n')}\n`)
  const [table, local] = [await StandIn.of(folder, 'text'), await caseOf(work.root, [folder], 'local')]
  try {
    await withAthena(async (stub, athena) => {
      answerFrom(stub, table)
      // Name servers leave more endpoints open than a statement of Athena has room for.
      const rules = Object.keys(sieves).filter(rule => !rule.startsWith('D11'))
      const here = await throughSieve(athena(), join(work.root, 'sieved'), { rules })
      assert.deepEqual(foundIn(here), foundIn(await withoutSieve(local, here)))
      assert.ok(here.findings.length > 20, `${here.findings.length} findings`)
    })
  } finally {
    await Promise.all([local.close(), table.close()])
    work.close()
  }
})
