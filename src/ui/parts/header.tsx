/** What is looked at: the case, how much is in it, its state; and what goes on. */
import type { JSX } from 'preact'
import type { CaseAnswer } from '../../server/contract/case.ts'
import { theCase } from '../api.ts'
import { goTo } from '../state.ts'
import { countText, visible, windowText } from '../text.ts'
import { openHelp } from './help.tsx'
import { Icon, Logo } from './icons.tsx'
import { Jobs } from './jobs.tsx'
import { chooseTheme, chosenTheme, look, systemLook } from './theme.ts'

export function Header(): JSX.Element {
  const known = theCase.value
  return (
    <header class="top">
      <a
        class="brand"
        href="/"
        onClick={event => {
          event.preventDefault()
          goTo('/')
        }}
      >
        <Logo />
        Tidemark
      </a>
      {known === null ? <div class="facts" /> : <Facts of={known} />}
      <Jobs />
      <ThemeButton />
      <button type="button" class="quiet icon" title="Keys and help (?)" aria-label="Keys and help" onClick={openHelp}>
        ?
      </button>
    </header>
  )
}

function Facts({ of }: { of: CaseAnswer }): JSX.Element {
  const { span, head, records } = of
  return (
    <dl class="facts">
      <div class="case" title={visible(of.case)}>
        <dt class="aside">Case</dt>
        <dd>{visible(lastPart(of.case))}</dd>
        {of.demo && <dd class="muted">demo</dd>}
      </div>
      <div class="records">
        <dt class="aside">Records</dt>
        <dd>{countText(records.total)} records</dd>
      </div>
      {span.first_start !== null && span.last_end !== null && (
        <div class="span">
          <dt class="aside">Span</dt>
          <dd>{windowText({ from: secondsOf(span.first_start), to: secondsOf(span.last_end) })}</dd>
        </div>
      )}
      <div class="head muted" title={`Head of the ledger: ${head}`}>
        <dt>head</dt>
        <dd>
          <code>{head.slice(0, 8)}</code>
        </dd>
      </div>
    </dl>
  )
}

/** The folder's own name; `case.tidemark` says little, so with the one around it. */
function lastPart(path: string): string {
  const parts = path.split(/[\\/]/).filter(part => part !== '' && part !== '.')
  return parts.slice(parts.at(-1) === 'case.tidemark' ? -2 : -1).join('/') || path
}

function secondsOf(text: string): number {
  return Math.floor(Date.parse(text) / 1000)
}

function ThemeButton(): JSX.Element {
  const now = chosenTheme.value
  // The first press changes what is seen: from the system's look to the other one.
  const other = look.value === 'dark' ? 'light' : 'dark'
  const next = now === 'system' ? other : systemLook.value === now ? 'system' : systemLook.value
  const names = { system: 'as the system', light: 'light', dark: 'dark' }
  return (
    <button
      type="button"
      class="quiet icon"
      title={`Colours: ${names[now]}; change to ${names[next]}`}
      aria-label={`Colours: ${names[now]}; change to ${names[next]}`}
      onClick={() => chooseTheme(next)}
    >
      <Icon name={now} />
    </button>
  )
}
