/** Rules of the analyst's own, beside what was recorded when others may have been in force. */
import type { JSX } from 'preact'
import type { ControlsPageAnswer } from '../../server/contract/controls.ts'
import { countText, visible } from '../text.ts'
import { Words } from './blocks.tsx'
import { Services, Trial } from './trial.tsx'

type Given = Pick<ControlsPageAnswer, 'triage'> & { tried: NonNullable<ControlsPageAnswer['tried']> }

export function Tried({ tried, triage }: Given): JSX.Element {
  const { files, problems, conclusion, judged, trial, accepted_denied: denied, rejected_allowed: allowed } = tried
  return (
    <section aria-labelledby="controls-tried">
      <h2 id="controls-tried">Your rules</h2>
      <ul>
        {files.map(({ path, holds }) => (
          <li key={path}>
            From <code>{visible(path)}</code>: {visible(holds.join(', '))}
          </li>
        ))}
        {problems.map(({ path, problem }) => (
          <li key={`${path} ${problem}`}>
            <strong>Not used:</strong> <code>{visible(path)}</code>: {visible(problem)}
          </li>
        ))}
      </ul>
      <p>
        {countText(judged.connections)} connections judged: {countText(judged.allowed)} allowed,{' '}
        {countText(judged.denied)} denied, {countText(judged.undecided)} undecided.
      </p>
      {conclusion !== null && (
        <p>
          <Words of={conclusion} />
        </p>
      )}
      {trial !== null && <Trial trial={trial} who="They" />}
      <Services
        title={`Recorded as accepted, denied by them: ${countText(denied.connections)} connections`}
        listed={denied}
      />
      <Services
        title={`Recorded as rejected, allowed by them: ${countText(allowed.connections)} connections`}
        listed={allowed}
      />
      {triage !== null && triage.total > 0 && (
        <>
          <h3>Rejected records: {countText(triage.total)}</h3>
          <ul>
            {triage.explained.map((one, at) => (
              <li key={at}>
                <Words of={one.words} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
