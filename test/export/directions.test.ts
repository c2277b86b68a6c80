/** Who is client and who is server in exported findings, held against the dossier and against the records themselves. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LAB_FOLDER } from '../../src/demo/lab.ts'
import type { ExportFormat } from '../../src/export/formats.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { Dossier } from '../../src/investigate/dossier.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { type Case, openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { makeCase, scenarios } from '../twins/generator.ts'
import { addLines, saidOf } from '../twins/run.ts'
import type { View } from '../twins/stage.ts'
import { exported, lines } from './case.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-directions-'))
after(() => rmSync(root, { recursive: true, force: true }))

interface Tree {
  [name: string]: Tree & string & number & Tree[]
}

interface Asked {
  name: string
  internal: string[]
  /** Addresses whose dossiers are exported. */
  of: string[]
  open(): Promise<Case>
}

const attacker = '20.106.124.93'

function twins(seed: number, view: View): Asked {
  const made = makeCase(scenarios, { seed, interval: view.interval })
  const { internal = [] } = saidOf(made)
  const actors = made.played.flatMap(({ attack }) => attack?.actors.slice(0, 1) ?? [])
  const targets = made.played.flatMap(({ attack }) => attack?.targets.slice(0, 1) ?? [])
  return {
    name: `twins of seed ${seed}, ${view.interval} s, ${view.format}`,
    internal,
    of: [...new Set([...actors, ...targets])].slice(0, 6),
    open: async () => openCase(await addLines(join(root, `twins-${seed}`), view.format, [made.lines(view.format)])),
  }
}

const asked: Asked[] = [
  {
    ...{ name: 'the lab', internal: [], of: [attacker, '10.130.8.94'] },
    open: async () => {
      await copyLab(root)
      const dir = join(root, 'lab')
      await addEvidence({ case: dir, paths: [join(root, LAB_FOLDER)] })
      return openCase(dir)
    },
  },
  twins(1, { interval: 60, format: 'flags' }),
  twins(2, { interval: 600, format: 'default' }),
]

for (const one of asked) {
  let c: Case
  before(async () => {
    c = await one.open()
  })
  after(() => c.close())

  const textOf = async (to: ExportFormat, of?: string): Promise<string> => {
    const { internal } = one
    return (await exported(c, root, { to, what: 'findings', internal, ...(of !== undefined && { of: [of] }) })).text
  }

  test(`every Sigma rule finds records again: ${one.name}`, async () => {
    const filters = new Set<string>()
    for (const of of [undefined, ...one.of])
      for (const filter of filtersOf(await textOf('sigma', of))) filters.add(filter)
    assert(filters.size > 10)
    const empty: string[] = []
    for (const filter of filters) {
      const { counting } = await queryFlows(c, { filter, raw: true, limit: 1 })
      if (Number(counting.records) === 0) empty.push(filter)
    }
    assert.deepEqual(empty, [])
  })

  test(`client and server are those of the services of the dossier, in every format: ${one.name}`, async () => {
    let findings = 0
    for (const of of one.of) {
      const dossier = await investigate(c, [of], { internal: one.internal, servicesMax: 100_000 })
      findings += dossier.findings.length
      const [ocsf, ecs, stix, guardduty] = [
        lines(await textOf('ocsf', of)),
        lines(await textOf('ecs', of)),
        JSON.parse(await textOf('stix', of)) as { objects: Tree[] },
        JSON.parse(await textOf('guardduty', of)) as { Findings: Tree[] },
      ] as const
      for (const [i, { id }] of dossier.findings.entries()) {
        const own = endsOf(dossier, id)
        const where = `${of} ${id}`
        assert.deepEqual(pairsOfEvent(ocsf[i]!), own, where)
        compareEcs(ecs[i]!, own, where)
        compareGuardDuty(guardduty.Findings[i]!, own, where)
      }
      assert.deepEqual(
        pairsOfBundle(stix.objects),
        distinct(dossier.findings.flatMap(({ id }) => endsOf(dossier, id))),
        of,
      )
    }
    assert(findings > 4)
  })
}

