/** What narrows the view beside the filter: each can be taken away. */
import type { JSX } from 'preact'
import { go, linkTo, state } from '../state.ts'
import { visible, windowText } from '../text.ts'
import { Icon } from './icons.tsx'

export function WindowChip(): JSX.Element | null {
  const { from, to } = state.value
  if (from === null && to === null) return null
  return (
    <span class="chip" title="Records that begin in this window">
      <span>{windowText({ from, to })}</span>
      <button
        type="button"
        class="quiet icon"
        title="Clear the window (Esc)"
        aria-label="Clear the window"
        onClick={() => go({ from: null, to: null })}
      >
        <Icon name="close" />
      </button>
    </span>
  )
}

export function RawSwitch(): JSX.Element {
  const { raw } = state.value
  return (
    <button
      type="button"
      aria-pressed={raw}
      title="Raw: every record counts as the sensors wrote it, also what two of them saw, and what was rejected"
      onClick={() => go({ raw: !raw })}
    >
      Raw
    </button>
  )
}

export function Pins(): JSX.Element | null {
  const { filter, pins } = state.value
  const addable = filter.trim() !== '' && !pins.includes(filter)
  if (pins.length === 0 && !addable) return null
  return (
    <>
      {pins.map(pin => (
        <Pin key={pin} pin={pin} current={pin === filter} />
      ))}
      {addable && (
        <button
          type="button"
          class="quiet"
          title="Keep this filter here, to come back to it"
          onClick={() => go({ pins: [...pins, filter] })}
        >
          <Icon name="pin" /> Pin
        </button>
      )}
    </>
  )
}

function Pin({ pin, current }: { pin: string; current: boolean }): JSX.Element {
  const text = visible(pin)
  return (
    <span class="chip">
      <a
        href={linkTo({ filter: pin })}
        title={text}
        aria-current={current ? 'true' : undefined}
        onClick={event => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault()
          go({ filter: pin })
        }}
      >
        {text}
      </a>
      <button
        type="button"
        class="quiet icon"
        title="Remove the pin"
        aria-label={`Remove the pin ${text}`}
        onClick={() => go({ pins: state.value.pins.filter(one => one !== pin) })}
      >
        <Icon name="close" />
      </button>
    </span>
  )
}
