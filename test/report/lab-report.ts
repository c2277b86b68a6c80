/** Reports on the reconstruction of the lab, of its attacker and of the whole case. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlsAnswer } from '../../src/controls/control.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import type { CaseReport } from '../../src/report/case-report/document.ts'
import { caseReport } from '../../src/report/case-report/gather.ts'
import type { Notes } from '../../src/report/case-report/notes.ts'
import { openCase } from '../../src/store/case.ts'
import { copyLab } from '../demo/lab-copy.ts'

export const attacker = '20.106.124.93'
const tool = { name: 'Tidemark', version: '0.1.0' }
export const made = '2026-01-02T03:04:05Z'

export interface Lab {
  folder: string
  caseDir: string
  report(subjects: string[], notes?: Notes, controls?: ControlsAnswer): Promise<CaseReport>
  remove(): void
}

export async function openLab(): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-report-'))
  await copyLab(folder)
  const caseDir = join(folder, 'case.tidemark')
  await addEvidence({ case: caseDir, paths: [join(folder, '20230928'), join(folder, 'investigate.pcap')] })
  return {
    ...{ folder, caseDir },
    report: async (subjects, notes, controls) => {
      const opened = await openCase(caseDir)
      try {
        const report = await caseReport(opened, subjects, {
          ...{ tool, made, command: null, controls: false },
          ...(notes && { notes }),
        })
        return controls === undefined ? report : { ...report, controls, controls_left_out: null }
      } finally {
        await opened.close()
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** One control of each kind of trial, with figures that are found nowhere else. */
export const someControls: ControlsAnswer = {
  controls: [
    {
      applies_to: { addresses: ['10.130.8.94'], interfaces: [], subnets: [] },
      ...{ id: 'C1', kind: 'security-group-egress', title: 'Egress to approved ports only', answers: ['F5', 'S3'] },
      ...{
        why: 'data left over port 8889',
        cost: 'programs that use other ports stop',
        confirm: ['that 10.0.0.7 is a mirror'],
      },
      rules: [
        {
          ...{ direction: 'egress', number: 100, action: 'allow', protocol: 6, from_port: 443, to_port: 444 },
          ...{ icmp_type: null, icmp_code: null, remote: '10.0.0.0/8', description: 'own' },
        },
      ],
      alarm: null,
      code: {
        terraform: 'resource "aws_security_group" "x" {}',
        cloudformation: null,
        aws_cli: '#!/bin/sh\naws ec2 help',
      },
      trial: {
        attack: {
          ...{ connections: 7, bytes: 265_183_813, bytes_out: 265_000_000, bytes_in: 183_813 },
          ...{
            stopped_connections: 5,
            stopped_bytes: 265_183_811,
            stopped_bytes_out: 265_000_000,
            stopped_bytes_in: 183_811,
          },
          undecided_connections: 0,
          ...{ first_stopped: '2023-09-28T19:32:36Z', last_stopped: '2023-09-28T23:00:01Z' },
          stopped: [service(8889, 5)],
          stopped_total: 1,
          let_through: [service(22, 11)],
          let_through_total: 31,
        },
        innocent: {
          ...{ connections: 1234, bytes: 9_007_199_254_740_993n, bytes_out: 9_007_199_254_740_992n, bytes_in: 1 },
          ...{ broken_connections: 3, broken_bytes: 4096, broken_bytes_out: 4000, broken_bytes_in: 96 },
          undecided_connections: 0,
          ...{
            peers: ['192.0.2.9'],
            peers_total: 1,
            probes: { connections: 2, peers: 1, packets_most: 2 },
            broken: [service(8080, 12)],
            broken_total: 1,
          },
        },
        fired: [{ at: '2023-09-28T19:33:00Z', value: 20_000_000 }],
        fired_total: 27,
        at_least: false,
        baseline: {
          from: '2023-09-28T17:00:00Z',
          to: '2023-09-28T19:00:00Z',
          periods: 120,
          fired: 0,
          before_incident: true,
        },
        not_decidable: [{ of: 'attack', reason: 'no map of interfaces to groups', connections: 2, bytes: 99 }],
        basis: [],
      },
      quotas: [{ quota: 'rules of a group', used: 2, limit: 60, fits: true }],
    },
  ],
  missing: [{ what: 'field tcp-flags', why: 'who opened 3 connections is a guess' }],
  not_decidable: ['what 2 addresses behind a NAT did'],
  ...{ subject: [attacker], internal_subject: [], window: null, records: { total: 1, subject: 1 }, connections: 1 },
  selection: { from_findings: false, approved_ports: [], share: 0.99, at: null, only: [], internal: [] },
  ...{ protected: [], protected_total: 0, rejected_connections: 0, findings: [], services: [] },
  set: { controls: [], code: { terraform: null, cloudformation: null, aws_cli: null }, trial: null, quotas: [] },
  ...{ tried: null, triage: null, enrichment: [], enrichment_problems: [], problems: [], source: 'logs' },
  evidence: {
    ...{
      files: 1,
      partly_read: 0,
      unreadable: 0,
      captures: 0,
      packets: 0,
      packet_copies: 0,
      packet_copies_suspected: 0,
    },
    ...{ nfcapd_files: 0, flow_tables: 0, malformed: 0, no_data: 0, skip_data: 0 },
  },
}

function service(port: number, connections: number) {
  return {
    ...{ client: '198.51.100.1', server: '192.0.2.9', port, protocol: 6, connections, bytes: 1000 + port },
    ...{ bytes_to_server: 1000, bytes_to_client: port },
    ...{ first_start: '2023-09-28T19:00:00Z', last_end: null, basis: [] },
  }
}

/** The document with a text in the place of every one that is not a time or a word of the program's own. */
export function withText<T>(value: T, text: string, key = ''): T {
  if (typeof value === 'string') return (ownValues.has(key) || isTime.test(value) ? value : text) as T
  if (Array.isArray(value)) return value.slice(0, 3).map(item => withText(item, text, key)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withText(inner, text, name)])) as T
}

const isTime = /^\d{4}-\d\d-\d\dT/
const ownValues = new Set(
  'severity confidence outcome subject_role role_basis states match source status kind tactic tactics role action direction by one_action'.split(
    ' ',
  ),
)
