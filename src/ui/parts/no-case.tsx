/** The case cannot be read, or there is none yet: what to do. */
import type { JSX } from 'preact'
import { type AskError, loadCase } from '../api.ts'
import { CopyButton } from './copy.tsx'
import { ErrorBox } from './states.tsx'

const ways = [
  ['Add evidence: flow logs, captures, NetFlow, conn.log', 'tidemark add FOLDER'],
  ['Or look at the demo: a reconstructed attack, with its capture', 'tidemark ui --demo'],
] as const

export function NoCase({ error }: { error: AskError }): JSX.Element {
  const { failure } = error
  return (
    <>
      <ErrorBox error={failure.error} hint={failure.hint} again={() => void loadCase()} />
      {error.status === 400 && (
        <section class="pad ways" aria-label="What to do">
          {ways.map(([what, command]) => (
            <div key={command}>
              <p>{what}</p>
              <p>
                <code>{command}</code> <CopyButton text={command} what={command} />
              </p>
            </div>
          ))}
        </section>
      )}
    </>
  )
}
