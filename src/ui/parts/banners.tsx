/** What the user must know, above every page. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { CaseAnswer } from '../../server/contract/case.ts'
import { type AskError, asAskError, caseError, died, gone, loadCase, loadNewer, newerHead, theCase } from '../api.ts'
import { countText, visible } from '../text.ts'
import { ErrorBox } from './states.tsx'

export function Banners(): JSX.Element {
  const pulled = theCase.value?.pulled ?? null
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
      {pulled !== null && <Part of={pulled} />}
    </div>
  )
}

function Banner({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="note warning banner">{children}</div>
}

/** The case is a part of what lies elsewhere: what no list here shows may be there all the same. */
function Part({ of }: { of: NonNullable<CaseAnswer['pulled']> }): JSX.Element {
  const { table, what, hasDossier, time, records, records_of_table } = of
  const share = `${countText(records)} of the ${countText(records_of_table)} records that it has${time === null ? '' : ` ${time}`}`
  const whole = `${hasDossier ? 'Their dossiers, and the coverage with its gaps, are' : 'The coverage with its gaps is'} as of all of these; every other figure is of the records here alone.`
  // On paper too: it says what the figures are of.
  return <div class="note warning">{visible(`This case is a part of ${table}: ${what}, ${share}. ${whole}`)}</div>
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
