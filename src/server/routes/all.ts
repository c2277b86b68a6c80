/** Every route of the workbench. */
import type { Route } from '../route.ts'
import { addingRoutes } from './adding.ts'
import { caseRoutes } from './case.ts'
import { controlsRoutes } from './controls.ts'
import { coverageRoutes } from './coverage.ts'
import { downloadRoutes } from './downloads.ts'
import { evidenceRoutes } from './evidence.ts'
import { exportsRoutes } from './exports.ts'
import { fieldsRoutes } from './fields.ts'
import { findingsRoutes } from './findings.ts'
import { flowsRoutes } from './flows.ts'
import { graphRoutes } from './graph.ts'
import { hostRoutes } from './host.ts'
import { jobRoutes } from './jobs.ts'
import { notesRoutes } from './notes.ts'
import { recordRoutes } from './record.ts'
import { reportRoutes } from './report.ts'
import { rowFileRoutes } from './row-files.ts'
import { sqlRoutes } from './sql.ts'
import { viewRoutes } from './view.ts'

export const allRoutes: readonly Route[] = [
  ...addingRoutes,
  ...caseRoutes,
  ...controlsRoutes,
  ...coverageRoutes,
  ...downloadRoutes,
  ...evidenceRoutes,
  ...exportsRoutes,
  ...fieldsRoutes,
  ...findingsRoutes,
  ...flowsRoutes,
  ...graphRoutes,
  ...hostRoutes,
  ...notesRoutes,
  ...recordRoutes,
  ...reportRoutes,
  ...rowFileRoutes,
  ...sqlRoutes,
  ...viewRoutes,
  ...jobRoutes,
]
