/** Who answers which kind of question in a work process. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'
import { caseWork } from './case.ts'

export const allWork: Readonly<Record<string, Answerer<Case>>> = { ...caseWork }
