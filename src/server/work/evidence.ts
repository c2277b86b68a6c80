/** Answers: files of the case, and what is added. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const evidenceWork: Readonly<Record<string, Answerer<Case>>> = {}
