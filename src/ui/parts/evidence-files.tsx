/** The files of the case: each with what was read of it, and what was not. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import {
  type EvidenceAnswer,
  type EvidenceAsk,
  type FileChoice,
  type FileRow,
  fileChoices,
  fileOrders,
} from '../../server/contract/evidence.ts'
import { go, state } from '../state.ts'
import { bytesText, countText, visible } from '../text.ts'
import { CopyButton } from './copy.tsx'
import { LawText } from './law.tsx'
import { Problems } from './problems.tsx'
import { RemoveDialog } from './remove-dialog.tsx'
import { type Column, Table } from './table.tsx'

const filesOnPage = 50
const nameMax = 48

/** What the address asks for. */
export function filesAsk(): EvidenceAsk {
  const { sort, own } = state.value
  const name = sort?.replace(/^-/, '')
  const page = Number(own['_page'] ?? 1)
  return {
    offset: Number.isSafeInteger(page) && page > 0 ? (page - 1) * filesOnPage : 0,
    count: filesOnPage,
    order: fileOrders.find(order => order === name) ?? 'path',
    descending: sort?.startsWith('-') ?? false,
    text: own['_text'] ?? '',
    only: fileChoices.find(choice => choice === own['_only']) ?? 'all',
  }
}

function keep(change: Readonly<Record<string, string>>): void {
  const own = { ...state.value.own, _page: '', ...change }
  go({ own: Object.fromEntries(Object.entries(own).filter(([, value]) => value !== '')) })
}

const choiceWords: Readonly<Record<FileChoice, string>> = {
  all: 'all files',
  troubled: 'of which something is in no record',
  logs: 'flow logs',
  metered: 'captures and flows of other programs',
}

export function Files({ answer }: { answer: EvidenceAnswer }): JSX.Element {
  const [removing, remove] = useState<FileRow | null>(null)
  const [opened, open] = useState<string | null>(null)
  const { text, only } = filesAsk()
  return (
    <section class="panel" aria-labelledby="files-title">
      <header>
        <h2 id="files-title">
          Files <span class="muted">{countText(answer.matching)}</span>
        </h2>
        <form
          class="files-find"
          onSubmit={event => {
            event.preventDefault()
            keep({ _text: String(new FormData(event.currentTarget).get('text')) })
          }}
        >
          <select
            aria-label="Which files"
            value={only}
            onChange={({ currentTarget }) => keep({ _only: currentTarget.value === 'all' ? '' : currentTarget.value })}
          >
            {fileChoices.map(choice => (
              <option key={choice} value={choice}>
                {choiceWords[choice]}
              </option>
            ))}
          </select>
          {/* What is typed stays while other answers come in; only another address puts its text in. */}
          <input
            key={text}
            type="search"
            name="text"
            aria-label="Part of a path, or a digest"
            placeholder="path or digest"
            defaultValue={text}
          />
          <button type="submit">Find</button>
        </form>
      </header>
      {answer.files.length === 0 ? (
        <p class="empty muted pad">
          No file fits{text === '' ? '' : ` “${visible(text)}”`}, out of {countText(answer.all)}.{' '}
          <button type="button" onClick={() => keep({ _text: '', _only: '' })}>
            Show all files
          </button>
        </p>
      ) : (
        <Table
          caption="Files of the case"
          columns={columnsOf(opened, open, remove)}
          rows={answer.files}
          rowKey={({ path, id }) => `${id} ${path}`}
          sort={state.value.sort ?? 'path'}
          onSort={sort => go({ sort, own: { ...state.value.own, _page: '1' } })}
          rowClass={({ status }) => (status === 'read' ? 'file' : 'file not-whole')}
        />
      )}
      <Pages answer={answer} />
      {removing !== null && <RemoveDialog file={removing} close={() => remove(null)} />}
    </section>
  )
}

