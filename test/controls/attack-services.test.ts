// The attack of a host of one's own is what findings rest on, whether the dossier has room to list it or not.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inquire } from '../../src/controls/situation.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-controls-'))
after(() => rmSync(root, { recursive: true, force: true }))

const victim = '10.0.0.5'
const targets = 40
const begin = 1_700_000_000

test('services of findings count as the attack though the dossier has no room to list them', async () => {
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
  const lines = Array.from(
    { length: targets },
    (_, i) =>
      `2 123456789012 eni-0a ${victim} 10.0.1.${i + 1} ${40_000 + i} 445 6 2 120 ${begin + i} ${begin + i + 1} ACCEPT OK 2`,
  )
  writeFileSync(join(root, 'a.log'), `${[header, ...lines].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')] })
  const c = await openCase(join(root, 'case'))
  const [whole, cut] = [await inquire(c, [victim], [], {}), await inquire(c, [victim], [], { servicesMax: 1 })]
  await c.close()
  assert.ok(cut.dossier.services.length < targets && whole.dossier.services.length === targets)
  const servers = (some: typeof whole): bigint[] => [...new Set(some.grave.map(({ server }) => server.lo))].sort()
  assert.equal(servers(whole).length, targets)
  assert.deepEqual(servers(cut), servers(whole))
})
