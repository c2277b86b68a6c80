/** Answers: the report. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const reportWork: Readonly<Record<string, Answerer<Case>>> = {}
