/** Controls: what would have stopped it, and what else each would have broken. */
import './controls.css'
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { ControlsAsk, ControlsPageAnswer, TryAsk } from '../../server/contract/controls.ts'
import { asAskError, ownNetworks } from '../api.ts'
import { type AskedJob, Doing, Field, listIn, useJob } from '../parts/asking.tsx'
import { ControlsFound } from '../parts/controls-found.tsx'
import { ErrorBox, Shown } from '../parts/states.tsx'
import { go, state } from '../state.ts'
import { visible } from '../text.ts'

function put(name: string, value: string): void {
  const { [name]: _, ...rest } = state.value.own
  go({ own: value === '' ? rest : { ...rest, [name]: value } }, { replace: true })
}

function commonOf(own: Record<string, string>): Pick<ControlsAsk, 'subjects' | 'own' | 'at'> {
  const at = own['_at']?.trim() ?? ''
  return {
    subjects: listIn(own['_about'] ?? ''),
    own: [...ownNetworks(), ...listIn(own['_internal'] ?? '')],
    at: at === '' ? null : at,
  }
}

export function ControlsPage(): JSX.Element {
  const { own } = state.value
  const isTrying = own['_try'] === '1'
  return (
    <div class="controls-page pad">
      <h1>Controls</h1>
      <div class="choice" role="group" aria-label="Which controls">
        <button type="button" aria-pressed={!isTrying} onClick={() => put('_try', '')}>
          Recommended
        </button>
        <button type="button" aria-pressed={isTrying} onClick={() => put('_try', '1')}>
          Try your own rules
        </button>
      </div>
      {isTrying ? <Trying /> : <Recommended />}
    </div>
  )
}

function CommonFields({ empty }: { empty: string }): JSX.Element {
  const { own } = state.value
  return (
    <>
      <Field
        label="Against"
        text={own['_about'] ?? ''}
        type={text => put('_about', text)}
        placeholder="addresses or networks"
        hint={empty}
      />
      <Field
        label="Own networks"
        text={own['_internal'] ?? ''}
        type={text => put('_internal', text)}
        placeholder="198.51.100.0/24"
        hint={`Besides the private ones${ownNetworks()
          .map(one => `, ${one}`)
          .join('')}.`}
      />
      <Field
        label="In force from"
        text={own['_at'] ?? ''}
        type={text => put('_at', text)}
        placeholder="2023-09-28T19:00"
        hint="UTC; empty: always."
      />
    </>
  )
}

function Recommended(): JSX.Element {
  const { own } = state.value
  const job = useJob<ControlsPageAnswer>('/api/controls')
  const ports = listIn(own['_ports'] ?? '').map(Number)
  return (
    <>
      <form
        class="ask"
        onSubmit={event => {
          event.preventDefault()
          job.ask({ ...commonOf(own), approved_ports: ports.length === 0 ? null : ports } satisfies ControlsAsk)
        }}
      >
        <CommonFields empty="Empty: those outside that the findings name." />
        <Field
          label="Approved ports"
          text={own['_ports'] ?? ''}
          type={text => put('_ports', text)}
          placeholder="22, 53, 80, 123, 443"
          hint="On which a service counts as standard."
        />
        <button type="submit" class="main">
          Recommend and try
        </button>
      </form>
      <Outcome job={job} />
    </>
  )
}

function Outcome({ job }: { job: AskedJob<ControlsPageAnswer> }): JSX.Element {
  return (
    <>
      <Doing of={job} />
      {job.isAsked && (
        <Shown of={job.answer} what="the controls">
          {answer => <ControlsFound answer={answer} />}
        </Shown>
      )}
    </>
  )
}

type RulesFile = TryAsk['files'][number]

function Trying(): JSX.Element {
  const { own } = state.value
  const job = useJob<ControlsPageAnswer>('/api/controls/try')
  const [pasted, paste] = useState('')
  const [paths, name] = useState('')
  const [chosen, choose] = useState<RulesFile[]>([])
  const files = [...chosen, ...(pasted.trim() === '' ? [] : [{ name: 'pasted.json', text: pasted }])]
  const named = paths
    .split('\n')
    .map(one => one.trim())
    .filter(one => one !== '')
  return (
    <>
      <p class="muted">
        What <code>aws ec2 describe-security-groups</code>, <code>-network-acls</code>, <code>-network-interfaces</code>{' '}
        and <code>-subnets</code> print, or controls of Tidemark that you edited. They are read here, and go nowhere.
      </p>
      <form
        class="try"
        onSubmit={event => {
          event.preventDefault()
          job.ask({ ...commonOf(own), files, paths: named } satisfies TryAsk)
        }}
      >
        <div class="ask">
          <CommonFields empty="Empty: all connections of the hosts that the rules speak of." />
        </div>
        <label class="ask-field wide">
          <span>Paste JSON</span>
          <textarea rows={6} value={pasted} spellcheck={false} onInput={event => paste(event.currentTarget.value)} />
        </label>
        <label class="ask-field wide">
          <span>Or paths of files on this machine, one a line</span>
          <textarea rows={2} value={paths} spellcheck={false} onInput={event => name(event.currentTarget.value)} />
        </label>
        <ChooseFiles chosen={chosen} choose={choose} />
        <p>
          <button type="submit" class="main" disabled={files.length + named.length === 0}>
            Try them
          </button>
        </p>
      </form>
      <Outcome job={job} />
    </>
  )
}

/** JSON of a request has at most 1 MiB; larger files are named by their paths. */
const bytesMax = 900_000

function ChooseFiles(props: { chosen: readonly RulesFile[]; choose: (files: RulesFile[]) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [problem, say] = useState<string | null>(null)
  const read = async (given: FileList | null): Promise<void> => {
    try {
      const files = await Promise.all([...(given ?? [])].map(async one => ({ name: one.name, text: await one.text() })))
      const all = [...props.chosen, ...files]
      const isTooLarge = all.reduce((sum, { text }) => sum + text.length, 0) > bytesMax
      say(isTooLarge ? 'these files are larger than 900 kB together: name their paths instead' : null)
      if (!isTooLarge) props.choose(all)
    } catch (error) {
      say(asAskError(error).failure.error)
    }
  }
  return (
    <>
      <p class="choice">
        <button type="button" onClick={() => input.current!.click()}>
          Choose files…
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label="Files of rules"
          onChange={event => void read(event.currentTarget.files)}
        />
        {props.chosen.map((file, at) => (
          <button
            key={at}
            type="button"
            aria-label={`Leave out ${visible(file.name)}`}
            onClick={() => props.choose(props.chosen.filter((_, other) => other !== at))}
          >
            {visible(file.name)} ×
          </button>
        ))}
      </p>
      {problem !== null && <ErrorBox error={problem} />}
    </>
  )
}
