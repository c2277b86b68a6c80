/** Recommended controls, or rules that were tried: what they stop and what they break. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type {
  ControlAnswer,
  ControlCode,
  ControlRule,
  ControlsPageAnswer,
  TrialAnswer,
} from '../../server/contract/controls.ts'
import { bytesText, countText, visible } from '../text.ts'
import { useAsked } from './asked.ts'
import { Words } from './blocks.tsx'
import { CopyButton } from './copy.tsx'
import { type Column, Table } from './table.tsx'
import { Trial, timeOf } from './trial.tsx'
import { Tried } from './tried.tsx'

export function ControlsFound({ answer }: { answer: ControlsPageAnswer }): JSX.Element {
  const { asked, verdict, warning, about, controls, set, missing, undecided, tried, triage } = answer
  useAsked(asked)
  return (
    <section class="controls-found" aria-label="What was found">
      <p class="verdict-line">
        <Words of={verdict} />
      </p>
      {warning !== null && (
        <p class="note warning">
          <Words of={warning} />
        </p>
      )}
      <ul class="muted">
        {about.map((one, at) => (
          <li key={at}>
            <Words of={one} />
          </li>
        ))}
      </ul>
      {tried !== null && <Tried tried={tried} triage={triage} />}
      {controls.length > 0 && <Overview controls={controls} all={set.trial} />}
      {controls.map((one, at) => (
        <ControlEntry key={one.id} control={one} isOpen={at === 0} />
      ))}
      {controls.length > 1 && <Code title="Code of all of them" name="controls" code={set.code} />}
      {missing.length > 0 && (
        <section aria-labelledby="controls-missing">
          <h2 id="controls-missing">What was missing</h2>
          <ul>
            {missing.map(({ what, why }) => (
              <li key={what}>
                <strong>{visible(what)}</strong>: {visible(why)}
              </li>
            ))}
          </ul>
        </section>
      )}
      {undecided.length > 0 && (
        <section aria-labelledby="controls-undecided">
          <h2 id="controls-undecided">What cannot be decided</h2>
          <ul>
            {undecided.map((one, at) => (
              <li key={at}>
                <Words of={one} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </section>
  )
}

interface Line {
  id: string
  title: string
  kind: string
  trial: TrialAnswer | null
}

/** Opens what is said of a control, and goes there. */
function openEntry(event: MouseEvent, id: string): void {
  event.preventDefault()
  const entry = document.getElementById(`control-${id}`) as HTMLDetailsElement
  entry.open = true
  entry.querySelector('summary')!.focus()
  entry.scrollIntoView({ block: 'start' })
}

const columns: readonly Column<Line>[] = [
  {
    name: 'control',
    title: 'Control',
    cell: ({ id, title }) =>
      id === '' ? (
        <strong>{title}</strong>
      ) : (
        <a href={`#control-${id}`} onClick={event => openEntry(event, id)}>{`${id} ${visible(title)}`}</a>
      ),
  },
  { name: 'kind', title: 'Kind', cell: ({ kind }) => visible(kind) },
  {
    name: 'stops',
    title: 'Stops',
    hint: 'Connections of the attack that it stops, of those that there are',
    number: true,
    cell: ({ trial }) => amountOf(trial, trial?.attack.stopped.connections, trial?.attack.connections),
  },
  {
    name: 'stops-bytes',
    title: 'Bytes',
    hint: 'Of what it stops, both ways',
    number: true,
    cell: ({ trial }) => (isTold(trial) ? bytesText(trial.attack.stopped.bytes) : ''),
  },
  {
    name: 'since',
    title: 'From (UTC)',
    hint: 'When the first connection that it stops began',
    cell: ({ trial }) => (isTold(trial) ? <span class="time">{timeOf(trial.attack.first_stopped)}</span> : ''),
  },
  {
    name: 'breaks',
    title: 'Breaks',
    hint: 'Other connections of these hosts that it stops, of those that there are',
    number: true,
    cell: ({ trial }) => amountOf(trial, trial?.rest.broken.connections, trial?.rest.connections),
  },
  {
    name: 'fired',
    title: 'Goes off',
    number: true,
    cell: ({ trial }) => (trial?.alarm == null ? '' : countText(trial.alarm.fired_total)),
  },
]

/** Alarms stop nothing: their figures are when they go off. */
function isTold(trial: TrialAnswer | null): trial is TrialAnswer {
  return trial !== null && trial.alarm === null
}

function amountOf(trial: TrialAnswer | null, some: number | undefined, all: number | undefined): string {
  if (!isTold(trial)) return ''
  return `${countText(some!)} of ${countText(all!)}`
}

