/** What is answered from the time index. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

export const viewWork: Readonly<Record<string, Answerer<Case>>> = {}
