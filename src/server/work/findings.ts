/** Answers: what detect finds. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const findingsWork: Readonly<Record<string, Answerer<Case>>> = {}
