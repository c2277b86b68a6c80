/** Keys of a timeline, wherever on its page: the brush, zoom, and what is summed up. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { useKeys } from '../../parts/keyboard.ts'
import { announce } from '../../parts/live.tsx'
import { go, state } from '../../state.ts'
import { windowText } from '../../text.ts'
import type { Measure } from '../../url.ts'
import { type Grid, type Span, stepped, zoomed } from './brush.ts'
import { brushed, drag, dropDrag, isDragging, release, showOnly } from './window.ts'

const nextMeasure: Readonly<Record<Measure, Measure>> = { bytes: 'packets', packets: 'records', records: 'bytes' }
const many = 10
const zoomFactor = 2

/** While an arrow is held the brush is dragged; when it is let go it is kept. */
export function useTimelineKeys(grid: Grid | null, all: Span | null): void {
  const isHeld = useRef(false)
  const step = (bins: number, what: 'move' | 'resize'): boolean => {
    if (grid === null) return false
    isHeld.current = true
    drag(stepped(grid, brushed.value, bins, what))
    return true
  }
  const zoom = (isNarrower: boolean): boolean => {
    if (all === null) return false
    const { zoomFrom, zoomTo } = state.value
    const shown = { from: zoomFrom ?? all.from, to: zoomTo ?? all.to }
    const span = brushed.value
    if (isNarrower && span !== null && (span.from > shown.from || span.to < shown.to)) showOnly(span, all)
    else showOnly(zoomed(shown, all, isNarrower ? 1 / zoomFactor : zoomFactor, middle(span ?? shown)), all)
    const now = state.value
    announce(`Shown: ${windowText({ from: now.zoomFrom, to: now.zoomTo })}`)
    return true
  }
  useKeys({
    ArrowLeft: () => step(-1, 'move'),
    ArrowRight: () => step(1, 'move'),
    'ctrl+ArrowLeft': () => step(-many, 'move'),
    'ctrl+ArrowRight': () => step(many, 'move'),
    'shift+ArrowLeft': () => step(-1, 'resize'),
    'shift+ArrowRight': () => step(1, 'resize'),
    'ctrl+shift+ArrowLeft': () => step(-many, 'resize'),
    'ctrl+shift+ArrowRight': () => step(many, 'resize'),
    z: () => zoom(true),
    Z: () => zoom(false),
    m: () => {
      const measure = nextMeasure[state.value.measure]
      go({ measure })
      announce(`Summed up: ${measure}`)
    },
    Escape: () => {
      if (!isDragging.value) return false
      isHeld.current = false
      dropDrag()
      return true
    },
  })
  useLayoutEffect(() => {
    const up = (event: KeyboardEvent): void => {
      if (!isHeld.current || !event.key.startsWith('Arrow')) return
      isHeld.current = false
      release()
    }
    const leave = (): void => {
      if (isHeld.current) release()
      isHeld.current = false
    }
    addEventListener('keyup', up)
    addEventListener('blur', leave)
    return () => {
      removeEventListener('keyup', up)
      removeEventListener('blur', leave)
      leave()
    }
  }, [])
}

const middle = ({ from, to }: Span): number => (from + to) / 2
