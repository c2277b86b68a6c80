/** Where a filter is written: a plain field, which becomes the editor as soon as somebody turns to it. */
import type { JSX } from 'preact'
import { useEffect, useImperativeHandle, useRef, useState } from 'preact/hooks'
import type { Failure } from '../../server/contract/common.ts'
import { state } from '../state.ts'
import type { FilterEditor } from './filter-editor.ts'

export interface FilterField {
  setText(text: string): void
  focus(): void
}

interface Props {
  field: { current: FilterField | null }
  draft: string
  setDraft: (text: string) => void
  apply: (text: string) => void
  wrong: Failure | null
}

const example = 'Filter: dst port 443 and src net 10.0.0.0/8'

export function FilterFieldPlace({ field, draft, setDraft, apply, wrong }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const plain = useRef<HTMLInputElement>(null)
  const acts = useRef(apply)
  acts.current = apply
  const [wanted, want] = useState(false)
  const [editor, opened] = useState<FilterEditor | null>(null)
  const setText = (text: string): void => {
    editor?.setText(text)
    setDraft(text)
  }
  const leave = (): void => {
    field.current?.setText(state.value.filter)
    document.getElementById('main')?.focus({ preventScroll: true })
  }
  useEffect(() => {
    if (!wanted) return
    let left = false
    let own: FilterEditor | null = null
    void import('./filter-editor.ts').then(({ openEditor }) => {
      if (left) return
      // What was typed meanwhile is in the plain field.
      const { value } = plain.current!
      const focused = document.activeElement === plain.current
      const events = { changed: setDraft, apply: (text: string) => acts.current(text), leave }
      own = openEditor(place.current!, value, example, events)
      // At once, so that no key is lost between the two.
      place.current!.hidden = false
      plain.current!.hidden = true
      if (focused) own.focus()
      if (focused && value !== state.value.filter) own.complete()
      opened(own)
    })
    return () => {
      left = true
      own?.close()
    }
  }, [wanted])
  useEffect(() => {
    if (wrong !== null) want(true)
    editor?.setError(wrong?.at ?? null, wrong?.error ?? '')
  }, [wrong, editor])
  useImperativeHandle(field, () => ({ setText, focus: () => (editor ?? plain.current)?.focus() }), [editor])
  return (
    <>
      <div ref={place} class="editor" hidden={editor === null} />
      {editor === null && (
        <input
          ref={plain}
          class="plain"
          aria-label="Filter"
          aria-describedby="filter-said"
          autocomplete="off"
          spellcheck={false}
          placeholder={example}
          value={draft}
          onInput={event => setDraft(event.currentTarget.value)}
          onFocus={() => want(true)}
          onPointerEnter={() => want(true)}
          onKeyDown={event => {
            if (event.key === 'Enter') apply(event.currentTarget.value)
            else if (event.key === 'Escape') leave()
          }}
        />
      )}
    </>
  )
}
