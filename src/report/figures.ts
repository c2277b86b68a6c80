/**
 * Values of a JSON document as parts of a page that say where in it they stand, so that a reader, or a test, can compare. Where is a path
 * of names and numbers, `dossier.services.0.records`; `*` sums over a list; `A + B` is a sum, `A / B` a share, `#A` the place of an item,
 * counted from 1, `|A|` the number of items (docs/reference/report.md).
 */
import type { Count } from '../investigate/dossier.ts'
import { protocolText } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { address, bytes, count, line, marked, type Part, path, type Text, time, value } from './block.ts'
import { bytesText, integerText, knownText, percentText, sizeText, timeText } from './numbers.ts'

export const countOf = (number: Count | null, of: string): Part => marked(count(knownText(number)), of)
export const bytesOf = (sum: Count | null, of: string): Part =>
  marked(bytes(sum === null ? 'unknown' : bytesText(sum)), of)
/** The same without the words. */
export const sizeOf = (sum: Count, of: string): Part => marked(bytes(sizeText(sum)), of)
/** A sum of a table; `≥` marks a lower bound. */
export const sumOf = (sum: Count | null, isLowerBound: boolean, of: string): Part =>
  marked(bytes(`${isLowerBound && sum !== null ? '≥ ' : ''}${knownText(sum)}`), of)
export const timeOf = (iso: string | null, of: string): Part => marked(time(timeText(iso)), of)
export const lengthOf = (seconds: number | null, of: string): Part =>
  marked(time(seconds === null ? 'unknown' : durationWords(seconds)), of)
export const shareOf = (part: Count, whole: Count, of: string): Part => marked(count(percentText(part, whole)), of)
export const addressOf = (text: string, of: string): Part => marked(address(text), of)
export const pathOf = (text: string, of: string): Part => marked(path(text), of)
/** Words or a number as they stand in the document; `none` for null. */
export const wordsOf = (text: string | number | null, of: string): Part => value(String(text ?? 'none'), of)
/** `TCP`; `protocol 42` where it has no name. */
export function protocolWords(protocol: number | null, of: string): Text {
  const text = protocolText(protocol)
  return /\d/.test(text) ? line`protocol ${wordsOf(protocol, of)}` : text
}
/** `S1`: the place of an item, counted from 1. */
export const placeOf = (letter: string, index: number, of: string): Part => value(`${letter}${index + 1}`, `#${of}`)
export const numberOf = (items: number, of: string): Part => marked(count(integerText(items)), `|${of}|`)
