/** Answers: when which sensor recorded. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const coverageWork: Readonly<Record<string, Answerer<Case>>> = {}
