/** Answers: who sent what to whom. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const graphWork: Readonly<Record<string, Answerer<Case>>> = {}
