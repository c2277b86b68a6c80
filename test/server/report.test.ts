import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { CaseReport } from '../../src/report/case-report/document.ts'
import type { ControlsPageAnswer } from '../../src/server/contract/controls.ts'
import type { JobState } from '../../src/server/contract/events.ts'
import type { ExportAnswer } from '../../src/server/contract/exports.ts'
import type { NotesChanged } from '../../src/server/contract/notes.ts'
import type { ReportAnswer, ReportAsk } from '../../src/server/contract/report.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { overHttp, type Workbench } from './over-http.ts'

const attacker = '20.106.124.93'
const everything: ReportAsk = { subjects: [], controls: false, notes: true, approved_ports: null, own: [] }

describe('reports, controls and exports of the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ui-report-'))
  const caseDir = join(folder, 'case.tidemark')
  let workbench: Workbench

  before(async () => {
    await copyLab(folder)
    await addEvidence({ case: caseDir, paths: [join(folder, '20230928'), join(folder, 'investigate.pcap')] })
    workbench = await overHttp(caseDir)
  })
  after(async () => {
    await workbench?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function made<Answer>(path: string, asked: unknown): Promise<Answer> {
    return workbench.value<Answer>(await workbench.post<JobState>(path, asked))
  }

  /** Runs a command that the page showed, with another output. */
  function run(command: string, out: string): string {
    const words = [...command.matchAll(/'[^']*'|[^\s']+/g)].map(([word]) => word.replaceAll("'", ''))
    const path = join(folder, out)
    const { status, stderr } = tidemark([...words.slice(1, -1), path, '--force'])
    assert.equal(status, 0, stderr)
    return readFileSync(path, 'utf8')
  }

  test('a report has the figures of the command that the page shows, with the analyst’s words', async () => {
    const empty = await made<ReportAnswer>('/api/report', everything)
    const { findings } = (await (await workbench.fetch(`/api/report/${empty.id}/json`)).json()) as CaseReport
    assert.equal(findings.length, empty.findings.total)
    // There is no file of notes yet that could be named.
    assert.doesNotMatch(empty.asked.command, /--notes/)
    const [first] = findings
    const changes = [
      { do: 'words', seen: 0, title: 'Intrusion', case_number: '7', examiner: 'A', summary: 'S', sections: [] },
      { do: 'add-note', text: 'seen', about: { kind: 'host', text: attacker }, url: `/host/${attacker}` },
      {
        ...{ do: 'verdict', seen: null, status: 'confirmed', note: 'sure' },
        ...{ key: first!.key, first_start: null, id: first!.id, title: 'T' },
      },
    ]
    for (const change of changes) {
      const { conflict } = await workbench.post<NotesChanged>('/api/notes', change)
      assert.equal(conflict, null)
    }
    const answer = await made<ReportAnswer>('/api/report', { ...everything, subjects: [attacker] })
    const whole = await made<ReportAnswer>('/api/report', everything)
    assert.deepEqual(whole.findings, { total: findings.length, confirmed: 1, refuted: 0 })
    assert.equal(whole.title, 'Intrusion')
    for (const one of [answer, whole]) {
      const text = await (await workbench.fetch(`/api/report/${one.id}/json`)).text()
      assert.equal(Buffer.byteLength(text), one.files.json.bytes)
      const own = JSON.parse(text) as CaseReport
      assert.equal(own.report.command, one.asked.command)
      const theirs = JSON.parse(run(one.asked.command, 'report.json')) as CaseReport
      const same = { made: '', command: '' }
      assert.deepEqual(
        { ...own, report: { ...own.report, ...same } },
        { ...theirs, report: { ...theirs.report, ...same } },
      )
    }
    assert.equal(answer.records, 33_232)
  })

  test('it can be looked at and kept as often as wanted, runs nothing, and goes nowhere', async () => {
    const { id, files } = await made<ReportAnswer>('/api/report', { ...everything, subjects: [attacker] })
    const preview = await workbench.fetch(`/api/preview/${id}`)
    const policy = preview.headers.get('content-security-policy')!
    assert.match(policy, /^default-src 'none';.*; frame-ancestors 'self'; sandbox$/)
    assert.doesNotMatch(policy, /script|allow/)
    const html = await preview.text()
    assert.doesNotMatch(html, /<script/)
    assert.match(html, /<h1/)
    for (const format of ['html', 'md', 'json', 'html'] as const) {
      const file = await workbench.fetch(`/api/report/${id}/${format}`)
      assert.equal((await file.arrayBuffer()).byteLength, files[format].bytes)
      assert.match(file.headers.get('content-disposition')!, /^attachment; filename="report-20\.106\.124\.93\./)
    }
    for (const path of [
      '/api/preview/none',
      '/api/report/none/html',
      `/api/report/${id}/pdf`,
      `/api/report/${id}/toString`,
    ])
      assert.equal((await workbench.refused(path)).status, 404, path)
  })

  test('notes that cannot be read fail a report that wants them, and no other', async () => {
    const path = join(caseDir, 'notes.json')
    const before = readFileSync(path)
    try {
      writeFileSync(path, '{')
      const { id } = await workbench.post<JobState>('/api/report', everything)
      let { job } = await workbench.get<{ job: JobState }>(`/api/job/${id}`)
      while (job.state === 'running' || job.state === 'waiting')
        ({ job } = await workbench.get<{ job: JobState }>(`/api/job/${id}`))
      assert.equal(job.state, 'failed')
      assert.match(job.error ?? '', /the notes cannot be read/)
      assert.match((await made<ReportAnswer>('/api/report', { ...everything, notes: false })).title, /whole case/)
    } finally {
      writeFileSync(path, before)
    }
  })

  test('controls have the figures of the command that the page shows', async () => {
    const asked = { subjects: [attacker], approved_ports: null, own: [], at: null }
    const answer = await made<ControlsPageAnswer>('/api/controls', asked)
    const { stdout } = tidemark(['controls', attacker, '--case', caseDir, '--json'])
    const theirs = JSON.parse(stdout) as ControlsAnswer
    assert.equal(answer.asked.command, `tidemark controls ${attacker} --case ${caseDir}`)
    const figures = (trial: ControlsPageAnswer['set']['trial']) =>
      trial && [
        ...[trial.attack.connections, trial.attack.stopped.connections, trial.attack.stopped.bytes],
        ...[trial.attack.first_stopped, trial.rest.connections, trial.rest.broken.connections, trial.broken.total],
        ...[trial.rest.broken.bytes, trial.rest.peers, trial.rest.probes],
        trial.alarm?.fired ?? [],
      ]
    const figuresOf = (trial: ControlsAnswer['set']['trial']) =>
      trial && [
        ...[trial.attack.connections, trial.attack.stopped_connections, trial.attack.stopped_bytes],
        ...[trial.attack.first_stopped, trial.innocent.connections, trial.innocent.broken_connections],
        ...[trial.innocent.broken_total, trial.innocent.broken_bytes, trial.innocent.peers_total],
        ...[trial.innocent.probes.connections, trial.fired],
      ]
    assert.deepEqual(
      answer.controls.map(({ id, code, trial }) => ({ id, code, figures: figures(trial) })),
      theirs.controls.map(({ id, code, trial }) => ({ id, code, figures: figuresOf(trial) })),
    )
    assert.deepEqual(figures(answer.set.trial), figuresOf(theirs.set.trial))
    assert.deepEqual(answer.missing, theirs.missing)
    // A line that a broken connection rests on has a page.
    const [broken] = answer.set.trial!.broken.rows
    assert.equal(typeof broken!.places[0]!.file, 'number')
  })

  test('rules that are pasted are tried as those of a file', async () => {
    const group = { GroupId: 'sg-1', GroupName: 'web', VpcId: 'vpc-1', IpPermissions: [], IpPermissionsEgress: [] }
    const text = JSON.stringify({ SecurityGroups: [group] })
    const asked = { subjects: [attacker], own: [], at: null, files: [{ name: 'groups.json', text }], paths: [] }
    const answer = await made<ControlsPageAnswer>('/api/controls/try', asked)
    writeFileSync(join(folder, 'groups.json'), text)
    const { stdout } = tidemark([
      'controls',
      attacker,
      '--case',
      caseDir,
      '--try',
      join(folder, 'groups.json'),
      '--json',
    ])
    const { tried, triage } = JSON.parse(stdout) as ControlsAnswer
    assert.deepEqual(answer.tried?.judged, tried?.judged)
    assert.equal(answer.tried?.files[0]?.path, 'groups.json')
    assert.equal(answer.triage?.total, triage?.total)
  })

  test('an export is that of the command that the page shows, and is given once', async () => {
    const answer = await made<ExportAnswer>('/api/export', {
      ...{ to: 'csv', what: 'records', filter: 'dst port 8889 or src port 8889', own: [], of: [], notes: false },
      ...{ from: Date.parse('2023-09-28T19:30:00Z') / 1000, until: Date.parse('2023-09-28T20:00:00Z') / 1000 },
    })
    const path = `/api/download/${answer.download.id}`
    const text = await (await workbench.fetch(path)).text()
    assert.equal(text, run(answer.asked.command, 'records.csv'))
    assert.ok(answer.records > 0)
    assert.equal((await workbench.refused(path)).status, 404)
  })
})
