/** Answers: hosts and connections. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const hostWork: Readonly<Record<string, Answerer<Case>>> = {}
