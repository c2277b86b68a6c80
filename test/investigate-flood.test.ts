import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../src/ingest/add.ts'
import type { Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { openCase } from '../src/store/case.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags'
const begin = 1695921755
const line = (src: string, dst: string, ports: string, volume: string, at: number, flags: number): string =>
  `5 1 eni-1 ${src} ${dst} ${ports} 6 ${volume} ${begin + at} ${begin + at + 1} ${flags === 0 ? 'REJECT' : 'ACCEPT'} OK ${flags}`

/** A host that 300 forged sources hit, that probed another, and that served one client much. */
function floodLog(): string[] {
  const lines = [header]
  for (let i = 0; i < 300; i++)
    lines.push(
      line(`203.0.113.${i % 250}`, '10.0.0.9', `${2000 + i} ${i < 250 ? 80 : 8080}`, `1 ${40 + (i % 7)}`, i % 60, 2),
    )
  // Tried twice: a service of one outcome is not one record of it.
  for (let i = 0; i < 80; i++)
    lines.push(line('10.0.0.9', '198.51.100.3', `${3000 + i} ${100 + (i % 40)}`, '1 44', 100 + i, 0))
  lines.push(line('198.51.100.7', '10.0.0.9', '4000 443', '500 40000', 200, 2))
  lines.push(line('10.0.0.9', '198.51.100.7', '443 4000', '9000 12000000', 200, 18))
  return lines
}

async function dossiers(caps: (number | undefined)[]): Promise<Dossier[]> {
  const root = await mkdtemp(join(tmpdir(), 'tidemark-flood-'))
  try {
    await writeFile(join(root, 'a.log'), `${floodLog().join('\n')}\n`)
    await addEvidence({ case: join(root, 'case'), paths: [join(root, 'a.log')], workers: 1 })
    const c = await openCase(join(root, 'case'))
    try {
      const found: Dossier[] = []
      for (const servicesMax of caps)
        found.push(await investigate(c, ['10.0.0.9'], servicesMax === undefined ? {} : { servicesMax }))
      return found
    } finally {
      await c.close()
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const summed = [
  'records',
  'rejected',
  'connections',
  'bytes_to_server',
  'bytes_to_client',
  'packets_to_server',
  'packets_to_client',
] as const

test('what is not listed is summed: totals and findings are the same with and without the limit', async () => {
  const [whole, ...cut] = await dossiers([undefined, 5, 50, 341])
  assert.equal(whole!.services_other.count, 0)
  assert.equal(whole!.services.length, 341)
  assert.deepEqual(
    whole!.findings.map(finding => [finding.rule, finding.services_total]),
    [
      ['first-contact', 1],
      ['closed-port-probe', 40],
      ['data-served', 1],
    ],
  )
  for (const dossier of cut) {
    const { services, services_other: other } = dossier
    assert.equal(services.length + other.count, 341)
    for (const name of summed) {
      const sum = (d: Dossier) =>
        d.services.reduce((total, service) => total + Number(service[name]), Number(d.services_other[name]))
      assert.equal(sum(dossier), sum(whole!), name)
    }
    for (const outcome of ['answered', 'refused', 'unanswered', 'rejected'] as const) {
      const count = (d: Dossier) =>
        d.services.filter(one => one.outcome === outcome).length + d.services_other.outcomes[outcome]
      assert.equal(count(dossier), count(whole!), outcome)
    }
    const records = (d: Dossier) => d.timeline.map(bin => bin.records)
    assert.deepEqual(records(dossier), records(whole!))
    const bytes = (d: Dossier) =>
      d.timeline.reduce(
        (total, bin) =>
          [...Object.values(bin.bytes_by_service), bin.bytes_other].reduce(
            (sum: number, one) => sum + Number(one),
            total,
          ),
        0,
      )
    assert.equal(bytes(dossier), bytes(whole!))
    assert.deepEqual(dossier.findings, whole!.findings)
    assert.deepEqual(dossier.ports, whole!.ports)
    assert.deepEqual(dossier.attack_surface, whole!.attack_surface)
    for (const { id } of whole!.findings)
      assert.ok(
        services.some(service => service.findings.includes(id)),
        id,
      )
  }
  assert.deepEqual(cut[2]!.services, whole!.services)
})

test('lists first what findings rest on, then what answered, then what moved most', async () => {
  const [dossier] = await dossiers([60])
  const of = (id: string) => dossier!.services.filter(service => service.findings.includes(id)).length
  const probe = dossier!.findings.find(finding => finding.rule === 'closed-port-probe')!
  assert.equal(of(probe.id), 40)
  assert.equal(dossier!.services.filter(service => service.outcome === 'answered').length, 1)
  const rest = dossier!.services.filter(service => service.findings.length === 0)
  assert.deepEqual([...new Set(rest.map(service => service.bytes_to_server))].sort(), [46])
})
