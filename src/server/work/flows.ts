/** Answers: records, a page at a time. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const flowsWork: Readonly<Record<string, Answerer<Case>>> = {}
