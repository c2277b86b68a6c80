/** What the user must know, above every page. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { AskError, caseError, died, gone, loadCase, newerHead, post } from '../api.ts'
import { visible } from '../text.ts'
import { NoCase } from './no-case.tsx'
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
      {!gone.value && caseError.value !== null && <NoCase error={caseError.value} />}
      {died.value !== null && <Died />}
      {newerHead.value !== null && <Newer />}
    </div>
  )
}

function Banner({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="note warning banner">{children}</div>
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
      await post('/api/reload', {})
      await loadCase()
    } catch (thrown) {
      say(thrown instanceof AskError ? thrown : new AskError({ error: String(thrown) }, 0))
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
