/** Answers: the analyst’s own words. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const notesWork: Readonly<Record<string, Answerer<Case>>> = {}