function Overview({ controls, all }: { controls: readonly ControlAnswer[]; all: TrialAnswer | null }): JSX.Element {
  const rows: Line[] = controls.map(({ id, title, kind, trial }) => ({ id, title, kind, trial }))
  if (all !== null && controls.length > 1) rows.push({ id: '', title: 'All together', kind: '', trial: all })
  return (
    <section aria-labelledby="controls-all">
      <h2 id="controls-all">
        Controls <span class="muted">{countText(controls.length)}</span>
      </h2>
      <Table caption="Controls, what each stops and breaks" columns={columns} rows={rows} rowKey={({ id }) => id} />
    </section>
  )
}

function ControlEntry({ control, isOpen }: { control: ControlAnswer; isOpen: boolean }): JSX.Element {
  const { id, kind, title, why, cost, confirm, answers, addresses, rules, pattern, code, trial, quotas } = control
  return (
    <details class="control" id={`control-${id}`} open={isOpen}>
      <summary>
        <strong>{id}</strong> {visible(title)} <span class="muted">{visible(kind)}</span>
      </summary>
      <p>{visible(why)}</p>
      <dl>
        <dt>Costs</dt>
        <dd>{visible(cost)}</dd>
        {answers.length > 0 && (
          <>
            <dt>Answers</dt>
            <dd>{answers.map(one => `${one.id} ${visible(one.title)}`.trim()).join('; ')}</dd>
          </>
        )}
        {addresses.length > 0 && (
          <>
            <dt>For</dt>
            <dd>{addresses.map(visible).join(', ')}</dd>
          </>
        )}
        {pattern !== null && (
          <>
            <dt>Pattern</dt>
            <dd>
              <code>{visible(pattern)}</code>
            </dd>
          </>
        )}
      </dl>
      {quotas
        .filter(({ fits }) => !fits)
        .map(({ quota, used, limit }) => (
          <p key={quota} class="note warning">
            {visible(quota)}: {countText(used)} of at most {countText(limit)}.
          </p>
        ))}
      {trial !== null && <Trial trial={trial} who="It" />}
      {confirm.length > 0 && (
        <>
          <h3>Confirm first</h3>
          <ul>
            {confirm.map(one => (
              <li key={one}>{visible(one)}</li>
            ))}
          </ul>
        </>
      )}
      {rules.length > 0 && <Rules rules={rules} of={id} />}
      <Code title="Code" name={id} code={code} />
    </details>
  )
}

const rulesMost = 100

const ruleColumns: readonly Column<ControlRule & { at: number }>[] = [
  { name: 'number', title: 'No.', number: true, cell: one => String(one.number ?? '') },
  { name: 'way', title: 'Way', cell: one => (one.direction === 'ingress' ? 'in' : 'out') },
  { name: 'action', title: 'Action', cell: one => one.action },
  { name: 'traffic', title: 'Traffic', cell: one => visible(one.traffic) },
  { name: 'remote', title: 'Remote', cell: one => visible(one.remote) },
  { name: 'for', title: 'What for', cell: one => visible(one.description) },
]

function Rules({ rules, of }: { rules: readonly ControlRule[]; of: string }): JSX.Element {
  const isAcl = rules.some(({ number }) => number !== null)
  const rows = rules.slice(0, rulesMost).map((rule, at) => ({ ...rule, at }))
  const columns = ruleColumns.filter(({ name }) => isAcl || (name !== 'number' && name !== 'action'))
  return (
    <>
      <h3>Rules</h3>
      <Table
        caption={`Rules of ${of}`}
        columns={columns}
        rows={rows}
        rowKey={one => `${one.at}`}
        of={rules.length}
        what="rules"
      />
    </>
  )
}

const languages: readonly { name: keyof ControlCode; title: string; file: string }[] = [
  { name: 'terraform', title: 'Terraform', file: '.tf' },
  { name: 'cloudformation', title: 'CloudFormation', file: '.yaml' },
  { name: 'aws_cli', title: 'AWS CLI', file: '.sh' },
]

/** Code is never run by the program: it is there to be read, and taken away. */
function Code({ title, name, code }: { title: string; name: string; code: ControlCode }): JSX.Element | null {
  const there = languages.filter(one => code[one.name] !== null)
  const [chosen, choose] = useState<keyof ControlCode | null>(null)
  if (there.length === 0) return null
  const now = there.find(one => one.name === chosen) ?? null
  const text = now === null ? '' : code[now.name]!
  return (
    <div class="code">
      <div class="choice" role="group" aria-label={`${title}, ${name}`}>
        <span class="muted">{title}:</span>
        {there.map(one => (
          <button
            key={one.name}
            type="button"
            aria-pressed={one === now}
            onClick={() => choose(one === now ? null : one.name)}
          >
            {one.title}
          </button>
        ))}
        {now !== null && (
          <>
            <CopyButton text={text} what={`the ${now.title} code`} />
            <a
              class="button"
              href={`data:text/plain;charset=utf-8,${encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'))}`}
              download={`${name}${now.file}`}
            >
              Download
            </a>
          </>
        )}
      </div>
      {now !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <pre tabIndex={0} role="region" aria-label={`${now.title} of ${name}`}>
          {text}
        </pre>
      )}
    </div>
  )
}
