/** Questions to the server, typed. */
import { effect, type Signal, signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { CaseAnswer, ExplainAnswer, NoCaseAnswer, WrongFilter } from '../server/contract/case.ts'
import type { Failure, ViewAsk, Window } from '../server/contract/common.ts'
import type { JobState, ServerEvent } from '../server/contract/events.ts'
import { Newest } from './newest.ts'
import type { ViewState } from './url.ts'

/** An error of the server, or that it is not there. */
export class AskError extends Error {
  readonly failure: Failure
  readonly status: number

  constructor(failure: Failure, status: number) {
    super(failure.error)
    this.failure = failure
    this.status = status
  }
}

export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return answerOf<Answer>(await reachedAgain(path, signal === undefined ? {} : { signal }))
}

export async function post<Answer>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return answerOf<Answer>(
    await reachedAgain(path, { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) }),
  )
}

const busy = 503
const againMilliseconds = 500

/** While newer records are loaded, questions are refused for a moment, and nothing was done: they are asked once more. */
async function reachedAgain(path: string, options: RequestInit): Promise<Response> {
  const response = await reached(path, options)
  if (response.status !== busy) return response
  await new Promise(resolve => setTimeout(resolve, againMilliseconds))
  options.signal?.throwIfAborted()
  return reached(path, options)
}

async function reached(path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(path, options)
  } catch (error) {
    if (options.signal?.aborted) throw error
    const hint = 'start it again with tidemark ui, and open the link that it prints'
    throw new AskError({ error: 'the workbench does not answer', hint }, 0)
  }
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const value: unknown = await response.json()
  if (!response.ok) throw new AskError(value as Failure, response.status)
  return value as Answer
}

/** What is being asked, and what came of it. */
export interface Answered<Answer> {
  /** The last answer: of an earlier question while `since` is not null. */
  value: Answer | null
  error: AskError | null
  /** When the question that is under way was asked (performance.now()). */
  since: number | null
  again(): void
  stop(): void
}

/**
 * Asks when `key` changes; an earlier question is given up. The last answer stays until the next is there.
 *
 * @param key null: nothing is asked.
 */
export function useAnswer<Answer>(key: string | null, ask: (signal: AbortSignal) => Promise<Answer>): Answered<Answer> {
  const [shown, show] = useState<{ value: Answer | null; error: AskError | null; since: number | null }>({
    ...{ value: null, error: null, since: null },
  })
  const [round, next] = useState(0)
  const stopping = useRef<AbortController | null>(null)
  useEffect(() => {
    if (key === null) return
    const own = new AbortController()
    stopping.current = own
    show(before => ({ ...before, since: performance.now() }))
    ask(own.signal).then(
      value => {
        if (!own.signal.aborted) show({ value, error: null, since: null })
      },
      (error: unknown) => {
        if (own.signal.aborted) return
        show(before => ({ ...before, error: asAskError(error), since: null }))
      },
    )
    return () => own.abort()
  }, [key, round, caseRound.value])
  const stop = (): void => {
    stopping.current?.abort()
    show(before => ({ ...before, since: null, error: new AskError({ error: 'stopped' }, 0) }))
  }
  return { ...shown, again: () => next(round + 1), stop }
}

/**
 * Asks while something is dragged: one question is under way, and when its answer is there the newest that was wanted meanwhile is asked. The last
 * answer stays until then.
 */
export function useNewest<Answer>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<Answer>,
): { value: Answer | null; key: string | null; error: AskError | null; busy: boolean; since: number | null } {
  const [shown, show] = useState<NewestShown<Answer>>({ value: null, key: null, failed: null })
  const own = useRef<Newest<Answer> | null>(null)
  own.current ??= new Newest((key, result) => {
    if ('value' in result) show({ value: result.value, key, failed: null })
    else show(before => ({ ...before, failed: { key, error: asAskError(result.error) } }))
  })
  const round = caseRound.value
  useEffect(() => own.current!.want(key, ask), [key, round])
  useEffect(() => () => own.current!.close(), [])
  const error = shown.failed?.key === key ? shown.failed.error : null
  const busy = key !== null && shown.key !== key && error === null
  const since = useRef<number | null>(null)
  since.current = busy ? (since.current ?? performance.now()) : null
  return { value: shown.value, key: shown.key, error, busy, since: since.current }
}

interface NewestShown<Answer> {
  value: Answer | null
  key: string | null
  failed: { key: string | null; error: AskError } | null
}

export function asAskError(error: unknown): AskError {
  return error instanceof AskError ? error : new AskError({ error: String(error) }, 0)
}

/** What a filter means, or what is wrong with it. */
export function explain(asked: ViewAsk, signal?: AbortSignal): Promise<ExplainAnswer | WrongFilter> {
  return post('/api/explain', asked, signal)
}

/** What the questions of a page have in common. */
export function viewAsk({ filter, raw }: ViewState): ViewAsk {
  return { filter, raw, own: ownNetworks() }
}

/** Where it is said how far the findings of the case are. */
export function findingsPath(head: string): string {
  const own = ownNetworks().map((network): [string, string] => ['own', network])
  return `/api/findings?${new URLSearchParams([['head', head], ...own])}`
}

