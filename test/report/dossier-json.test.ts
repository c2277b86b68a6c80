import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dossierJson, listedMax } from '../../src/report/dossier-json.ts'
import { finding, labDossier, sweepDossier } from './fixtures.ts'

test('a dossier of short lists is listed whole', () => {
  const { listed, ...rest } = dossierJson(labDossier())
  assert.deepEqual(rest, labDossier())
  for (const { total, shown } of Object.values(listed)) assert.equal(total, shown)
})

test('of long lists the items that weigh most are listed, with how many there are', () => {
  const lab = labDossier()
  const [web] = lab.ports
  const ports = Array.from({ length: 5000 }, (_, i) => ({
    ...web!,
    port: 1000 + i,
    as_source: { ...web!.as_source, bytes: i },
  }))
  const findings = Array.from({ length: 2000 }, (_, i) =>
    finding({ id: `F${i + 1}`, severity: i === 1999 ? 'high' : 'low' }),
  )
  const work = findings.map(({ id }) => ({ figure: `${id}: x`, value: 1, sql: '', shell: null }))
  const found = dossierJson({
    ...sweepDossier(),
    services: lab.services,
    ports: [...lab.ports, ...ports],
    findings,
    work,
  })
  assert.deepEqual(found.listed.ports, { total: 5004, shown: listedMax })
  assert.equal(found.ports.length, listedMax)
  for (const { port } of lab.services)
    assert.ok(
      found.ports.some(row => row.port === port),
      `port ${port}`,
    )
  assert.ok(found.ports.some(row => row.port === 5999) && !found.ports.some(row => row.port === 1000))
  assert.deepEqual(found.listed.findings, { total: 2000, shown: listedMax })
  assert.ok(found.findings.some(one => one.id === 'F2000'))
  assert.deepEqual(found.findings_other, [{ rule: findings[0]!.rule, count: 1000 }])
  assert.equal(found.work.length, listedMax)
  assert.deepEqual(found.listed.rejected, { total: 1500, shown: listedMax })
  assert.equal(found.attack_surface.not_listed.rejected, 500)
  assert.deepEqual(dossierJson(sweepDossier(), Number.POSITIVE_INFINITY).listed.rejected, { total: 1500, shown: 1500 })
})
