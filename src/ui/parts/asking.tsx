/** Forms that start a job, and what is shown while it runs. */
import './asking.css'
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import { type Answered, caseHead, jobs, jobValue, post, useAnswer } from '../api.ts'
import { visible } from '../text.ts'

/** Of a text with blanks or commas between: each once. */
export function listIn(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(one => one !== ''))]
}

export interface AskedJob<Answer> {
  answer: Answered<Answer>
  /** What it is doing now. */
  doing: string | null
  isAsked: boolean
  /** Asks; the same question once more is asked again. */
  ask(body: unknown): void
}

/** A question that is asked when somebody wants it, and takes a job. */
export function useJob<Answer>(path: string): AskedJob<Answer> {
  const [asked, put] = useState<{ body: unknown; round: number } | null>(null)
  const [id, know] = useState<string | null>(null)
  const key = asked === null || caseHead.value === '' ? null : JSON.stringify(asked)
  const answer = useAnswer<Answer>(key, async signal => {
    const started = await post<JobState>(path, asked!.body, signal)
    know(started.id)
    return jobValue<Answer>(started, signal)
  })
  return {
    ...{ answer, isAsked: asked !== null },
    doing: (id === null ? null : jobs.value.get(id)?.doing) ?? null,
    ask: body => put({ body, round: (asked?.round ?? 0) + 1 }),
  }
}

/** One line of a form. */
export function Field(props: {
  label: string
  text: string
  type: (text: string) => void
  hint?: string
  placeholder?: string
}): JSX.Element {
  const { label, text, type, hint, placeholder } = props
  return (
    <label class="ask-field">
      <span>{label}</span>
      <input
        type="text"
        value={text}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        onInput={event => type(event.currentTarget.value)}
      />
      {hint !== undefined && <span class="muted">{hint}</span>}
    </label>
  )
}

export function Check(props: { is: boolean; set: (is: boolean) => void; children: ComponentChildren }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={props.is} onChange={event => props.set(event.currentTarget.checked)} />
      {props.children}
    </label>
  )
}

/** What runs, below the button that started it. */
export function Doing({ of }: { of: AskedJob<unknown> }): JSX.Element | null {
  if (of.answer.since === null || of.doing === null) return null
  return <p class="muted">{visible(of.doing)}…</p>
}
