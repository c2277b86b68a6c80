/** What is brushed: while it is dragged only here, when it is released in the address. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { go, state } from '../../state.ts'
import { type Span, unlessAll } from './brush.ts'

/** `span` null: the brush is being taken away. */
const held = signal<{ span: Span | null } | null>(null)

export const isDragging: ReadonlySignal<boolean> = computed(() => held.value !== null)

/** The window as it is marked; of one that is open at an end there is nothing to drag. */
export const brushed: ReadonlySignal<Span | null> = computed(() => {
  if (held.value !== null) return held.value.span
  const { from, to } = state.value
  return from === null || to === null ? null : { from, to }
})

/** While it is dragged, or a key is held. */
export function drag(span: Span | null): void {
  held.value = { span }
}

/** Leaves the window as it was. */
export function dropDrag(): void {
  held.value = null
}

/** Keeps what was dragged: an entry of the history. */
export function release(): void {
  const now = held.value
  if (now === null) return
  go({ from: now.span?.from ?? null, to: now.span?.to ?? null })
  held.value = null
}

export function choose(span: Span | null): void {
  drag(span)
  release()
}

/** Names a window in the document, where tests and benchmarks look for what is shown. */
export function windowKey({ from, to }: { from: number | null; to: number | null }): string {
  return `${from ?? ''}-${to ?? ''}`
}

/** Zooming by the wheel is one step of the history. */
let zoomedAt = 0

/** What the timeline shows. */
export function showOnly(span: Span, all: Span): void {
  const to = unlessAll(span, all)
  const now = performance.now()
  go({ zoomFrom: to?.from ?? null, zoomTo: to?.to ?? null }, { replace: now - zoomedAt < 1000 })
  zoomedAt = now
}
