/** Keys that act on every page. */
import { go, state } from '../state.ts'
import { openHelp } from './help.tsx'
import { useKeys } from './keyboard.ts'
import { rowFocus } from './row-focus.ts'
import { copyCommand, swapEnds } from './tools.tsx'

export function GlobalKeys(): null {
  useKeys({
    '?': () => openHelp(),
    s: () => void swapEnds(),
    c: () => void copyCommand(),
    j: () => rowFocus(1),
    k: () => rowFocus(-1),
    Escape: () => {
      const { from, to } = state.value
      if (from === null && to === null) return false
      go({ from: null, to: null })
      return true
    },
  })
  return null
}
