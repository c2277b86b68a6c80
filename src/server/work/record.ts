/** Answers: one record, as its line stands in the file. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const recordWork: Readonly<Record<string, Answerer<Case>>> = {}
