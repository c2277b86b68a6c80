import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile } from '../../src/filter/compile.ts'
import { complete } from '../../src/filter/complete.ts'
import { completionContext, contextOf, countMatches } from '../../src/filter/context.ts'
import { parse } from '../../src/filter/filter.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { temporaryFolder } from '../cli/run.ts'

test('a case is asked, counted and completed', async t => {
  const folder = temporaryFolder(t)
  // Two layouts: only the second has flags, the packet's addresses and a field that Tidemark does not know.
  const plain =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  writeFileSync(
    join(folder, 'a.log'),
    `${plain}\n2 1 eni-1 192.0.2.1 10.0.0.5 40000 22 6 10 840 1700000000 1700000059 ACCEPT OK\n2 1 eni-1 10.0.0.5 192.0.2.1 22 40000 6 8 9000 1700000000 1700000059 ACCEPT OK\n`,
  )
  writeFileSync(
    join(folder, 'b.log'),
    'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags pkt-srcaddr mood\neni-2 10.0.0.9 10.0.0.5 50000 443 6 3 180 1700003600 1700003660 REJECT 2 192.0.2.1 gloomy\neni-2 10.0.0.9 10.0.0.5 50001 443 17 3 180 1700003600 1700003660 ACCEPT - - -\n',
  )
  const dir = join(folder, 'case')
  await addEvidence({ case: dir, paths: [join(folder, 'a.log'), join(folder, 'b.log')], workers: 1 })
  const c = await openCase(dir)
  try {
    const context = contextOf(c)
    const count = async (text: string): Promise<number[]> => {
      const { records, matched, unknown } = await countMatches(
        c,
        compile(parse(text, { columns: context.columns }), context),
      )
      assert.equal(records, 4)
      return [matched, unknown]
    }
    assert.deepEqual(await count('ip 192.0.2.1'), [2, 0])
    assert.deepEqual(await count('address 192.0.2.1'), [3, 0])
    assert.deepEqual(await count('flags S'), [1, 2])
    assert.deepEqual(await count('mood gloomy'), [1, 3])
    assert.deepEqual(await count('subnet_id contains x or port 22'), [2, 2])
    assert.deepEqual(await count('last 90s of case'), [2, 0])
    assert.deepEqual(await count('first 10s of case and dst port 22'), [1, 0])
    assert.deepEqual(await count('sensor eni-2 and action reject'), [1, 0])
    assert.deepEqual(await count('service ssh'), [2, 0])
    assert.deepEqual(await count('role client and dst port in [22 443]'), [3, 0])
    const completion = await completionContext(c)
    const offered = (text: string): string[] => complete(text, text.length, completion).items.map(item => item.text)
    assert.deepEqual(offered('mood = '), ['gloomy'])
    assert.deepEqual(offered('moo'), ['mood'])
    assert.ok(offered('service ').includes('ssh'))
    assert.deepEqual(offered('src ip 192'), ['192.0.2.1'])
    assert.deepEqual(offered('last seen < 2').sort(), ['2023-11-14T22:13:20Z', '2023-11-14T23:14:20Z'])
  } finally {
    await c.close()
  }
})
