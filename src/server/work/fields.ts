/** Answers: values of every field. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const fieldsWork: Readonly<Record<string, Answerer<Case>>> = {}