/** Networks that count as internal beside those that the internet does not route. */
export function ownNetworks(): string[] {
  return theCase.value?.internal ?? []
}

export function windowOf({ from, to }: ViewState): Window {
  return { from, to }
}

/** The case, once it is known; its head changes when the page is told to look at what was added. */
export const theCase: Signal<CaseAnswer | null> = signal(null)
/** Where there is no case yet. */
export const noCase: Signal<NoCaseAnswer | null> = signal(null)
export const caseError: Signal<AskError | null> = signal(null)
export const caseHead: Signal<string> = signal('')
/** Rises when the case is another than that of which questions were asked; they are asked once more. The first that is known was asked of already. */
const caseRound: Signal<number> = signal(0)
export const jobs: Signal<ReadonlyMap<string, JobState>> = signal(new Map())
/** The jobs that the server kept when the page began to listen last. */
export const keptJobs: Signal<ReadonlySet<string> | null> = signal(null)
/** The revision of the analyst's notes that was told of last. */
export const notesRevision: Signal<number> = signal(0)
/** A newer head than the page's answers are of. */
export const newerHead: Signal<string | null> = signal(null)
export const died: Signal<Extract<ServerEvent, { event: 'child-died' }> | null> = signal(null)

/** The server does not answer; the page tries again by itself. */
export const gone: Signal<boolean> = signal(false)

export async function loadCase(): Promise<void> {
  try {
    const answer = await get<CaseAnswer | NoCaseAnswer>('/api/case')
    const head = answer.none ? '' : answer.head
    const known = theCase.value !== null || noCase.value !== null
    if (known && head !== caseHead.value) caseRound.value++
    noCase.value = answer.none ? answer : null
    theCase.value = answer.none ? null : answer
    caseHead.value = head
    caseError.value = null
    newerHead.value = null
  } catch (error) {
    const failed = asAskError(error)
    if (failed.status === 0) gone.value = true
    else caseError.value = failed
  }
}

const retryMilliseconds = 2000

/** Hears what happens, while the page is seen: a browser has few connections to one server, and each page that listens takes one. */
export function listen(): void {
  let events: EventSource | null = null
  const open = (): void => {
    if (events !== null || document.hidden) return
    const own = new EventSource('/api/events')
    events = own
    own.onopen = () => {
      if (gone.value || (theCase.value ?? noCase.value) === null) void loadCase()
      gone.value = false
    }
    own.onmessage = ({ data }) => heard(JSON.parse(String(data)) as ServerEvent)
    own.onerror = () => {
      close()
      gone.value = !document.hidden
      setTimeout(open, retryMilliseconds)
    }
  }
  const close = (): void => {
    events?.close()
    events = null
  }
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
  open()
}

function heard(said: ServerEvent): void {
  if (said.event === 'job') jobs.value = new Map(jobs.value).set(said.job.id, said.job)
  if (said.event === 'jobs') {
    const ids = new Set(said.ids)
    keptJobs.value = ids
    jobs.value = new Map([...jobs.value].filter(([id]) => ids.has(id)))
  }
  if (said.event === 'child-died') died.value = said
  if (said.event === 'notes-changed') notesRevision.value = said.revision
  if (said.event !== 'case-changed') return
  if (!said.loaded) newerHead.value = said.head
  // While the page asks for the case itself, it is told the same.
  else if ((theCase.value ?? noCase.value) !== null && (said.head ?? '') !== caseHead.value) void loadCase()
}

/** Has the workbench, and every page of it, look at what was added to the case. */
export async function loadNewer(): Promise<void> {
  await post('/api/reload', {})
}

/** Whether a job was forgotten while the page did not listen. @param before the jobs that were kept when it was begun. */
export function isForgotten(id: string, before: ReadonlySet<string> | null): boolean {
  const kept = keptJobs.value
  return kept !== before && kept !== null && !kept.has(id)
}

export const forgottenJob = new AskError(
  { error: 'that job is not kept any more', hint: 'load the page again: it is worked out again' },
  404,
)

/** Waits for a job that was started, and gives what it made. */
export async function jobValue<Value>(started: JobState, signal: AbortSignal): Promise<Value> {
  const before = keptJobs.peek()
  await new Promise<void>((resolve, reject) => {
    const stop = effect(() => {
      const job = jobs.value.get(started.id) ?? started
      if (isForgotten(started.id, before)) {
        queueMicrotask(() => stop())
        reject(forgottenJob)
        return
      }
      if (job.state === 'running' || job.state === 'waiting') return
      queueMicrotask(() => stop())
      if (job.state === 'done') resolve()
      else reject(new AskError({ error: job.error ?? job.state, ...(job.hint && { hint: job.hint }) }, 0))
    })
    signal.addEventListener('abort', () => {
      stop()
      // Others may wait for the same.
      void post(`/api/job/${started.id}/leave`, {}).catch(() => undefined)
      reject(signal.reason)
    })
  })
  const { value } = await get<{ value: Value }>(`/api/job/${started.id}`, signal)
  return value
}
