/** Who answers which kind of question in a work process. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'
import { caseWork } from './case.ts'
import { controlsWork } from './controls.ts'
import { coverageWork } from './coverage.ts'
import { evidenceWork } from './evidence.ts'
import { exportsWork } from './exports.ts'
import { fieldsWork } from './fields.ts'
import { findingsWork } from './findings.ts'
import { flowsWork } from './flows.ts'
import { hostWork } from './host.ts'
import { panelsWork } from './panels.ts'
import { recordWork } from './record.ts'
import { reportWork } from './report.ts'
import { rowFilesWork } from './row-files.ts'

export const allWork: Readonly<Record<string, Answerer<Case>>> = {
  ...caseWork,
  ...controlsWork,
  ...coverageWork,
  ...evidenceWork,
  ...exportsWork,
  ...fieldsWork,
  ...findingsWork,
  ...flowsWork,
  ...hostWork,
  ...panelsWork,
  ...recordWork,
  ...reportWork,
  ...rowFilesWork,
}
