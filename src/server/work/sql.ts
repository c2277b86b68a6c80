/** Answers: queries in SQL. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const sqlWork: Readonly<Record<string, Answerer<Case>>> = {}
