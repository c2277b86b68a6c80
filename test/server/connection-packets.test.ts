import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { carve } from '../../src/carve/carve.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { ConnectionAnswer } from '../../src/server/contract/connection.ts'
import { hostWork } from '../../src/server/work/host.ts'
import { openCase } from '../../src/store/case.ts'
import { captureOf, logOf, talk } from '../handmade.ts'
import { folderFor } from '../robustness/support.ts'
import { asked } from './asking.ts'

test('packets of the same ends and ports on another day are not of a connection of the logs, and are not carved', async t => {
  const dir = folderFor(t)
  const at = 1_700_000_000
  const ends = { client: '10.0.0.5 40000', server: '10.0.0.9 443' }
  // The sensor writes it down half a minute late.
  writeFileSync(join(dir, 'a.log'), logOf(talk({ at: at + 30, ...ends })))
  const packets = talk({ at, ...ends })
  writeFileSync(join(dir, 'a.pcap'), captureOf([...packets, ...talk({ at: at + 86_400, ...ends, request: 50 })]))
  const caseDir = join(dir, 'case')
  await addEvidence({ case: caseDir, paths: [join(dir, 'a.log'), join(dir, 'a.pcap')] })
  const c = await openCase(caseDir)
  try {
    const key = `6~10.0.0.5~40000~10.0.0.9~443~${(at + 30) * 1_000_000}`
    const told = await asked<ConnectionAnswer>(hostWork, c, 'connection', { key, own: [] })
    const of = (src: string): number => packets.filter(one => one.src === src).length
    assert.deepEqual(told.packets, { to_server: of('10.0.0.5'), to_client: of('10.0.0.9') })
    const carved = await carve(c, {
      ...{ wanted: { kind: 'filter', text: told.carve!.filter }, out: join(dir, 'out.pcapng'), internal: [] },
    })
    assert.equal(carved.carved, packets.length)
    assert.ok(told.carve!.command.includes(told.carve!.filter))
  } finally {
    await c.close()
  }
})