test('data that a host sends out to the address that was asked for goes from the host', async () => {
  const lab = await openCase(join(root, 'lab'))
  try {
    const { text } = await exported(lab, root, { to: 'guardduty', of: [attacker] })
    const found = (JSON.parse(text) as { Findings: Tree[] }).Findings.find(one =>
      String(one['Title']).includes(':8889'),
    )!
    const action = found['Service']!['Action']!['NetworkConnectionAction']!
    assert.deepEqual(
      [action['ConnectionDirection'], action['RemotePortDetails'], action['LocalPortDetails']],
      ['OUTBOUND', { Port: 8889 }, undefined],
    )
    const sigma = filtersOf((await exported(lab, root, { to: 'sigma', of: [attacker] })).text)
    const filter = sigma.find(one => one.includes('8889'))!
    const { counting } = await queryFlows(lab, { filter: filter.split(' or (')[0]!, raw: true, limit: 1 })
    assert.equal(counting.records, 269)
  } finally {
    await lab.close()
  }
})

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}

/** `client server port` of the services of a finding; without a port where these have several. */
function endsOf({ services }: Dossier, id: string): string[] {
  const own = services.filter(service => service.findings.includes(id))
  const isOne = own.every(({ port }) => port === own[0]!.port)
  return distinct(own.map(({ client, server, port }) => `${client} ${server} ${(isOne ? port : null) ?? '-'}`))
}

function pairsOfEvent(event: Tree): string[] {
  const evidences = event['evidences']! as Tree[]
  return distinct(
    evidences
      .filter(one => one['src_endpoint'] !== undefined)
      .map(one => `${one['src_endpoint']!['ip']} ${one['dst_endpoint']!['ip']} ${one['dst_endpoint']!['port'] ?? '-'}`),
  )
}

function pairsOfBundle(objects: readonly Tree[]): string[] {
  const addresses = new Map(objects.map(one => [String(one['id']), String(one['value'])]))
  const addressOf = (ref: unknown): string => addresses.get(String(ref))!
  return distinct(
    objects
      .filter(one => String(one['type']) === 'network-traffic')
      .map(one => `${addressOf(one['src_ref'])} ${addressOf(one['dst_ref'])} ${one['dst_port'] ?? '-'}`),
  )
}

function compareEcs(document: Tree, own: readonly string[], where: string): void {
  const [clients, servers] = [0, 1].map(at => distinct(own.map(one => one.split(' ')[at]!)))
  const only = (some: readonly string[]): string | undefined => (some.length === 1 ? some[0] : undefined)
  assert.deepEqual(
    [document['source']?.['ip'], document['destination']?.['ip']],
    [only(clients!), only(servers!)],
    `${where} ECS`,
  )
}

function compareGuardDuty(finding: Tree, own: readonly string[], where: string): void {
  const action = finding['Service']!['Action']?.['NetworkConnectionAction']
  if (action === undefined) return
  const [local, remote] = ['Local', 'Remote'].map(side => {
    const details = action[`${side}IpDetails`]
    return details === undefined ? null : (details['IpAddressV4'] ?? details['IpAddressV6'])
  })
  const direction = String(action['ConnectionDirection'])
  const hasPair = (client: unknown, server: unknown): boolean =>
    own.some(one => one.startsWith(`${String(client)} ${String(server)} `))
  const said = [hasPair(local, remote), hasPair(remote, local)]
  const wanted: Record<string, boolean[]> = { OUTBOUND: [true, false], INBOUND: [false, true] }
  if (direction in wanted) assert.deepEqual(said, wanted[direction], `${where} GuardDuty`)
  else assert(local === null || said[0] === said[1], `${where} GuardDuty`)
}

/** The conditions of Sigma rules as filters of `flows`; every text of a rule stands on a line of its own. */
function filtersOf(text: string): string[] {
  return text.split('---\n').flatMap(rule => {
    const [, detection] = /\ndetection:\n([\s\S]*?)\n {2}condition: /.exec(rule) ?? []
    if (detection === undefined) return []
    const groups = detection.split(/^ {2}\w+:$/m).slice(1)
    return [groups.map(group => `(${partsOf(group).join(' and ')})`).join(' or ')]
  })
}

const words: Record<string, string> = {
  ...{ src_ip: 'src ip', dst_ip: 'dst ip', src_port: 'src port', dst_port: 'dst port', protocol: 'proto' },
  action: 'action =',
}

function partsOf(group: string): string[] {
  return [...group.matchAll(/^ {4}(\w+):(?: (.+)|((?:\n {6}- .+)+))$/gm)].map(([, name, one, list]) => {
    const values =
      one !== undefined
        ? [one]
        : list!
            .trim()
            .split(/\s*- /)
            .filter(value => value !== '')
    const plain = values.map(value => value.trim().replaceAll('"', ''))
    assert(words[name!] !== undefined, name)
    return `${words[name!]} ${list === undefined ? plain[0] : `in [${plain.join(' ')}]`}`
  })
}
