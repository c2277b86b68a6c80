/** Keys: parts of the page register what theirs do, for as long as they are on the screen. */
import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { keep, kept } from './kept.ts'
import { isSingle, isTyping, pressOf } from './keys.ts'

/** False: it did nothing, and the next who registered the key is asked. */
export type KeyAction = (event: KeyboardEvent) => unknown
export type KeyActions = Readonly<Record<string, KeyAction>>

const registered: { current: KeyActions }[] = []
/** Letters by themselves do something; Ctrl, Esc and arrows always do. */
export const lettersOn = signal(kept('letters') !== 'off')

export function setLetters(on: boolean): void {
  lettersOn.value = on
  keep('letters', on ? null : 'off')
}

/**
 * Keys by name as `pressOf` writes them; two presses with a blank between, `g o`. Who registered last is asked first. Nothing is
 * asked while somebody types, but for Escape.
 */
export function useKeys(actions: KeyActions): void {
  const held = useRef(actions)
  held.current = actions
  // Before it is painted: a key pressed on what is seen is not lost.
  useLayoutEffect(() => {
    registered.push(held)
    return () => {
      registered.splice(registered.indexOf(held), 1)
    }
  }, [])
}

const leaderMilliseconds = 1500
let leader: { press: string; at: number } | null = null

export function listenToKeys(): void {
  addEventListener('keydown', event => {
    if (event.defaultPrevented || event.isComposing) return
    const press = pressOf(event)
    if (press === 'Shift' || press.endsWith('+Shift') || press.endsWith('Control')) return
    if (typingIn(event.target) || inDialog(event.target)) return
    if (isSingle(press) && !lettersOn.value) return
    const before = leader
    leader = null
    const chord =
      before !== null && event.timeStamp - before.at < leaderMilliseconds ? `${before.press} ${press}` : null
    if (chord !== null && act(chord, event)) return
    if (chord === null && leads(press)) {
      leader = { press, at: event.timeStamp }
      event.preventDefault()
      return
    }
    act(press, event)
  })
}

function act(press: string, event: KeyboardEvent): boolean {
  for (const { current } of [...registered].reverse()) {
    const action = current[press]
    if (action === undefined || action(event) === false) continue
    event.preventDefault()
    return true
  }
  return false
}

function leads(press: string): boolean {
  return registered.some(({ current }) => Object.keys(current).some(name => name.startsWith(`${press} `)))
}

function typingIn(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return isTyping(target.tagName, target instanceof HTMLInputElement ? target.type : '', target.isContentEditable)
}

function inDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('dialog, [role=menu]') !== null
}
