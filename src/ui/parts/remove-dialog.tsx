/** Taking a file out of what counts, or putting it back: only after it was said what that means. */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { RemoveAsk } from '../../server/contract/evidence.ts'
import { AskError, loadCase, post } from '../api.ts'
import { countText, visible } from '../text.ts'
import { announce } from './live.tsx'
import { ErrorBox } from './states.tsx'

interface Props {
  file: { path: string; sha256: string | null; records: number }
  undo?: boolean
  close: () => void
}

export function RemoveDialog({ file, undo = false, close }: Props): JSX.Element {
  const own = useRef<HTMLDialogElement>(null)
  const [isBusy, work] = useState(false)
  const [error, tell] = useState<AskError | null>(null)
  useEffect(() => own.current?.showModal(), [])
  const remove = async (reason: string): Promise<void> => {
    work(true)
    tell(null)
    try {
      await post('/api/remove', { files: [file.path], undo, reason } satisfies RemoveAsk)
      announce(undo ? 'put back' : 'removed')
      await loadCase()
      close()
    } catch (thrown) {
      tell(thrown instanceof AskError ? thrown : new AskError({ error: String(thrown) }, 0))
      work(false)
    }
  }
  return (
    <dialog ref={own} class="remove" aria-labelledby="remove-title" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          void remove(String(new FormData(event.currentTarget).get('reason')).trim())
        }}
      >
        <h2 id="remove-title">{undo ? 'Put this file back?' : 'Remove this file from what counts?'}</h2>
        <p class="remove-path">{visible(file.path)}</p>
        <p>
          {undo
            ? `Its ${countText(file.records)} records count again, in every figure.`
            : `No figure has its ${countText(file.records)} records from then on. Nothing is erased: the ledger keeps that it was there, and it can be put back.`}
        </p>
        <label>
          Why, for the ledger
          <input type="text" name="reason" maxLength={10_000} autocomplete="off" />
        </label>
        {error !== null && <ErrorBox error={error.failure.error} hint={error.failure.hint} />}
        <p class="remove-go">
          <button type="button" onClick={() => own.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={isBusy}>
            {undo ? 'Put it back' : 'Remove it'}
          </button>
        </p>
      </form>
    </dialog>
  )
}
