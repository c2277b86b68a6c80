/** What the user must know, above every page. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type AskError, asAskError, caseError, died, gone, loadCase, loadNewer, newerHead } from '../api.ts'
import { visible } from '../text.ts'
import { ErrorBox } from './states.tsx'

export function Banners(): JSX.Element {
  return (
    <div class="banners" aria-live="polite">
      {gone.value && (
        <Banner>
          The workbench does not answer. If it was ended, start it again with tidemark ui; if not, this page goes on by
          itself.
        </Banner>
      )}
      {!gone.value && caseError.value !== null && <Unreadable error={caseError.value} />}
      {died.value !== null && <Died />}
      {newerHead.value !== null && <Newer />}
    </div>
  )
}

function Banner({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="note warning banner">{children}</div>
}

function Unreadable({ error }: { error: AskError }): JSX.Element {
  const { error: text, hint } = error.failure
  return <ErrorBox error={text} hint={hint} again={() => void loadCase()} />
}

function Died(): JSX.Element {
  const { child, why, stopped } = died.value!
  return (
    <Banner>
      <span>
        {visible(`The process “${child}” ended: ${why}.`)}{' '}
        {stopped
          ? 'It ended too often and is not started again: a smaller window or a filter may need less. Then start the workbench again.'
          : 'It is started again; ask once more for what is missing.'}
      </span>
      <button type="button" onClick={() => (died.value = null)}>
        Dismiss
      </button>
    </Banner>
  )
}

function Newer(): JSX.Element {
  const [error, say] = useState<AskError | null>(null)
  const load = async (): Promise<void> => {
    say(null)
    try {
      await loadNewer()
    } catch (thrown) {
      say(asAskError(thrown))
    }
  }
  return (
    <>
      <Banner>
        <span>The case has new records; what is shown is without them.</span>
        <button type="button" class="main" onClick={() => void load()}>
          Load the new records
        </button>
      </Banner>
      {error !== null && <ErrorBox error={error.failure.error} hint={error.failure.hint} />}
    </>
  )
}
