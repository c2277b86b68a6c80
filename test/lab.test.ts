import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addEvidence } from '../src/ingest/add.ts'
import type { Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { type Case, openCase } from '../src/store/case.ts'
import { copyLab } from './demo/lab-copy.ts'

/** The published figures of Lab 1.3, by the lab's own commands and by Tidemark, on the reconstruction. */
const attacker = '20.106.124.93'
const root = mkdtempSync(join(tmpdir(), 'tidemark-lab-'))
const logs = join(root, 'demo', '20230928')
let c: Case
let dossier: Dossier

before(async () => {
  await copyLab(join(root, 'demo'))
  await addEvidence({ case: join(root, 'case'), paths: [logs] })
  c = await openCase(join(root, 'case'))
  dossier = await investigate(c, [attacker])
})
after(async () => {
  await c.close()
  rmSync(root, { recursive: true })
})

const shell = (command: string): string =>
  execFileSync('bash', ['-c', command], { cwd: logs, encoding: 'utf8', maxBuffer: 1 << 28 }).trim()

test("the lab's own commands give the published figures on the reconstruction", () => {
  assert.equal(shell('ls | wc -l'), '579')
  assert.equal(shell('zcat *.gz | wc -l'), '173198')
  // zgrep starts three processes a file: once is enough.
  const found = join(root, 'zgrep.txt')
  shell(`zgrep -h ${attacker} *.gz > '${found}'`)
  const sum = (column: number, port: number): string =>
    shell(`awk '$${column} == "${port}" { SUM += $12 } END { printf "%d", SUM }' '${found}'`)
  assert.equal(shell(`wc -l < '${found}'`), '33232')
  assert.equal(shell(`sort -nk 15 '${found}' | head -1 | awk '{ print $15 }'`), '1695921755')
  assert.equal(shell(`sort -nk 15 '${found}' | tail -1 | awk '{ print $15 }'`), '1695945545')
  assert.equal(sum(10, 8889), '265183813')
  assert.equal(sum(9, 80), '190703527')
})

test('investigate gives them from its own computation, with headers, end and roles right', async () => {
  const lines = c.evidence.reduce((sum, file) => sum + file.lines, 0)
  const headers = c.evidence.reduce((sum, file) => sum + file.header_lines, 0)
  const noData = c.evidence.reduce((sum, file) => sum + file.no_data, 0)
  assert.equal(c.evidence.length, 579)
  assert.deepEqual([lines, headers, dossier.records.total + noData], [173198, 579, 172619])
  assert.equal(dossier.records.subject, 33232)
  assert.equal(dossier.window.first_start, '2023-09-28T17:22:35Z')
  assert.equal(dossier.window.last_start, '2023-09-28T23:59:05Z')
  assert.ok(dossier.window.last_end! > dossier.window.last_start!)
  const port = (number: number) => dossier.ports.find(row => row.port === number && row.protocol === 6)!
  assert.equal(port(8889).as_destination.bytes, 265183813)
  assert.equal(port(80).as_source.bytes, 190703527)
  const services = dossier.services.map(({ server, port, client, subject_role, outcome, standard, role_basis }) => ({
    server,
    port,
    client,
    subject_role,
    outcome,
    standard,
    role_basis,
  }))
  const web = {
    server: '10.130.8.94',
    client: attacker,
    subject_role: 'client',
    outcome: 'answered',
    standard: true,
    role_basis: 'syn',
  }
  assert.deepEqual(services, [
    { ...web, port: 80 },
    { ...web, port: 22 },
    { ...web, server: attacker, client: '10.130.8.94', port: 8889, subject_role: 'server', standard: false },
  ])
  assert.equal(dossier.services[2]!.bytes_to_server, 265183813)
  assert.equal(dossier.services[0]!.bytes_to_client, 190703527)
  assert.equal(dossier.attack_surface.complete, true)
})

test('the findings tell the story, each with its lines', () => {
  const story = dossier.findings.map(finding => finding.rule)
  assert.deepEqual(story, ['first-contact', 'brute-force', 'data-served', 'interactive-session', 'data-pushed-out'])
  for (const finding of dossier.findings) {
    assert.ok(finding.basis.length > 0 && finding.basis_total >= finding.basis.length, finding.id)
    for (const { path, line } of finding.basis) {
      assert.match(
        shell(`zcat '${path}' | sed -n ${line}p`),
        new RegExp(attacker.replaceAll('.', '\\.')),
        `${finding.id} ${path}:${line}`,
      )
    }
  }
})

test('every figure of --show-work comes out again, by its SQL and by its shell line', async () => {
  assert.ok(dossier.work.length >= 12)
  const seconds = (time: unknown): string =>
    String(Date.parse(`${String(time)}${String(time).endsWith('Z') ? '' : 'Z'}`) / 1000)
  for (const { figure, value, sql, shell: command } of dossier.work) {
    const expected = figure.startsWith('window.') ? seconds(value) : String(value)
    const rows = await c.db.rows(sql)
    if (!figure.startsWith('F')) {
      const found = Object.values(rows[0]!)[0]
      assert.equal(figure.startsWith('window.') ? seconds(found) : String(found), expected, `${figure}: ${sql}`)
      assert.ok(command !== null, figure)
    }
    if (command !== null) assert.equal(shell(command), expected, `${figure}: ${command}`)
  }
})
