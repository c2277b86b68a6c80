/** Questions as a work process is asked them. */
import type { Answerer, WorkContext } from '../../src/server/answering.ts'
import type { Case } from '../../src/store/case.ts'

/** Asks one kind of question. The answer is that of the page: whole numbers beyond 2^53 as text. */
export async function asked<Answer>(
  work: Readonly<Record<string, Answerer<Case>>>,
  c: Case,
  kind: string,
  question: unknown,
): Promise<Answer> {
  const context: WorkContext = { signal: new AbortController().signal, progress: () => undefined }
  return (await work[kind]!(c, question as never, context)) as Answer
}
