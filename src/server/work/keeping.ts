/** Checks the case against its ledger, takes files out of what counts, and puts them back. */
import { shellString } from '../../as-code/shell.ts'
import { removeEvidence } from '../../store/remove.ts'
import { verifyWhole } from '../../verify/verify.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { RemoveAnswer, RemoveAsk, VerifyAnswer } from '../contract/evidence.ts'

function verify(caseDir: string, _: unknown, { signal, progress }: WorkContext): Promise<VerifyAnswer> {
  return verifyWhole(caseDir, {
    signal,
    onProgress: (done, of) => progress({ doing: 'bytes checked', done, of }),
    onWork: what => progress({ doing: `computing ${what} once more`, done: null, of: null }),
  })
}

function remove(caseDir: string, { files, undo, reason }: RemoveAsk): Promise<RemoveAnswer> {
  const words = ['tidemark ui: remove', ...(undo ? ['--undo'] : []), ...files.map(shellString)]
  return removeEvidence({
    ...{ case: caseDir, files, undo, command: words.join(' ') },
    ...(reason !== '' && { reason }),
  })
}

export const keepingWork: Readonly<Record<string, Answerer<string>>> = { verify, remove }
