/** The values of all fields that have few: asked once for all the cards of a page that show them. */
import type { FewAnswer, FewAsk } from './contract/fields.ts'
import type { Services } from './services.ts'

interface Asking {
  answer: Promise<FewAnswer>
  waiting: number
  isDone: boolean
  stopping: AbortController
}

const asking = new WeakMap<Services, Map<string, Asking>>()
/** Answers that stay: some 100 kB each. */
const keptMost = 4

/** @throws AnswerError; the signal's reason. */
export async function fewValuesOf(services: Services, ask: FewAsk, signal: AbortSignal): Promise<FewAnswer> {
  const kept = asking.get(services) ?? new Map<string, Asking>()
  asking.set(services, kept)
  const key = JSON.stringify([services.state.loaded, ask])
  const one = kept.get(key) ?? begun(services, ask, () => kept.delete(key))
  // The latest last.
  kept.delete(key)
  kept.set(key, one)
  const oldest = [...kept].find(([, { isDone }]) => isDone)
  if (kept.size > keptMost && oldest !== undefined) kept.delete(oldest[0])
  return waited(one, signal)
}

function begun({ work }: Services, ask: FewAsk, onFailure: () => void): Asking {
  const stopping = new AbortController()
  const answer = work.ask('few values', ask, { signal: stopping.signal }) as Promise<FewAnswer>
  const one: Asking = { answer, waiting: 0, isDone: false, stopping }
  answer.then(() => {
    one.isDone = true
  }, onFailure)
  stopping.signal.addEventListener('abort', onFailure, { once: true })
  return one
}

/** The last one who leaves stops it. */
function waited(one: Asking, signal: AbortSignal): Promise<FewAnswer> {
  one.waiting++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason)
      if (--one.waiting === 0 && !one.isDone) one.stopping.abort(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    one.answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
