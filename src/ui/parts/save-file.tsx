/** A button that has a file made, and gives it to the browser to keep. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import type { OfferedFile } from '../../server/contract/files.ts'
import { AskError, jobValue, post } from '../api.ts'
import { bytesText, visible } from '../text.ts'
import { announce } from './live.tsx'

interface Props<File extends OfferedFile> {
  label: string
  /** What is asked for it: a job whose value is an `OfferedFile`. */
  path: string
  question: unknown
  disabled?: boolean
  /** What it holds, under the button's name. */
  hint?: string
  /** What is said of the file; else its name and size. */
  children?: (file: File) => ComponentChildren
}

export function SaveButton<File extends OfferedFile>({
  label,
  path,
  question,
  disabled = false,
  hint,
  children,
}: Props<File>): JSX.Element {
  const [said, say] = useState<{ text: string; isWrong: boolean; busy: boolean } | null>(null)
  const [made, make] = useState<File | null>(null)
  const save = async (): Promise<void> => {
    make(null)
    say({ text: 'being written…', isWrong: false, busy: true })
    try {
      const job = await post<JobState>(path, question)
      // Who goes elsewhere still gets the file; the list of jobs stops it.
      const file = await jobValue<File>(job, new AbortController().signal)
      const { id, name, bytes } = file
      keepFile(id, name)
      make(file)
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
      {made !== null && children?.(made)}
      {said !== null && (made === null || children === undefined) && (
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