function columnsOf(
  opened: string | null,
  open: (path: string | null) => void,
  remove: (file: FileRow) => void,
): Column<FileRow>[] {
  const sort = (): string => ''
  return [
    { name: 'path', title: 'File', sort, cell: file => <Path file={file} isOpen={opened === file.path} open={open} /> },
    { name: 'kind', title: 'Kind', sort, cell: ({ kind }) => kind ?? 'unknown' },
    {
      ...{ name: 'size', title: 'Size', number: true, sort },
      cell: ({ size }) => <span title={`${countText(size)} B`}>{bytesText(size)}</span>,
    },
    { name: 'digest', title: 'SHA-256', cell: ({ sha256 }) => <Digest sha256={sha256} /> },
    { name: 'records', title: 'Records', number: true, sort, cell: ({ records }) => countText(records) },
    { name: 'first', title: 'First – last, UTC', sort, cell: file => spanText(file) },
    { name: 'sensors', title: 'Sensors', cell: file => <Sensors file={file} /> },
    { name: 'status', title: 'Status', sort, cell: ({ status }) => statusWords[status] },
    {
      ...{ name: 'remove', title: <span class="aside">Remove</span> },
      cell: file =>
        file.id !== null && (
          <button type="button" class="quiet" aria-label={`Remove ${visible(file.path)}`} onClick={() => remove(file)}>
            Remove…
          </button>
        ),
    },
  ]
}

const statusWords: Readonly<Record<FileRow['status'], string>> = {
  read: 'read',
  'partly-read': 'partly read',
  unreadable: 'unreadable',
  duplicate: 'duplicate',
  'not-evidence': 'not evidence',
}

interface PathProps {
  file: FileRow
  isOpen: boolean
  open: (path: string | null) => void
}

/** The name, what its lines come to, and what was wrong. */
function Path({ file, isOpen, open }: PathProps): JSX.Element {
  const { path, laws, problem, problems, form } = file
  const name = path.lastIndexOf('/') + 1
  return (
    <div class="file-path">
      <div class="file-name" title={visible(path)}>
        {shortened(visible(path.slice(name)))}
      </div>
      <div class="file-folder muted" title={visible(path)}>
        {visible(path.slice(0, name))}
      </div>
      {laws.map(law => (
        <div key={law.name} class="muted">
          <LawText law={law} isShort />
        </div>
      ))}
      {form !== null && <div class="muted">{visible(form)}</div>}
      {problem !== null && <div class="file-problem">{visible(problem)}</div>}
      {problems > 0 && (
        <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => open(isOpen ? null : path)}>
          {countText(problems)} {problems === 1 ? 'place' : 'places'} in no record
        </button>
      )}
      {isOpen && <Problems path={path} />}
    </div>
  )
}

/** Names of a folder's files have their beginnings in common. */
function shortened(name: string): string {
  return name.length <= nameMax ? name : `${name.slice(0, nameMax / 4)}…${name.slice(1 - (nameMax * 3) / 4)}`
}

function Digest({ sha256 }: Pick<FileRow, 'sha256'>): JSX.Element {
  if (sha256 === null) return <span class="muted">none: not read to its end</span>
  return (
    <span class="digest">
      <code title={sha256}>{sha256.slice(0, 8)}</code>
      <CopyButton text={sha256} what={`SHA-256 ${sha256.slice(0, 12)}`} children="" />
    </span>
  )
}

function Sensors({ file: { sensors, sensor_count } }: { file: FileRow }): JSX.Element {
  const [first] = sensors
  if (first === undefined) return <span class="muted">–</span>
  return (
    <span class="file-sensors" title={sensors.map(visible).join('\n')}>
      {visible(first)}
      {sensor_count > 1 && ` and ${countText(sensor_count - 1)} more`}
    </span>
  )
}

/** 2023-09-28 17:00:02 – 17:05:01 */
function spanText({ first_start, last_end }: FileRow): string {
  if (first_start === null) return '–'
  const [first, last] = [first_start, last_end ?? first_start].map(time =>
    time.replace('T', ' ').replace(/(\.\d+)?Z$/, ''),
  )
  return `${first} – ${last!.slice(0, 10) === first!.slice(0, 10) ? last!.slice(11) : last}`
}

function Pages({ answer }: { answer: EvidenceAnswer }): JSX.Element | null {
  const { offset } = filesAsk()
  const page = Math.floor(offset / filesOnPage) + 1
  const pages = Math.ceil(answer.matching / filesOnPage)
  if (pages <= 1) return null
  const to = (one: number): void => keep({ _page: String(one) })
  return (
    <nav class="files-pages" aria-label="Pages of files">
      <button type="button" disabled={page <= 1} onClick={() => to(page - 1)}>
        Back
      </button>
      <span>
        {countText(offset + 1)}–{countText(offset + answer.files.length)} of {countText(answer.matching)} files
      </span>
      <button type="button" disabled={page >= pages} onClick={() => to(page + 1)}>
        Next
      </button>
    </nav>
  )
}
