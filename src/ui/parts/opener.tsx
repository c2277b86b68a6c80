/** A button, and what it opens below itself: closed by Escape, and by a click elsewhere. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'

interface Props {
  /** What the button says to those who do not see it, and its tooltip. */
  name: string
  /** What it shows. */
  label: ComponentChildren
  /** Of the button. */
  class?: string
  disabled?: boolean
  /** Built when it is opened. */
  children: (close: () => void) => ComponentChildren
}

export function Opener({ name, label, class: look = 'quiet icon', disabled = false, children }: Props): JSX.Element {
  const [open, set] = useState(false)
  const own = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  const close = (): void => {
    set(false)
    button.current?.focus()
  }
  useEffect(() => {
    if (!open) return
    own.current?.querySelector<HTMLElement>('.drop')?.focus()
    const outside = (event: Event): void => {
      if (!own.current?.contains(event.target as Node)) set(false)
    }
    addEventListener('pointerdown', outside, true)
    addEventListener('focusin', outside)
    return () => {
      removeEventListener('pointerdown', outside, true)
      removeEventListener('focusin', outside)
    }
  }, [open])
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return
    event.preventDefault()
    event.stopPropagation()
    close()
  }
  return (
    <div ref={own} class="opener" onKeyDown={keys}>
      <button
        ref={button}
        type="button"
        class={look}
        title={name}
        aria-label={name}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        disabled={disabled}
        onClick={() => set(!open)}
      >
        {label}
      </button>
      {open && (
        <section id={id} class="drop" aria-label={name} tabIndex={-1}>
          {children(close)}
        </section>
      )}
    </div>
  )
}
