/** Six steps for whoever sees the workbench for the first time. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { theCase } from '../api.ts'
import { goTo, state } from '../state.ts'
import { keep, kept } from './kept.ts'
import { placeBeside } from './place.ts'
import { seenWindow } from './seen-window.ts'

interface Step {
  title: string
  text: string
  /** What it is about: the first that is on the page. */
  at: string
}

export const steps: readonly Step[] = [
  {
    title: 'The case',
    text: 'Here stands which case is open, how many records it has, and from when to when. Nothing you do here changes the evidence.',
    at: '.facts',
  },
  {
    title: 'Choose a time',
    text: 'Drag over the timeline: everything on the page then counts the records that begin in that window. Arrow keys move it, Escape clears it.',
    at: '[data-tour=timeline], main h1',
  },
  {
    title: 'Who behaves like an attacker',
    text: 'One press runs every rule over the whole case. What stands out is told here in order of time; each finding leads to its records, its lines and its packets.',
    at: '.findings-panel',
  },
  {
    title: 'Narrow it down',
    text: 'Write a filter, with completion as you type. Below it stands in English what it means, or what is wrong with it.',
    at: '[data-tour=filter]',
  },
  {
    title: 'Every value leads on',
    text: 'Click an address to open its page, or right-click any value (Shift F10 by key): only this, not this, as source, as destination.',
    at: 'main a.value, main',
  },
  {
    title: 'Leave with proof',
    text: 'CLI and SQL show the command for every figure. The report gathers what you found; the address of the page is the whole view, so Back works and a link can be kept.',
    at: '[data-tour=tools]',
  },
]

/** Null: not on; -1: asked whether it is wanted. */
const at = signal<number | null>(kept('tour') === null ? -1 : null)

export function startTour(): void {
  if (state.value.path !== '/') goTo('/')
  at.value = 0
}

function end(): void {
  keep('tour', 'seen')
  at.value = null
}

export function Tour(): JSX.Element | null {
  const now = at.value
  if (now === null || theCase.value === null) return null
  return now === -1 ? <Offer /> : <StepCard key={now} number={now} />
}

function Offer(): JSX.Element {
  return (
    <aside class="tour offer" aria-label="Tour">
      <h2>New here?</h2>
      <p class="muted">Six steps show how an incident is read on this page.</p>
      <div>
        <button type="button" class="quiet" onClick={end}>
          No, thanks
        </button>
        <button type="button" class="main" onClick={startTour}>
          Take the tour
        </button>
      </div>
    </aside>
  )
}

function StepCard({ number }: { number: number }): JSX.Element {
  const own = useRef<HTMLElement>(null)
  const [place, put] = useState({ left: 0, top: 0 })
  const { title, text, at: selector } = steps[number]!
  useLayoutEffect(() => {
    const target = document.querySelector(selector)
    const card = own.current!.getBoundingClientRect()
    const { left, top, width, height } = target?.getBoundingClientRect() ?? new DOMRect(80, 80, 0, 0)
    const shown = { left, top, width, height: Math.min(height, seenWindow().height / 2) }
    put(placeBeside(shown, { width: card.width, height: card.height }, seenWindow()))
    target?.classList.add('toured')
    return () => target?.classList.remove('toured')
  }, [selector])
  useEffect(() => own.current?.querySelector<HTMLElement>('button.main')?.focus(), [])
  const last = number === steps.length - 1
  const style = { left: `${place.left}px`, top: `${place.top}px` }
  return (
    <aside
      ref={own}
      class="tour"
      style={style}
      aria-label={`Tour, step ${number + 1} of ${steps.length}`}
      onKeyDown={event => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        end()
      }}
    >
      <h2>{title}</h2>
      <p>{text}</p>
      <div>
        <span class="muted">
          {number + 1} of {steps.length}
        </span>
        {!last && (
          <button type="button" class="quiet" onClick={end}>
            End
          </button>
        )}
        {number > 0 && (
          <button type="button" onClick={() => (at.value = number - 1)}>
            Back
          </button>
        )}
        <button type="button" class="main" onClick={() => (last ? end() : (at.value = number + 1))}>
          {last ? 'Done' : 'Next'}
        </button>
      </div>
    </aside>
  )
}
