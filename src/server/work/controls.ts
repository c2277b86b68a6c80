/** Answers: what would have stopped it. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const controlsWork: Readonly<Record<string, Answerer<Case>>> = {}
