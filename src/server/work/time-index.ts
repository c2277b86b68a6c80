/** The time index of the case, opened once in a process, and views of it. */
import { setTimeout } from 'node:timers/promises'
import type { Case } from '../../store/case.ts'
import { openTimeline, type Timeline, type View, type ViewRequest, type Window } from '../../timeline/timeline.ts'
import type { ViewAsk, Window as WindowAsk } from '../contract/common.ts'
import type { Progress } from '../message.ts'

interface Opening {
  timeline: Promise<Timeline>
  listeners: Set<(progress: Progress) => void>
  latest: Progress | null
  /** Stops the building, where it goes on. */
  stop(reason: unknown): void
}

const openings = new WeakMap<Case, Opening>()
/** Milliseconds in which an index that is kept is open: then nobody is told that it is being built. */
const soon = 400

/** Opens the index of a case, or joins those who wait for it. */
export function opening(c: Case): Opening {
  const known = openings.get(c)
  if (known !== undefined) return known
  const kind = c.source === 'logs' ? 'flows' : 'packet-flows'
  const of = c.segments.filter(one => one.kind === kind).reduce((sum, { rows }) => sum + rows, 0)
  const listeners: Opening['listeners'] = new Set()
  const onProgress = (done: number): void => {
    made.latest = { doing: 'building the time index', done, of }
    for (const tell of listeners) tell(made.latest)
  }
  const stopping = new AbortController()
  const timeline = openTimeline(c, { onProgress, signal: stopping.signal })
  const forget = (): void => {
    if (openings.get(c) === made) openings.delete(c)
  }
  const made: Opening = { timeline, listeners, latest: null, stop: reason => stopping.abort(reason) }
  openings.set(c, made)
  timeline.catch(forget)
  return made
}

/** Null where the index is not there yet. */
export async function timelineOf(c: Case): Promise<Timeline | null> {
  return Promise.race([opening(c).timeline, setTimeout(soon, null, { ref: false })])
}

export function viewOf(timeline: Timeline, ask: ViewAsk, signal?: AbortSignal): Promise<View> {
  return timeline.view(requestOf(ask), { files: false, ...(signal && { signal }) })
}

export function requestOf({ filter, raw, own }: ViewAsk): ViewRequest {
  return {
    ...(filter.trim() !== '' && { filter }),
    ...(raw && { raw }),
    ...(own.length > 0 && { internal: own }),
  }
}

/** A window with both its ends; of a case without times any does, for it has nothing. */
export function windowOf({ span }: Timeline, { from, to }: WindowAsk): Window {
  const from_s = from ?? span?.from_s ?? 0
  return { from_s, to_s: Math.max(from_s, to ?? span?.to_s ?? 0) }
}

/** Whether a window has no bound. */
export const isAll = ({ from, to }: WindowAsk): boolean => from === null && to === null
