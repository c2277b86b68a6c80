/** A button that has a file made, and gives it to the browser to keep. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import type { OfferedFile } from '../../server/contract/files.ts'
import { AskError, jobValue, post } from '../api.ts'
import { bytesText, visible } from '../text.ts'
import { announce } from './live.tsx'

interface Props {
  label: string
  /** What is asked for it: a job whose value is an `OfferedFile`. */
  path: string
  question: unknown
  disabled?: boolean
  /** What it holds, under the button's name. */
  hint?: string
}

export function SaveButton({ label, path, question, disabled = false, hint }: Props): JSX.Element {
  const [said, say] = useState<{ text: string; isWrong: boolean; busy: boolean } | null>(null)
  const save = async (): Promise<void> => {
    say({ text: 'being written…', isWrong: false, busy: true })
    try {
      const job = await post<JobState>(path, question)
      // Who goes elsewhere still gets the file; the list of jobs stops it.
      const { id, name, bytes } = await jobValue<OfferedFile>(job, new AbortController().signal)
      keepFile(id, name)
      say({ text: `${name}, ${bytesText(bytes)}`, isWrong: false, busy: false })
      announce(`${name} is there`)
    } catch (error) {
      const { error: what, hint: more } = error instanceof AskError ? error.failure : { error: String(error), hint: '' }
      say({ text: more ? `${what}: ${more}` : what, isWrong: true, busy: false })
    }
  }
  return (
    <div class="save">
      <button type="button" disabled={disabled || said?.busy === true} onClick={() => void save()} title={hint}>
        {label}
      </button>
      {said !== null && (
        <span class={said.isWrong ? 'wrong' : 'muted'} role={said.isWrong ? 'alert' : 'status'}>
          {visible(said.text)}
        </span>
      )}
    </div>
  )
}

function keepFile(id: string, name: string): void {
  const link = document.createElement('a')
  link.href = `/api/download/${id}`
  link.download = name
  link.click()
}
