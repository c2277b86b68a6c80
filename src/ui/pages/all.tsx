/** The pages, by the first part of the path. */
import type { ComponentType } from 'preact'
import { later } from './later.tsx'
import { OverviewPage } from './overview.tsx'

export interface Page {
  /** First part of its path; '' is the overview. */
  name: string
  /** In the rail, and of the window. */
  title: string
  /** The key after `g`; null: not in the rail. */
  key: string | null
  Body: ComponentType
}

export const pages: readonly Page[] = [
  { name: '', title: 'Overview', key: 'o', Body: OverviewPage },
  { name: 'hosts', title: 'Hosts', key: 'h', Body: later(async () => (await import('./hosts.tsx')).HostsPage) },
  { name: 'host', title: 'Host', key: null, Body: later(async () => (await import('./host.tsx')).HostPage) },
  {
    name: 'connection',
    title: 'Connection',
    key: null,
    Body: later(async () => (await import('./connection.tsx')).ConnectionPage),
  },
  { name: 'record', title: 'Record', key: null, Body: later(async () => (await import('./record.tsx')).RecordPage) },
  { name: 'fields', title: 'Fields', key: 'f', Body: later(async () => (await import('./fields.tsx')).FieldsPage) },
  { name: 'graph', title: 'Graph', key: 'g', Body: later(async () => (await import('./graph.tsx')).GraphPage) },
  { name: 'flows', title: 'Flows', key: 't', Body: later(async () => (await import('./flows.tsx')).FlowsPage) },
  { name: 'sql', title: 'SQL', key: 's', Body: later(async () => (await import('./sql.tsx')).SqlPage) },
  {
    name: 'evidence',
    title: 'Evidence',
    key: 'e',
    Body: later(async () => (await import('./evidence.tsx')).EvidencePage),
  },
  {
    name: 'controls',
    title: 'Controls',
    key: 'c',
    Body: later(async () => (await import('./controls.tsx')).ControlsPage),
  },
  { name: 'report', title: 'Report', key: 'r', Body: later(async () => (await import('./report.tsx')).ReportPage) },
  { name: 'notes', title: 'Notes', key: 'n', Body: later(async () => (await import('./notes.tsx')).NotesPage) },
]
