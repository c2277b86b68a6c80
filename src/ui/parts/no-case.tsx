/** There is no case yet: what to do. */
import type { JSX } from 'preact'
import type { NoCaseAnswer } from '../../server/contract/case.ts'
import { goTo } from '../state.ts'
import { visible } from '../text.ts'
import { CopyButton } from './copy.tsx'

export function NoCase({ of }: { of: NoCaseAnswer }): JSX.Element {
  const demo = 'tidemark ui --demo'
  return (
    <div class="no-case">
      <h1>There is no case yet</h1>
      <p>
        <code>{visible(of.case)}</code> is made from evidence that you add: flow logs, captures, NetFlow files, a
        conn.log. The files stay where they are, and are not changed.
      </p>
      <p>
        <a
          class="button main"
          href="/evidence"
          onClick={event => {
            event.preventDefault()
            goTo('/evidence')
          }}
        >
          Add evidence
        </a>
      </p>
      <p class="muted">
        Or look at the demo, a reconstructed attack with its capture: end this workbench, and start <code>{demo}</code>{' '}
        <CopyButton text={demo} what="the command" />
      </p>
    </div>
  )
}
