import { historyLength, historyMax, historyWords } from './connection-layout.ts'

/** Letters in lower case; that of the originator is upper. */
export const letter = {
  syn: 115, // s
  synAck: 104, // h
  ack: 97, // a
  data: 100, // d
  fin: 102, // f
  rst: 114, // r
  gap: 103, // g
  retransmission: 116, // t
  zeroWindow: 119, // w
  inconsistent: 105, // i
  multiFlag: 113, // q
} as const

const flip = 94 // ^
const more = 43 // +

/** Adds a letter to the history of the entry at `entry` (in doubles). The last place says that there were more. */
export function addLetter(words: Int32Array, entry: number, code: number, isOrig: boolean): void {
  push(words, 2 * entry, isOrig ? code - 32 : code)
}

/** Notes that the roles were exchanged. A history of nothing but the responder's SYN-ACK is told as if they always had been. */
export function addFlip(words: Int32Array, entry: number): void {
  const at = 2 * entry
  if (isOnlySynAck(words, entry)) {
    words[at + historyLength] = 0
    push(words, at, flip)
    push(words, at, letter.synAck)
  } else push(words, at, flip)
}

/** Whether all that happened is that the originator sent a SYN-ACK. */
export function isOnlySynAck(words: Int32Array, entry: number): boolean {
  const at = 2 * entry
  return words[at + historyLength] === 1 && (words[at + historyWords]! & 0xff) === letter.synAck - 32
}

export function historyOf(words: Int32Array, entry: number): string {
  const at = 2 * entry
  let text = ''
  for (let i = 0; i < words[at + historyLength]!; i++) {
    text += String.fromCharCode((words[at + historyWords + (i >> 2)]! >>> (8 * (i & 3))) & 0xff)
  }
  return text
}

function push(words: Int32Array, at: number, code: number): void {
  const length = words[at + historyLength]!
  if (length >= historyMax) return
  const kept = length === historyMax - 1 ? more : code
  const word = at + historyWords + (length >> 2)
  const shift = 8 * (length & 3)
  words[word] = (words[word]! & ~(0xff << shift)) | (kept << shift)
  words[at + historyLength] = length + 1
}
