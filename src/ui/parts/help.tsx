/** `?`: what every key does, and the way back to the tour. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icons.tsx'
import { lettersOn, setLetters } from './keyboard.ts'
import { keyGroups } from './keys.ts'
import { startTour } from './tour.tsx'

const opened = signal(false)

export function openHelp(): void {
  opened.value = true
}

export function Help(): JSX.Element | null {
  return opened.value ? <OpenHelp /> : null
}

function OpenHelp(): JSX.Element {
  const own = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = own.current!
    dialog.showModal()
    return () => dialog.close()
  }, [])
  const close = (): void => own.current?.close()
  return (
    <dialog ref={own} aria-labelledby="help-title" onClose={() => (opened.value = false)}>
      <div class="dialog-head">
        <h2 id="help-title">Keys</h2>
        <button type="button" class="quiet icon" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="keys">
        {keyGroups.map(({ title, rows }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map(({ keys, does }) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map(key => (
                      <>
                        <kbd>{key}</kbd>{' '}
                      </>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <div class="dialog-foot">
        <label class="check">
          <input
            type="checkbox"
            checked={lettersOn.value}
            onChange={event => setLetters(event.currentTarget.checked)}
          />
          Single letters act
        </label>
        <button
          type="button"
          onClick={() => {
            close()
            startTour()
          }}
        >
          Take the tour
        </button>
      </div>
    </dialog>
  )
}
