/** What every key does: the list that `?` shows and the documentation has. No DOM here. */

export interface KeyRow {
  /** As they are shown, apart by a blank: `g o`. */
  keys: string
  does: string
}

export interface KeyGroup {
  title: string
  rows: readonly KeyRow[]
}

export const keyGroups: readonly KeyGroup[] = [
  {
    title: 'Everywhere',
    rows: [
      { keys: '/', does: 'write a filter' },
      { keys: '?', does: 'this list' },
      { keys: 'Esc', does: 'close what is open; clear the window' },
      { keys: 's', does: 'swap source and destination' },
      { keys: 'b', does: 'bookmark this view' },
      { keys: 'n', does: 'write a note on this view' },
      { keys: 'c', does: 'copy the command of what is shown' },
    ],
  },
  {
    title: 'Pages: g, then',
    rows: [
      { keys: 'g o', does: 'Overview' },
      { keys: 'g h', does: 'Hosts' },
      { keys: 'g f', does: 'Fields' },
      { keys: 'g g', does: 'Graph' },
      { keys: 'g t', does: 'Flows' },
      { keys: 'g s', does: 'SQL' },
      { keys: 'g e', does: 'Evidence' },
      { keys: 'g c', does: 'Controls' },
      { keys: 'g r', does: 'Report' },
      { keys: 'g n', does: 'Notes' },
    ],
  },
  {
    title: 'Timeline',
    rows: [
      { keys: '← →', does: 'move the window by a bin' },
      { keys: 'Shift ← →', does: 'move its end' },
      { keys: 'Ctrl ← →', does: 'move by ten bins' },
      { keys: 'z', does: 'zoom to the window' },
      { keys: 'Z', does: 'zoom out' },
      { keys: 'm', does: 'bytes, packets or records' },
    ],
  },
  {
    title: 'Tables and values',
    rows: [
      { keys: 'j k', does: 'next row, row before' },
      { keys: '↑ ↓ ← →', does: 'move in a grid' },
      { keys: '< >', does: 'make the column narrower, wider' },
      { keys: 'PgUp PgDn', does: 'a screen of rows' },
      { keys: 'Home End', does: 'first row, last row' },
      { keys: 'Enter', does: 'open the row or the value' },
      { keys: 'f', does: 'only this value' },
      { keys: 'x', does: 'not this value' },
      { keys: 'Shift F10', does: 'menu of the value' },
    ],
  },
]

/** A press as keys are registered: `g`, `Z`, `ctrl+ArrowLeft`, `shift+ArrowLeft`. */
export function pressOf(event: {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}): string {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event
  // Shift is in the letter or sign itself.
  const shift = shiftKey && key.length > 1 ? 'shift+' : ''
  return `${ctrlKey || metaKey ? 'ctrl+' : ''}${altKey ? 'alt+' : ''}${shift}${key}`
}

/** Whether what is pressed goes into a text. */
export function isTyping(tag: string, type: string, editable: boolean): boolean {
  if (editable || tag === 'TEXTAREA' || tag === 'SELECT') return true
  return tag === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'range', 'color', 'file'].includes(type)
}

/** Keys that are one letter or sign, which some people's input devices press by mistake. */
export function isSingle(press: string): boolean {
  return [...press].length === 1
}
