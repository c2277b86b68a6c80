/** The pages, by the first part of the path. */
import type { ComponentType } from 'preact'
import { ConnectionPage } from './connection.tsx'
import { ControlsPage } from './controls.tsx'
import { EvidencePage } from './evidence.tsx'
import { FieldsPage } from './fields.tsx'
import { FlowsPage } from './flows.tsx'
import { GraphPage } from './graph.tsx'
import { HostPage } from './host.tsx'
import { HostsPage } from './hosts.tsx'
import { NotesPage } from './notes.tsx'
import { OverviewPage } from './overview.tsx'
import { RecordPage } from './record.tsx'
import { ReportPage } from './report.tsx'
import { SqlPage } from './sql.tsx'

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
  { name: 'hosts', title: 'Hosts', key: 'h', Body: HostsPage },
  { name: 'host', title: 'Host', key: null, Body: HostPage },
  { name: 'connection', title: 'Connection', key: null, Body: ConnectionPage },
  { name: 'record', title: 'Record', key: null, Body: RecordPage },
  { name: 'fields', title: 'Fields', key: 'f', Body: FieldsPage },
  { name: 'graph', title: 'Graph', key: 'g', Body: GraphPage },
  { name: 'flows', title: 'Flows', key: 't', Body: FlowsPage },
  { name: 'sql', title: 'SQL', key: 's', Body: SqlPage },
  { name: 'evidence', title: 'Evidence', key: 'e', Body: EvidencePage },
  { name: 'controls', title: 'Controls', key: 'c', Body: ControlsPage },
  { name: 'report', title: 'Report', key: 'r', Body: ReportPage },
  { name: 'notes', title: 'Notes', key: 'n', Body: NotesPage },
]
